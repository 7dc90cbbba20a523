import type { Action } from "../../plan/plan.ts";
import { type Performance, performUndo } from "./perform-action.ts";

/** How undoing went. */
export interface UndoOutcome {
  /** From the first undo to the end of the last, ms. */
  readonly undoMs: number;
  /** The first undo that did not land, even when tried again. */
  readonly failed?: { readonly actionId: string; readonly message: string };
  /** The plan's own way out was gone instead of its undos; absent where they were. */
  readonly how?: "steps" | "stop";
}

/** How often an undo is tried where the plan does not say. */
export const UNDO_TRIES = 2;

/**
 * Undoes actions, last one first. Each undo has its time box and is tried again when it does not land; one that fails does
 * not keep the others from being undone.
 * @param acted - in the order in which they were performed
 * @throws signal.reason when aborted; CanaryError on the harness's own trouble
 */
export async function undoPlan(acted: readonly Action[], to: Performance, signal: AbortSignal): Promise<UndoOutcome> {
  const { undoTries = UNDO_TRIES } = to;
  const startedMs = to.clock.monotonicMs();
  let failed: UndoOutcome["failed"];
  for (const action of acted.toReversed()) {
    let last = await performUndo(action, to, signal);
    for (let tried = 1; !last.landed && tried < undoTries; tried++) last = await performUndo(action, to, signal);
    if (!last.landed) failed ??= { actionId: action.id, message: last.message };
  }
  return { undoMs: to.clock.monotonicMs() - startedMs, ...(failed === undefined ? {} : { failed }) };
}
