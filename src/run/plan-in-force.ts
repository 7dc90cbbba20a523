import type { HarmAlarm } from "../judge/harm-alarm.ts";
import { settleSeconds } from "../judge/judge-limits.ts";
import type { Action } from "../plan/plan.ts";
import type { ReplayOutcome } from "../replay/proof/load-replay.ts";
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
}

/**
 * The plan acts, settles, is observed and asked for its invariants. Gross harm ends acting, settling and observing at
 * once; the answer then says so, and the undo is the caller's next step as ever.
 * @param options.onActed - told what has to be undone, as soon as it is known
 * @throws context.signal.reason when aborted; CanaryError on the harness's own trouble
 */
export async function rehearseInForce(
  options: Rehearsal & { readonly onActed: (acted: readonly Action[]) => void },
): Promise<InForce> {
  const { context, session } = options;
  await context.restarts.remember(context.signal);
  const actedFromMs = session.axisMs();
  await using watch = watchForHarm(context, session, actedFromMs);
  const replay = await replayUnderLoad({ ...context, signal: watch.signal }, session, actedFromMs);
  options.onActed(replay.acted);
  context.signal.throwIfAborted();
  const slos = await observe(options, replay, watch);
  const alarm = watch.alarm();
  if (alarm !== undefined)
    return { replay, alarm, ...(slos === undefined ? {} : { observed: { slos, brokenInvariants: [] } }) };
  if (slos === undefined) return { replay };
  return { replay, observed: { slos, brokenInvariants: await invariantsInForce(context, session) } };
}

/** SLOs at the last look, with the plan in force; undefined when there was none. */
async function observe(
  { context, session, looks }: Rehearsal,
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
