import type { HarmAlarm } from "../judge/harm-alarm.ts";
import type { Action } from "../plan/plan.ts";
import type { ReplayOutcome } from "../replay/proof/load-replay.ts";
import { type HarmWatch, unlessHarmed, watchForHarm } from "./harm-watch.ts";
import { askInvariants, type Observed } from "./last-barrier.ts";
import type { LoadContext } from "./load-context.ts";
import type { LoadSession } from "./load-session.ts";
import type { Looks } from "./looks.ts";
import { observeAfter } from "./measure-phases.ts";
import { replayUnderLoad, settle } from "./plan-phases.ts";

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
  const { judge } = context.job.scenario;
  const slos = await unlessHarmed(watch, context, async () => {
    await settle(watched, session, context.restarts ? judge.restartSettleSeconds : judge.settleSeconds);
    return await observeAfter(watched, session, looks);
  });
  const { baseline, observing } = session.phases;
  if (slos !== undefined || baseline === undefined || observing === undefined) return slos;
  return looks.judge({ baseline, after: observing });
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
