import type { Action } from "../../plan/plan.ts";
import { type Performance, performUndo } from "./perform-action.ts";

/** How undoing went. */
export interface UndoOutcome {
  /** From the first undo to the end of the last, ms. */
  readonly undoMs: number;
  /** The first undo that did not land, even when tried again. */
  readonly failed?: { readonly actionId: string; readonly message: string };
}

/**
 * Undoes actions, last one first. Each undo is tried twice; one that fails does not keep the others from being undone.
 * @param acted - in the order in which they were performed
 * @throws signal.reason when aborted; CanaryError on the harness's own trouble
 */
export async function undoPlan(acted: readonly Action[], to: Performance, signal: AbortSignal): Promise<UndoOutcome> {
  const startedMs = to.clock.monotonicMs();
  let failed: UndoOutcome["failed"];
  for (const action of acted.toReversed()) {
    const first = await performUndo(action, to, signal);
    const last = first.landed ? first : await performUndo(action, to, signal);
    if (!last.landed) failed ??= { actionId: action.id, message: last.message };
  }
  return { undoMs: to.clock.monotonicMs() - startedMs, ...(failed === undefined ? {} : { failed }) };
}
