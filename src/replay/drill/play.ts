import { messageOf } from "../../core/errors.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { Action } from "../../plan/plan.ts";
import { alreadyAtTarget } from "../actions/execute-step.ts";
import type { StepResult } from "../actions/step-result.ts";
import { type Performance, performAction } from "../proof/perform-action.ts";
import { type RollbackOrder, rollBack } from "../proof/roll-back.ts";
import { type UndoOutcome, undoPlan } from "../proof/undo-plan.ts";
import type { DrillStage, WayBack } from "./drill-stage.ts";
import { guardTwin, type InFlight, trackCalls } from "./guard-twin.ts";

/** A cell that is being played: what was begun, what happened, how long it took. */
export interface Play {
  readonly stage: DrillStage;
  readonly inFlight: InFlight;
  readonly begun: Action[];
  readonly notes: string[];
  /** What is wrong though the state may be restored. */
  readonly findings: string[];
  /** Why nothing is known: an action that nothing disturbed did not land, or one was over before it could be stopped. */
  broken?: string;
  wayBack?: WayBack;
  actMs: number;
  undoMs: number;
}

/** Shorter actions are stopped as soon as they are on their way: half of their time may be over before it is met. */
const HALF_MS_MIN = 500;
/** A statement that was given up ends within this when its server is well again. */
const SETTLE_MS = 10_000;

/** Opens the play of one cell. */
export function startPlay(stage: DrillStage): Play {
  const inFlight = trackCalls(stage.clock);
  return { stage, inFlight, begun: [], notes: [], findings: [], actMs: 0, undoMs: 0 };
}

/** Where a play performs: on the shadow, whose calls all end with `signal`. */
export function performanceOf(play: Play, signal: AbortSignal, onAct?: () => void): Performance {
  const { plan, pair, intent, clock, baseDir, mint, onStep } = play.stage;
  const { tries } = plan.rollback;
  const guard = { signal, inFlight: play.inFlight, ...(onAct === undefined ? {} : { onAct }) };
  const shadow: Twin = guardTwin(pair.shadow, guard);
  return {
    proof: "quiet",
    shadow,
    intent,
    clock,
    axisMs: () => clock.monotonicMs(),
    baseDir,
    ...(mint === undefined ? {} : { mint }),
    metrics: pair.spec.metrics,
    ...(tries === undefined ? {} : { undoTries: tries }),
    ...(onAct === undefined ? {} : { onSent: onAct }),
    onStep,
    onRecord: () => undefined,
  };
}

/** Performs actions that nothing disturbs. @throws PrefixFailed when one does not land: then there is no prefix to drill */
export async function act(play: Play, actions: readonly Action[], signal: AbortSignal): Promise<void> {
  for (const action of actions) {
    const begin = (begun: Action): void => void play.begun.push(begun);
    const to = performanceOf(play, signal);
    if (await needless(play, action, to, signal)) continue;
    const { landed, message, durationMs } = await performAction(action, to, signal, begin);
    play.actMs += durationMs;
    if (!landed) throw new PrefixFailed(`${action.id} does not land even undisturbed: ${message}`);
    const { learnedMs } = play.stage;
    learnedMs.set(action.id, Math.min(durationMs, learnedMs.get(action.id) ?? durationMs));
  }
}

/** A run does not perform what is at its target already, and so does not undo it. */
async function needless(play: Play, action: Action, to: Performance, signal: AbortSignal): Promise<boolean> {
  if (!(await alreadyAtTarget(action.step, to.shadow, signal))) return false;
  play.notes.push(`${action.id} was at its target already and was not performed`);
  return true;
}

/** An action failed that nothing disturbed. */
export class PrefixFailed extends Error {
  override readonly name = "PrefixFailed";
}

/** How a disturbed action went. */
export type Disturbed =
  | { readonly kind: "needless" }
  | { readonly kind: "ended"; readonly result: StepResult }
  | { readonly kind: "stopped"; readonly afterMs: number };

/** Performs an action and stops it in its middle; one that is over before, to everybody's surprise, is undone and done again. */
export async function interrupt(play: Play, action: Action, signal: AbortSignal): Promise<Disturbed> {
  const wholeMs = play.stage.learnedMs.get(action.id) ?? 0;
  const stop = new AbortController();
  if (wholeMs >= HALF_MS_MIN) {
    const went = await disturbed(play, action, { stop: new AbortController(), signal, afterMs: wholeMs / 2 });
    if (went.kind !== "ended" || !went.result.landed || !(await takenBack(play, signal))) return went;
    play.notes.push(
      `${action.id} was over within half of its time, so it was undone and stopped as soon as it was on its way`,
    );
  }
  return await disturbed(play, action, { stop, signal, onAct: () => stop.abort(new Error("stopped in the middle")) });
}

