import type { Clock } from "../../core/clock.ts";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { InvariantViolation } from "../../core/invariant.ts";
import type { StateSpec } from "../mirror-spec.ts";
import type { ServiceConfiguration, Twin } from "../twin.ts";
import { type KeptFile, keepFiles, restoreFiles } from "./kept-files.ts";
import { snapshotPostgres } from "./postgres-snapshot.ts";
import { snapshotRedis } from "./redis-snapshot.ts";
import { restoreConfiguration } from "./restore-configuration.ts";
import type { Restored, Snapshot, Snapshots, StoreSnapshot } from "./snapshot.ts";

type TakeOptions = Parameters<Snapshots["take"]>[0];

/** Snapshots of real twins. */
export function takingSnapshots(clock: Clock): Snapshots {
  return { take: (options) => take(clock, options) };
}

async function take(clock: Clock, options: TakeOptions): Promise<Snapshot> {
  const { twin, stores, signal } = options;
  const startMs = clock.monotonicMs();
  const configuration = await twin.configuration(signal);
  const files = await keepFiles(twin, options.files ?? [], signal);
  const taken: StoreSnapshot[] = [];
  for (const store of stores) taken.push(await takingOf(store, signal, () => snapshotOf(clock, store, options)));
  // A pool that cannot bear a cut connection ends its process; better seen here than in the middle of a rehearsal.
  const restarted = await twin.revive(signal);
  return {
    role: twin.role,
    facts: { stores: taken.map(({ facts }) => facts), tookMs: clock.monotonicMs() - startMs, restarted },
    restore: (restoreSignal, only) => {
      const chosen = taken.filter(({ facts }) => only === undefined || only.has(facts.service));
      return restore({ clock, twin, stores, configuration, files, taken: chosen }, restoreSignal);
    },
    losses: async (lossSignal) => {
      const found = [];
      for (const store of taken) found.push(...(await store.losses(lossSignal)));
      return found;
    },
  };
}

function snapshotOf(clock: Clock, store: StateSpec, { twin, signal }: TakeOptions): Promise<StoreSnapshot> {
  return store.kind === "postgres"
    ? snapshotPostgres(twin, store, { clock, signal })
    : snapshotRedis(twin, store, { clock, signal });
}

interface Taken {
  readonly clock: Clock;
  readonly twin: Twin;
  readonly stores: readonly StateSpec[];
  readonly configuration: readonly ServiceConfiguration[];
  readonly files: readonly KeptFile[];
  readonly taken: readonly StoreSnapshot[];
}

/** Configuration first: a store that an action scaled away or broke must run before its data can come back. */
async function restore(made: Taken, signal: AbortSignal): Promise<Restored> {
  const { clock, twin, stores, configuration, files, taken } = made;
  const startMs = clock.monotonicMs();
  const unrestored = await restoreConfiguration(twin, configuration, signal);
  const running = new Set((await twin.processes(signal)).map(({ service }) => service));
  await Promise.all(taken.map((store) => restoringOf(store, signal, () => store.restore(signal))));
  const restarted = await twin.revive(signal);
  await restoreFiles(twin, files, signal);
  const own = new Set(stores.map(({ service }) => service));
  const survived = [...running].filter((service) => !restarted.includes(service) && !own.has(service)).sort();
  return { tookMs: clock.monotonicMs() - startMs, survived, restarted, unrestored };
}

/** What a store refuses while it is copied is no finding about the plan: there is no snapshot, so there is no run. */
async function takingOf<T>(store: StateSpec, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return await work().catch((cause: unknown) => {
    signal.throwIfAborted();
    if (cause instanceof CanaryError || cause instanceof InvariantViolation) throw cause;
    throw new CanaryError({
      code: "SNAPSHOT_UNVERIFIED",
      message: `no snapshot of ${store.service} can be taken: ${messageOf(cause)}`,
      hint:
        store.kind === "postgres"
          ? "The mirror's user must be allowed to create, rename and drop databases (PostgreSQL 13 or later)."
          : "The mirror's Redis must allow EVAL, DUMP, RESTORE and FLUSHALL (version 5 or later).",
      cause,
    });
  });
}

async function restoringOf<T>(store: StoreSnapshot, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return await work().catch((cause: unknown) => {
    signal.throwIfAborted();
    if (cause instanceof CanaryError || cause instanceof InvariantViolation) throw cause;
    throw new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: `the snapshot of ${store.facts.service} can not be brought back: ${messageOf(cause)}`,
      hint: "Its last lines of output are in the report.",
      cause,
    });
  });
}
