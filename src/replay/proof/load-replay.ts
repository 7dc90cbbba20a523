import type { Action, Plan } from "../../plan/plan.ts";
import { alreadyAtTarget } from "../actions/execute-step.ts";
import { type Performance, performAction } from "./perform-action.ts";

/** How far the plan got under load. `acted` is what must be undone, whatever the end was. */
export interface ReplayOutcome {
  /** Actions that were begun, in order, each with the undo it has; a failed or aborted one included. */
  readonly acted: readonly Action[];
  /** Actions that were at their target already and were not performed. */
  readonly noOps: readonly string[];
  readonly end:
    | { readonly kind: "done" }
    | { readonly kind: "failed"; readonly actionId: string; readonly message: string; readonly timedOut?: true }
    /** The signal ended it: a person, a deadline or a trigger; its reason is the caller's to judge. */
    | { readonly kind: "aborted"; readonly actionId: string };
}

/**
 * Performs the plan on the shadow under load, action by action. An abort is an answer here, not an error,
 * because the caller must know what to undo.
 * @param options.beforeAction - called when an action is about to begin; may make it wait, or abort `signal`
 * @param options.afterAction - health window of an action that landed; its rejection counts as an abort only if `signal` is aborted
 * @throws CanaryError on the harness's own trouble
 */
export async function replayPlan(options: {
  readonly plan: Plan;
  readonly to: Performance;
  readonly signal: AbortSignal;
  readonly beforeAction?: (action: Action, signal: AbortSignal) => Promise<void>;
  readonly afterAction?: (action: Action, signal: AbortSignal) => Promise<void>;
}): Promise<ReplayOutcome> {
  const { plan, to, signal } = options;
  const acted: Action[] = [];
  const noOps: string[] = [];
  for (const action of plan.actions) {
    try {
      signal.throwIfAborted();
      if (await alreadyAtTarget(action.step, to.shadow, signal)) {
        noOps.push(action.id);
        continue;
      }
      await options.beforeAction?.(action, signal);
      signal.throwIfAborted();
      const result = await performAction(action, to, signal, (acting) => acted.push(acting));
      if (!result.landed) {
        const late = result.timedOut === true ? { timedOut: true as const } : {};
        return { acted, noOps, end: { kind: "failed", actionId: action.id, message: result.message, ...late } };
      }
      await options.afterAction?.(action, signal);
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
      return { acted, noOps, end: { kind: "aborted", actionId: action.id } };
    }
  }
  return { acted, noOps, end: { kind: "done" } };
}
