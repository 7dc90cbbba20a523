import { needsNoUndo, undoUnderivable } from "../plan/kinds.ts";
import type { Plan } from "../plan/plan.ts";
import { covers } from "../plan/resource-pattern.ts";
import { classify, type Tier, writes } from "./classify.ts";
import { fieldsWithSecrets } from "./proposal-secrets.ts";

/** Below these a plan may be rehearsed, but not promoted without a human (DESIGN.md 3.1). */
export const CONFIDENCE_MIN_BY_TIER: Readonly<Record<Tier, number>> = { 0: 0, 1: 0, 2: 0.7, 3: 0.8, 4: 1 };

/** What policy says before anything is raised. */
export type Admission =
  | {
      readonly kind: "admitted";
      readonly tier: ReturnType<typeof classify>;
      /** Why a promotion would need a human, if it does. */
      readonly humanNeeded: readonly string[];
    }
  | { readonly kind: "refused"; readonly tier: ReturnType<typeof classify>; readonly problems: readonly string[] };

/** Decides whether a plan may be rehearsed at all; every objection is reported at once. */
export function admit(plan: Plan, operator: { readonly mayChange: readonly string[] }): Admission {
  const tier = classify(plan);
  const problems = [
    ...(tier.effective === 4
      ? ["tier 4 is never replayed by an unattended agent; a human executes what it prepared"]
      : []),
    ...plan.actions.flatMap((action) => objections(action, operator.mayChange)),
    ...waysOut(plan, tier.effective),
  ];
  if (problems.length > 0) return { kind: "refused", tier, problems };
  const confidenceMin = CONFIDENCE_MIN_BY_TIER[tier.effective];
  const humanNeeded =
    plan.confidence < confidenceMin
      ? [`the agent's confidence ${plan.confidence} is below ${confidenceMin}, the threshold of tier ${tier.effective}`]
      : [];
  return { kind: "admitted", tier, humanNeeded };
}

/** A production write is rolled back at once, whoever stops it: half a change is a state that nobody tested. */
function waysOut(plan: Plan, tier: Tier): readonly string[] {
  if (tier < 3) return [];
  return (["onFailure", "onAbort"] as const).flatMap((way) =>
    plan[way] === "stop"
      ? [`${way} is \`stop\`, but a plan of tier ${tier} must be rolled back when it does not end well`]
      : [],
  );
}

function objections(action: Plan["actions"][number], mayChange: readonly string[]): readonly string[] {
  if (!writes(action.step)) return [];
  const secrets = fieldsWithSecrets(action.step).map(
    (field) => `action ${action.id} has what looks like a secret in its ${field}`,
  );
  const outside = action.changes.filter((declared) => !mayChange.some((allowed) => covers(allowed, declared)));
  return [
    ...secrets,
    ...missingUndo(action),
    ...(action.requires.length === 0 ? [`action ${action.id} writes but declares no scope in \`requires\``] : []),
    ...(action.changes.length === 0 && !needsNoUndo(action.step)
      ? [`action ${action.id} writes but declares no effect in \`changes\``]
      : []),
    ...outside.map(
      (path) => `action ${action.id} declares ${path}, which this scenario's operator does not let plans change`,
    ),
  ];
}

/** An undo may be missing where the harness reads it from the state before, or where there is nothing to put back. */
function missingUndo({ id, step, rollback }: Plan["actions"][number]): readonly string[] {
  if (rollback !== undefined || needsNoUndo(step)) return [];
  const why = undoUnderivable(step);
  return why === undefined
    ? []
    : [`action ${id} writes but has no rollback, and none can be read from the state: ${why}`];
}
