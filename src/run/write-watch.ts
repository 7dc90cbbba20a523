import type { Twin } from "../mirror/twin.ts";
import type { WriteLog, WriteReading } from "../mirror/write-log.ts";
import type { StoreReadings } from "../replay/proof/write-provenance.ts";
import type { RunJob } from "./run-job.ts";

/** The logs of writes of every database that the plan's SQL acts at, kept open from an instant on. */
export interface WriteWatch extends AsyncDisposable {
  /** Asked while nothing is measured: it keeps the servers busy for a while. */
  read(signal: AbortSignal): Promise<StoreReadings>;
  /** Opens again what was lost since; what was written before is then no part of it. */
  renew(signal: AbortSignal): Promise<void>;
}

/**
 * Begins to keep the log of who writes what on a twin; empty for a plan without SQL. Opening waits for the transactions that
 * are under way, so it is done while the services run: a frozen one may hold a transaction open.
 */
export async function watchWrites(options: {
  readonly job: Pick<RunJob, "plan" | "spec">;
  readonly twin: Twin;
  readonly signal: AbortSignal;
}): Promise<WriteWatch> {
  const { job, twin, signal } = options;
  const logs = new Map<string, WriteLog>();
  const close = async (): Promise<void> => {
    await Promise.all([...logs.values()].map((log) => log[Symbol.asyncDispose]()));
    logs.clear();
  };
  const renew: WriteWatch["renew"] = async (asked) => {
    const services = sqlServices(job).filter((service) => logs.get(service)?.isOpen() !== true);
    const opening = services.map(async (service) => {
      await logs.get(service)?.[Symbol.asyncDispose]();
      logs.set(service, await twin.openWriteLog({ service }, asked));
    });
    const failed = (await Promise.allSettled(opening)).find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  };
  await renew(signal).catch(async (cause: unknown) => {
    await close();
    throw cause;
  });
  return {
    renew,
    read: async (asked) => new Map(await Promise.all([...logs].map((one) => readingOf(one, asked)))),
    [Symbol.asyncDispose]: close,
  };
}

async function readingOf(
  [service, log]: readonly [string, WriteLog],
  signal: AbortSignal,
): Promise<readonly [string, WriteReading]> {
  return [service, await log.read(signal)];
}

/** Databases of the mirror at which the plan or its undo runs statements; a wrong name is the action's own failure. */
export function sqlServices({ plan, spec }: Pick<RunJob, "plan" | "spec">): readonly string[] {
  const steps = plan.actions.flatMap(({ step, rollback }) => (rollback === undefined ? [step] : [step, rollback]));
  const named = steps.flatMap((step) => (step.uses === "sql" ? [step.with.service] : []));
  const databases = spec.state.filter(({ kind }) => kind === "postgres").map(({ service }) => service);
  return [...new Set(named)].filter((service) => databases.includes(service)).sort();
}
