import { messageOf } from "../../core/errors.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { Action } from "../../plan/plan.ts";
import type { StepResult } from "../actions/step-result.ts";
import { type Performance, performAction } from "../proof/perform-action.ts";
import { undoPlan } from "../proof/undo-plan.ts";
import type { DrillStage } from "./drill-stage.ts";
import { guardTwin, type InFlight, trackCalls } from "./guard-twin.ts";

/** A cell that is being played: what was begun, what happened, how long it took. */
export interface Play {
  readonly stage: DrillStage;
  readonly inFlight: InFlight;
  readonly begun: Action[];
  readonly notes: string[];
  /** What is wrong though the state may be restored. */
  readonly findings: string[];
  actMs: number;
  undoMs: number;
}

/** Shorter actions are stopped as soon as they have begun: half of their time can not be met. */
const HALF_MS_MIN = 100;
/** A statement that was given up ends within this when its server is well again. */
const SETTLE_MS = 10_000;

/** Opens the play of one cell. */
export function startPlay(stage: DrillStage): Play {
  const inFlight = trackCalls(stage.clock);
  return { stage, inFlight, begun: [], notes: [], findings: [], actMs: 0, undoMs: 0 };
}

/** Where a play performs: on the shadow, whose calls all end with `signal`. */
export function performanceOf(play: Play, signal: AbortSignal, onAct?: () => void): Performance {
  const { pair, intent, clock, baseDir, mint, onStep } = play.stage;
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
    onStep,
    onRecord: () => undefined,
  };
}

/** Performs actions that nothing disturbs. @throws Error when one does not land: then there is no prefix to drill */
export async function act(play: Play, actions: readonly Action[], signal: AbortSignal): Promise<void> {
  for (const action of actions) {
    const begin = (begun: Action): void => void play.begun.push(begun);
    const { landed, message, durationMs } = await performAction(action, performanceOf(play, signal), signal, begin);
    play.actMs += durationMs;
    if (!landed) throw new PrefixFailed(`${action.id} does not land even undisturbed: ${message}`);
    const { learnedMs } = play.stage;
    learnedMs.set(action.id, Math.min(durationMs, learnedMs.get(action.id) ?? durationMs));
  }
}

/** An action failed that nothing disturbed. */
export class PrefixFailed extends Error {
  override readonly name = "PrefixFailed";
}

/** How a disturbed action went. */
export type Disturbed =
  | { readonly kind: "ended"; readonly result: StepResult }
  | { readonly kind: "stopped"; readonly afterMs: number };

/** Performs an action and stops it in its middle. */
export async function interrupt(play: Play, action: Action, signal: AbortSignal): Promise<Disturbed> {
  const wholeMs = play.stage.learnedMs.get(action.id) ?? 0;
  const stop = new AbortController();
  const stopNow = (): void => stop.abort(new Error("stopped in the middle"));
  if (wholeMs < HALF_MS_MIN) return await disturbed(play, action, { stop, signal, onAct: stopNow });
  return await disturbed(play, action, { stop, signal, afterMs: wholeMs / 2 });
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
    const result = await performAction(action, performanceOf(play, either, onAct), either, begin);
    return { kind: "ended", result };
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

/** Undoes actions, last one first. What did not land is noted: whether anything is left, the state says. */
export async function undo(play: Play, begun: readonly Action[], signal: AbortSignal): Promise<void> {
  await settle(play, signal);
  const { undoMs, failed } = await undoPlan(begun, performanceOf(play, signal), signal);
  play.undoMs += undoMs;
  if (failed !== undefined) play.notes.push(`the undo of ${failed.actionId} did not land: ${failed.message}`);
}

/** Tries to undo while a fault is in force, for so long; answers whether every undo landed. */
export async function undoWithin(
  play: Play,
  begun: readonly Action[],
  by: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const { clock } = play.stage;
  const over = new AbortController();
  const late = new AbortController();
  clock.sleep(by.withinMs, AbortSignal.any([by.signal, over.signal])).then(
    () => late.abort(new Error("given up")),
    () => undefined,
  );
  const either = AbortSignal.any([by.signal, late.signal]);
  try {
    const { undoMs, failed } = await undoPlan(begun, performanceOf(play, either), either);
    play.undoMs += undoMs;
    return failed === undefined;
  } catch (thrown) {
    by.signal.throwIfAborted();
    if (!late.signal.aborted) play.notes.push(`undoing under the fault ended with: ${messageOf(thrown)}`);
    return false;
  } finally {
    over.abort();
  }
}