/** Whether the last action that was begun is undone, so that it can be begun again. */
async function takenBack(play: Play, signal: AbortSignal): Promise<boolean> {
  const last = play.begun.at(-1);
  if (last === undefined) return false;
  const { failed } = await undoPlan([last], performanceOf(play, signal), signal);
  if (failed === undefined) play.begun.pop();
  return failed === undefined;
}

/** Performs an action that is given up after `afterMs` or when `onAct` says so. */
export async function disturbed(
  play: Play,
  action: Action,
  by: {
    readonly stop: AbortController;
    readonly signal: AbortSignal;
    readonly afterMs?: number;
    readonly onAct?: () => void;
  },
): Promise<Disturbed> {
  const { clock } = play.stage;
  const startedMs = clock.monotonicMs();
  const over = new AbortController();
  const either = AbortSignal.any([by.signal, by.stop.signal]);
  if (by.afterMs !== undefined) {
    clock.sleep(by.afterMs, AbortSignal.any([either, over.signal])).then(
      () => by.stop.abort(new Error("given up")),
      () => undefined,
    );
  }
  let begun = false;
  const begin = (acting: Action): void => {
    begun = true;
    play.begun.push(acting);
  };
  // What is read before, for the undo, is not yet the action.
  const onAct = (): void => void (begun && by.onAct?.());
  try {
    const to = performanceOf(play, either, onAct);
    if (await needless(play, action, to, either)) return { kind: "needless" };
    return { kind: "ended", result: await performAction(action, to, either, begin) };
  } catch (thrown) {
    by.signal.throwIfAborted();
    if (!by.stop.signal.aborted) throw thrown;
    return { kind: "stopped", afterMs: clock.monotonicMs() - startedMs };
  } finally {
    over.abort();
    play.actMs += clock.monotonicMs() - startedMs;
  }
}

/** Lets given-up calls come to their end: what is undone before them, they would do again. */
export async function settle(play: Play, signal: AbortSignal): Promise<void> {
  const count = play.inFlight.size;
  const left = await play.inFlight.settled(SETTLE_MS, signal);
  if (left > 0)
    play.notes.push(`${left} of ${count} calls that were given up had not ended ${SETTLE_MS / 1000} s later`);
}

/**
 * Takes back what was begun on the way that a run would go for the same reason. What did not land is noted: whether anything
 * is left, the state says.
 */
export async function goBack(play: Play, why: RollbackOrder["why"], signal: AbortSignal): Promise<void> {
  await settle(play, signal);
  const { failed } = await wayBack(play, why, signal);
  if (failed !== undefined) play.notes.push(`the undo of ${failed.actionId} did not land: ${failed.message}`);
}

/** Takes back what nothing disturbed, in the acting or now: an undo that does not land then is wrong, whatever the state says. */
export async function goBackUndisturbed(play: Play, why: RollbackOrder["why"], signal: AbortSignal): Promise<void> {
  await settle(play, signal);
  const { failed } = await wayBack(play, why, signal);
  if (failed === undefined) return;
  play.findings.push(`the undo of ${failed.actionId} did not land though nothing disturbed it: ${failed.message}`);
}

/** Tries the same while a fault is in force, for so long; answers whether all of it landed. */
export async function goBackWithin(
  play: Play,
  why: RollbackOrder["why"],
  by: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const { clock } = play.stage;
  const over = new AbortController();
  const late = new AbortController();
  clock.sleep(by.withinMs, AbortSignal.any([by.signal, over.signal])).then(
    () => late.abort(new Error("given up")),
    () => undefined,
  );
  try {
    return (await wayBack(play, why, AbortSignal.any([by.signal, late.signal]))).failed === undefined;
  } catch (thrown) {
    by.signal.throwIfAborted();
    if (!late.signal.aborted) play.notes.push(`undoing under the fault ended with: ${messageOf(thrown)}`);
    return false;
  } finally {
    over.abort();
  }
}

async function wayBack(play: Play, why: RollbackOrder["why"], signal: AbortSignal): Promise<UndoOutcome> {
  const { begun, stage } = play;
  const outcome = await rollBack({ plan: stage.plan, acted: begun, why }, performanceOf(play, signal), signal);
  play.undoMs += outcome.undoMs;
  if (begun.length > 0) play.wayBack = { why, how: outcome.how ?? "undos" };
  return outcome;
}
