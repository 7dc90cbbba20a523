import type { Action, Plan } from "../../plan/plan.ts";
import { type RecoveryStep, wayOutOf } from "../../plan/recovery.ts";
import type { Performance } from "./perform-action.ts";
import { type UndoOutcome, undoPlan } from "./undo-plan.ts";

/** What is to be undone, and on which of the plan's ways. */
export interface RollbackOrder {
  readonly plan: Pick<Plan, "onFailure" | "onAbort">;
  /** In the order in which they were performed. */
  readonly acted: readonly Action[];
  /** `planned`: everything landed, and the undo is the next thing to prove. */
  readonly why: "planned" | "failure" | "abort";
}

/**
 * Takes back what a plan did: its undos, or the plan's own way out of a failure or an abort (`onFailure`, `onAbort`).
 * What is done is in the intent log before it is done. A way that stops leaves everything as it stands.
 * @throws signal.reason when aborted; CanaryError on the harness's own trouble
 */
export async function rollBack(order: RollbackOrder, to: Performance, signal: AbortSignal): Promise<UndoOutcome> {
  const { plan, acted, why } = order;
  if (why === "planned" || acted.length === 0) return await undoPlan(acted, to, signal);
  const way = wayOutOf(plan, why);
  if (way === "rollback") return await undoPlan(acted, to, signal);
  if (way === "stop") {
    await to.intent.record({ kind: "recover", why, how: "stop", steps: null });
    return { undoMs: 0, how: "stop" };
  }
  return await goSteps(way, { acted, why }, to, signal);
}

/** The plan's own steps, in their order; the first that does not land ends it, for the next ones build on it. */
async function goSteps(
  steps: readonly RecoveryStep[],
  { why, acted }: Pick<RollbackOrder, "acted"> & { readonly why: "failure" | "abort" },
  to: Performance,
  signal: AbortSignal,
): Promise<UndoOutcome> {
  const requires = [...new Set(acted.flatMap((action) => action.requires))];
  await to.intent.record({ kind: "recover", why, how: "steps", steps, requires });
  const startedMs = to.clock.monotonicMs();
  for (const step of steps) {
    const undone = await undoPlan([actionOf(step, requires)], to, signal);
    if (undone.failed === undefined) continue;
    await to.intent.record({ kind: "recovered", ok: false });
    return { undoMs: to.clock.monotonicMs() - startedMs, how: "steps", failed: undone.failed };
  }
  await to.intent.record({ kind: "recovered", ok: true });
  return { undoMs: to.clock.monotonicMs() - startedMs, how: "steps" };
}

/** A step of the way out, performed like the undo of an action. @param requires - scopes of what it gets out of */
export function actionOf({ id, step, timeoutSeconds }: RecoveryStep, requires: readonly string[]): Action {
  return {
    id,
    what: `the plan's step ${id}`,
    why: "the plan says so",
    requires: [...requires],
    changes: [],
    step,
    rollback: step,
    timeoutSeconds,
  };
}
