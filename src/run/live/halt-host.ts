import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import { ownerState } from "../../mirror/twins/owner.ts";
import type { AbortRecord } from "../../report/abort-record.ts";
import { isShownUndone } from "../../report/abort-words.ts";
import type { RunReport } from "../../report/run-report.ts";
import { REPORT_FILES } from "../../report/write-reports.ts";
import { RUN_FILES } from "../file-run-store.ts";
import type { FoundRun, Halt, LiveRegistry, LiveRun } from "./live-registry.ts";

/** What became of one run of a halted host. */
export interface HaltedRun {
  readonly runId: string;
  readonly plan: string;
  /** `undone`: stopped, and shown to be as before; nothing else is. */
  readonly outcome: "undone" | "stopped" | "still-running" | "unreachable";
  readonly message: string;
}

export interface HaltReport {
  readonly runs: readonly HaltedRun[];
  /** Whether every run that was found is stopped and shown to be undone. */
  readonly isAllUndone: boolean;
}

const POLL_MS = 200;
const ASK_MS_MAX = 5000;

/** What halting needs of the world; tests pass their own. */
export interface HaltEffects {
  readonly registry: LiveRegistry;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** Tells a process to end as a person would (SIGTERM), where its endpoint does not answer. */
  readonly terminate: (pid: number) => void;
}

/**
 * Halts this host: no run starts any more, and every one that goes on is stopped, undone and waited for. The mark is set
 * before runs are looked for, and runs make themselves known before they look for the mark: none slips through.
 * @param options.except - a run that stops itself
 */
export async function haltHost(
  options: {
    readonly halt: Halt;
    readonly waitMs: number;
    readonly except?: string;
    readonly signal: AbortSignal;
    readonly onRun?: (run: HaltedRun) => void;
  },
  effects: HaltEffects,
): Promise<HaltReport> {
  await effects.registry.halt(options.halt);
  const found = (await effects.registry.list()).filter(
    (one) => one.kind === "unreadable" || one.run.runId !== options.except,
  );
  const runs = await Promise.all(
    found.map(async (one) => {
      const halted = await stopOne(one, options, effects).catch((error: unknown) => {
        options.signal.throwIfAborted();
        // What one run left behind says nothing of the others, of which people must hear.
        return unknownEnd(one, error);
      });
      options.onRun?.(halted);
      return halted;
    }),
  );
  return { runs, isAllUndone: runs.every(({ outcome }) => outcome === "undone") };
}

function unknownEnd(found: FoundRun, error: unknown): HaltedRun {
  const { runId, plan } = found.kind === "alive" ? found.run : { runId: path.basename(found.file, ".json"), plan: "" };
  return { runId, plan, outcome: "stopped", message: `how it ended can not be told: ${messageOf(error)}` };
}

async function stopOne(
  found: FoundRun,
  options: Parameters<typeof haltHost>[0],
  effects: HaltEffects,
): Promise<HaltedRun> {
  if (found.kind === "unreadable") {
    const message = `${found.file} cannot be believed (${found.why}); look for its process`;
    return { runId: path.basename(found.file, ".json"), plan: "", outcome: "unreachable", message };
  }
  const { run } = found;
  const told = await tell(run, options, effects);
  const about = { runId: run.runId, plan: run.plan };
  if (told !== undefined) return { ...about, outcome: "unreachable", message: told };
  const untilMs = effects.clock.monotonicMs() + options.waitMs;
  while ((await ownerState(run.owner)) !== "dead" && (await isListed(run, effects))) {
    if (effects.clock.monotonicMs() >= untilMs) {
      const message = `still undoing after ${options.waitMs / 1000} s; process ${run.owner.pid}`;
      return { ...about, outcome: "still-running", message };
    }
    await effects.clock.sleep(POLL_MS, options.signal);
  }
  return { ...about, ...(await howItEnded(run)) };
}

async function isListed({ runId }: LiveRun, { registry }: HaltEffects): Promise<boolean> {
  return (await registry.list()).some((one) =>
    one.kind === "alive" ? one.run.runId === runId : path.basename(one.file, ".json") === runId,
  );
}

/** Over its endpoint, else by a signal to the process, which is known to be the one that wrote the record. */
async function tell(
  run: LiveRun,
  { halt, signal }: Parameters<typeof haltHost>[0],
  effects: HaltEffects,
): Promise<string | undefined> {
  const body = { how: "halt", by: halt.by, ...(halt.reason === undefined ? {} : { reason: halt.reason }) };
  try {
    const response = await effects.fetch(`${run.url}/v1/abort`, {
      method: "POST",
      redirect: "error",
      headers: { authorization: `Bearer ${run.token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_MS_MAX)]),
    });
    await response.body?.cancel();
    if (response.status === 202) return undefined;
    throw new Error(`its endpoint answered ${response.status}`);
  } catch (error) {
    signal.throwIfAborted();
    const state = await ownerState(run.owner);
    if (state === "dead") return undefined;
    if (state === "unknown")
      return `it does not answer (${messageOf(error)}), and whose process ${run.owner.pid} is can not be told`;
    try {
      effects.terminate(run.owner.pid);
      return undefined;
    } catch (refused) {
      return `it does not answer (${messageOf(error)}) and takes no signal (${messageOf(refused)})`;
    }
  }
}

/** What the run itself wrote about its end. One that published its verdict first had made its undo, as its report says. */
async function howItEnded({ runDir }: LiveRun): Promise<Pick<HaltedRun, "outcome" | "message">> {
  const report = await readFile(path.join(runDir, REPORT_FILES.json), "utf8").catch(() => undefined);
  if (report !== undefined) {
    const { quiet, rollback }: Pick<RunReport, "quiet" | "rollback"> = JSON.parse(report);
    const wentWrong = rollback.kind === "run" && (rollback.failed !== undefined || rollback.residue.length > 0);
    return wentWrong || quiet.residue.length > 0
      ? { outcome: "stopped", message: "it had finished, and its report says what its undo left behind" }
      : { outcome: "undone", message: "it had finished, and its undo left nothing behind" };
  }
  const text = await readFile(path.join(runDir, RUN_FILES.abort), "utf8").catch(() => undefined);
  if (text === undefined)
    return { outcome: "stopped", message: `stopped; no ${RUN_FILES.abort} says how it was undone` };
  const record: AbortRecord = JSON.parse(text);
  const undone = record.undo?.undone ?? [];
  const what = record.begun.length === 0 ? "nothing was in force" : `undone: ${undone.join(", ") || "before the halt"}`;
  return isShownUndone(record)
    ? { outcome: "undone", message: `${what}; state as before` }
    : { outcome: "stopped", message: `${what}; NOT shown to be as before: see ${path.join(runDir, RUN_FILES.abort)}` };
}
