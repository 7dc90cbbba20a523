import type { Intent } from "../../core/intent-log.ts";
import { ActionStepSchema } from "../../plan/action.ts";
import type { Action } from "../../plan/plan.ts";

/**
 * The actions that a log says were begun and not undone, in the order in which they were begun, each with the undo that
 * the log holds: whoever reads it need not have been there.
 * @param actions - the plan's, for time boxes and words
 * @throws ZodError when the log is damaged
 */
export function begunByLog(intents: readonly Intent[], actions: readonly Action[]): readonly Action[] {
  const start = intents.findLastIndex((intent) => intent.kind === "run");
  const own = intents.slice(start + 1);
  return actions.flatMap((action) => {
    const act = own.findLast((intent) => intent.kind === "act" && intent.actionId === action.id);
    if (act?.kind !== "act") return [];
    const undone = own.some((intent) => intent.kind === "undone" && intent.actionId === action.id && intent.ok);
    if (undone) return [];
    const { rollback: _planned, ...rest } = action;
    return [act.undo === null ? rest : { ...rest, rollback: ActionStepSchema.parse(act.undo) }];
  });
}
