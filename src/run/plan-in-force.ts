import type { HarmAlarm } from "../judge/harm-alarm.ts";
import { settleSeconds } from "../judge/judge-limits.ts";
import type { Action } from "../plan/plan.ts";
import type { ReplayOutcome } from "../replay/proof/load-replay.ts";
import type { Guards, Watching } from "./guards/start-guards.ts";
import { type HarmWatch, unlessHarmed, watchForHarm } from "./harm-watch.ts";
import { askInvariants, type Observed } from "./last-barrier.ts";
import type { LoadContext } from "./load-context.ts";
import type { LoadSession } from "./load-session.ts";
import type { Looks } from "./looks.ts";
import { observeAfter } from "./measure-phases.ts";
import { replayUnderLoad, settle } from "./plan-phases.ts";
import { restartedWords } from "./restarts.ts";

/** From the first act to the start of the undo. */
export interface InForce {
  readonly replay: ReplayOutcome;
  /** Absent when the plan did not get so far. */
  readonly observed?: Observed;
  /** What stopped it, if gross harm did. */
  readonly alarm?: HarmAlarm;
}

interface Rehearsal {
  readonly context: LoadContext;
  readonly session: LoadSession;
  readonly looks: Looks;
  readonly guards: Guards;
}

/**
 * The plan acts, settles, is observed and asked for its safeguards and invariants. Gross harm, a breached trigger and a
 * catastrophic safeguard end acting, settling and observing at once; the answer or the guards then say so, and the undo is
 * the caller's next step as ever.
 * @param options.onActed - told what has to be undone, as soon as it is known
 * @throws context.signal.reason when aborted; CanaryError on the harness's own trouble
 */
export async function rehearseInForce(
  options: Rehearsal & { readonly onActed: (acted: readonly Action[]) => void },
): Promise<InForce> {
  const { context, session, guards } = options;
  await context.restarts.remember(context.signal);
  const actedFromMs = session.axisMs();
  await using watching = guards.inForce(context.signal);
  await using watch = watchForHarm({ ...context, guards }, session, actedFromMs);
  const replay = await replayWatched({ context, session, guards }, { watch, watching, actedFromMs });
  options.onActed(replay.acted);
  context.signal.throwIfAborted();
  throwWhereBlind(guards);
  const slos = await observe(options, replay, watch);
  throwWhereBlind(guards);
  const alarm = watch.alarm();
  if (watch.stopped()) {
    const observed = slos === undefined ? {} : { observed: { slos, brokenInvariants: [] } };
    return { replay, ...(alarm === undefined ? {} : { alarm }), ...observed };
  }
  if (slos === undefined) return { replay };
  return { replay, observed: { slos, brokenInvariants: await invariantsInForce(context, session) } };
}

/** The plan's actions, under the bounds of the guards, which are told of time-outs and of the last landing. */
export async function replayWatched(
  { context, session, guards }: Pick<Rehearsal, "context" | "session" | "guards">,
  by: { readonly watch: HarmWatch; readonly watching: Watching; readonly actedFromMs: number },
): Promise<ReplayOutcome> {
  const { breaker, landed } = by.watching;
  const watched = { ...context, signal: by.watch.signal };
  const replay = await replayUnderLoad(watched, session, { fromMs: by.actedFromMs, breaker });
  const { end } = replay;
  if (end.kind === "done") landed();
  if (end.kind === "failed" && end.timedOut === true && guards.stoppedBy() === undefined)
    breaker.timedOut(end.actionId, end.message);
  return replay;
}

/** Guards that cannot look any more, because the engine is gone or by our own fault, leave no answer. */
export function throwWhereBlind(guards: Guards): void {
  if (guards.signal.aborted && guards.stoppedBy() === undefined) throw guards.signal.reason;
}

/** SLOs at the last look, with the plan in force; undefined when there was none. */
async function observe(
  { context, session, looks, guards }: Rehearsal,
  replay: ReplayOutcome,
  watch: HarmWatch,
): Promise<Observed["slos"] | undefined> {
  if (replay.end.kind !== "done") return undefined;
  const watched = { ...context, signal: watch.signal };
  let restartedLate = false;
  const slos = await unlessHarmed(watch, context, async () => {
    await settleAsWitnessed(watched, session);
    const last = await observeAfter(watched, session, looks);
    restartedLate = (await context.restarts.witness(watched.signal)).length > 0;
    await guards.beforeUndo(watched.signal);
    return last;
  });
  const { baseline, observing } = session.phases;
  if ((slos !== undefined && !restartedLate) || baseline === undefined || observing === undefined) return slos;
  return looks.judge({ baseline, after: observing });
}

/** An action may answer before what it restarts has ended: then settling starts again. */
async function settleAsWitnessed(context: LoadContext, session: LoadSession): Promise<void> {
  const { job, restarts, signal } = context;
  const seconds = (): number => settleSeconds(job.scenario.judge, restarts.services().length > 0);
  const sees = async (): Promise<boolean> => {
    const fresh = await restarts.witness(signal);
    if (fresh.length > 0) context.log.note(restartedWords(fresh));
    return fresh.length > 0;
  };
  await sees();
  await settle(context, session, seconds());
  if (await sees()) await settle(context, session, seconds());
}

/** Before the undo: what the plan breaks, its undo may mend, and then nobody would know. */
export async function invariantsInForce(
  context: LoadContext,
  session: LoadSession,
): Promise<Observed["brokenInvariants"]> {
  if (context.job.scenario.invariants.length === 0) return [];
  context.log.barrier("with the plan in force");
  return await session.still(() => askInvariants(context, "with the plan in force"), context.signal);
}
