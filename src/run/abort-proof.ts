import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import { type RecentLevel, recentLevel } from "../measure/recent-level.ts";
import type { Role } from "../mirror/twin.ts";
import type { Action } from "../plan/plan.ts";
import type { BarrierComparison } from "../replay/proof/barrier.ts";
import type { Noise } from "../replay/proof/noise.ts";
import type { AbortProof } from "../report/abort-record.ts";
import { comparison } from "./last-barrier.ts";
import type { LoadContext } from "./load-context.ts";
import { frozenFingerprints, type LoadSession } from "./load-session.ts";
import { undoUnderLoad } from "./plan-phases.ts";
import { settledState } from "./settled-state.ts";

/** After a stop the undo gets this long beyond what the plan promised. */
const UNDO_GRACE_MS = 30_000;
/** Of the service after the undo, so much is shown. */
const RECOVERY_LOOK_MS = 3000;
/** Arrivals stop, services freeze, a million rows are read. */
const BARRIER_MS_MAX = 60_000;

/** What a run that was stopped leaves to undo and to prove. */
export interface Unfinished {
  readonly context: LoadContext;
  readonly session: LoadSession;
  /** Undefined when the plan had not begun under load. */
  readonly noise: Noise | undefined;
  /** Everything that was ever begun under load, and of it what is not undone yet. */
  readonly begun: readonly Action[];
  readonly acted: readonly Action[];
}

/**
 * A run that is stopped owes the same rollback, and the same proof of it: undo, recovery, barrier, each under a signal of its
 * own with a time box. Trouble in it is told in the proof and hides nothing. `isProven` is false where it is our own error
 * that ended the run: then only the undo is owed.
 */
export async function undoAfterStop(unfinished: Unfinished, isProven: boolean): Promise<AbortProof> {
  const { context, session, begun, acted } = unfinished;
  const undo = acted.length === 0 ? undefined : await undone(unfinished);
  const known = { proof: begun.length === 0 ? "none" : "load", begun: begun.map(({ id }) => id) } as const;
  const withUndo = undo === undefined ? known : { ...known, undo };
  if (begun.length === 0) return { ...withUndo, state: { kind: "untouched" }, recovery: NOTHING_TO_RECOVER };
  if (!isProven) {
    const why = "the run ended by an error";
    return { ...withUndo, state: { kind: "not-compared", why }, recovery: { kind: "not-measured", why } };
  }
  const recovery = undo?.failed === undefined ? await recovered(context, session) : NOT_UNDONE;
  return { ...withUndo, recovery, state: await compared(unfinished) };
}

const NOTHING_TO_RECOVER = { kind: "not-measured", why: "nothing had been done under load" } as const;
const NOT_UNDONE = { kind: "not-measured", why: "the undo did not come to its end" } as const;

async function undone({ context, session, acted }: Unfinished): Promise<NonNullable<AbortProof["undo"]>> {
  const { clock } = context.effects;
  const timeoutMs = context.job.plan.rollback.withinSeconds * 1000 + UNDO_GRACE_MS;
  context.log.note("stopped: undoing what was done before the twins are removed");
  const startedMs = clock.monotonicMs();
  const landed = new Set<string>();
  const heard = {
    ...context,
    log: {
      ...context.log,
      action: (record: Parameters<LoadContext["log"]["action"]>[0]) => {
        if (record.phase === "undo" && record.landed) landed.add(record.id);
        context.log.action(record);
      },
    },
  };
  const failed = await boxed(clock, timeoutMs, async (signal) => {
    const outcome = await undoUnderLoad(heard, session, { acted, signal, why: "abort" });
    return outcome.failed === undefined ? undefined : `${outcome.failed.actionId}: ${outcome.failed.message}`;
  }).catch((error: unknown) => messageOf(error));
  const ids = acted.map(({ id }) => id).toReversed();
  return {
    undone: ids.filter((id) => failed === undefined || landed.has(id)),
    undoMs: Math.round(clock.monotonicMs() - startedMs),
    ...(failed === undefined ? {} : { failed }),
  };
}

/** Whoever stopped a run waits for it to end: what the service does is shown over seconds, and no interval is made of them. */
async function recovered(context: LoadContext, session: LoadSession): Promise<AbortProof["recovery"]> {
  const { clock, hurry } = context.effects;
  if (session.flowingFromMs() === undefined || session.ended.aborted)
    return { kind: "not-measured", why: "there was no traffic any more" };
  const fromMs = session.axisMs();
  const stops = [session.ended, ...(hurry === undefined ? [] : [hurry])];
  try {
    await clock.sleep(RECOVERY_LOOK_MS, AbortSignal.any(stops));
  } catch (error) {
    return { kind: "not-measured", why: messageOf(error) };
  }
  const recent = { window: { fromMs, toMs: session.axisMs() }, overdue: session.overdue().pairs };
  const errors = recentLevel(session.store, { kind: "errors" }, recent);
  const median = recentLevel(session.store, { kind: "latency", quantile: 0.5 }, recent);
  const arms = (level: RecentLevel): Readonly<Record<Role, number>> => ({
    control: level.arms.control ?? 0,
    shadow: level.arms.shadow ?? 0,
  });
  if (errors.requests === 0 || median.requests === 0) return { kind: "not-measured", why: "nothing was answered" };
  return {
    kind: "seen",
    overMs: Math.round(recent.window.toMs - fromMs),
    requests: errors.requests,
    errorShare: arms(errors),
    medianMs: arms(median),
  };
}

/** The last barrier, as in a run that was not stopped: traffic ends, services freeze, both twins are read and compared. */
async function compared(unfinished: Unfinished): Promise<AbortProof["state"]> {
  const { context, session, noise } = unfinished;
  const { clock } = context.effects;
  if (noise === undefined) return { kind: "not-compared", why: "the noise of the twins had not been learned yet" };
  context.log.phase("barrier");
  try {
    const shown = await boxed(clock, BARRIER_MS_MAX, async (signal): Promise<BarrierComparison> => {
      const { pair, effects } = context;
      // A driver that was told to end already, or is gone, leaves nothing to drain.
      const seen = await session.finish(signal).then(
        ({ fingerprints }) => fingerprints,
        () => frozenFingerprints({ pair, effects, signal }),
      );
      const compare = comparison({ context, session, noise });
      return (await settledState({ ...context, signal }, { first: seen, compare })).compared;
    });
    if (shown.residue.length > 0) return { kind: "differs", residue: shown.residue };
    return { kind: "as-before", noise: shown.noise, consequences: shown.consequences };
  } catch (error) {
    return { kind: "not-compared", why: messageOf(error) };
  }
}

/** Does something under a signal that ends with its time. */
async function boxed<T>(clock: Clock, timeoutMs: number, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const box = new AbortController();
  const finished = new AbortController();
  const timer = clock.sleep(timeoutMs, finished.signal).then(
    () => box.abort(new Error(`it took longer than ${timeoutMs / 1000} s`)),
    () => undefined,
  );
  try {
    return await task(box.signal);
  } finally {
    finished.abort();
    await timer;
  }
}
