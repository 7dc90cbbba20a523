import type { Plan } from "../plan/plan.ts";
import { covers } from "../plan/resource-pattern.ts";
import { classify, type Tier, writes } from "./classify.ts";

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
  ];
  if (problems.length > 0) return { kind: "refused", tier, problems };
  const confidenceMin = CONFIDENCE_MIN_BY_TIER[tier.effective];
  const humanNeeded =
    plan.confidence < confidenceMin
      ? [`the agent's confidence ${plan.confidence} is below ${confidenceMin}, the threshold of tier ${tier.effective}`]
      : [];
  return { kind: "admitted", tier, humanNeeded };
}

function objections(action: Plan["actions"][number], mayChange: readonly string[]): readonly string[] {
  if (!writes(action.step)) return [];
  const outside = action.changes.filter((declared) => !mayChange.some((allowed) => covers(allowed, declared)));
  return [
    ...(action.rollback === undefined ? [`action ${action.id} writes but has no rollback`] : []),
    ...(action.requires.length === 0 ? [`action ${action.id} writes but declares no scope in \`requires\``] : []),
    ...(action.changes.length === 0 ? [`action ${action.id} writes but declares no effect in \`changes\``] : []),
    ...outside.map(
      (path) => `action ${action.id} declares ${path}, which this scenario's operator does not let plans change`,
    ),
  ];
}
