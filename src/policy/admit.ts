import type { Plan } from "../plan/plan.ts";
import { type ActionAssessment, assessPlan, assessWaysOut, type Operator } from "./assess-plan.ts";
import { type ClassifiedTier, classify } from "./classify.ts";
import { objections, waysOutObjections } from "./objections.ts";
import type { SqlParser } from "./sql/parse-sql.ts";
import type { Tier } from "./tier-table.ts";

/** Below these a plan may be rehearsed, but not promoted without a human (DESIGN.md 3.1). */
export const CONFIDENCE_MIN_BY_TIER: Readonly<Record<Tier, number>> = { 0: 0, 1: 0, 2: 0.7, 3: 0.8, 4: 1 };

/** What policy says before anything is raised. */
export type Admission = {
  readonly tier: ClassifiedTier;
  /** Every action with what decided its tier, in the plan's order. */
  readonly actions: readonly ActionAssessment[];
} & (
  | {
      readonly kind: "admitted";
      /** Why a promotion would need a human, if it does. */
      readonly humanNeeded: readonly string[];
    }
  | { readonly kind: "refused"; readonly problems: readonly string[] }
);

/** Decides whether a plan may be rehearsed at all; every objection is reported at once. */
export function admit(plan: Plan, operator: Operator, parse: SqlParser): Admission {
  const actions = assessPlan(plan, operator, parse);
  const out = assessWaysOut(plan, operator, parse);
  const tier = classify(plan.tier, actions, out);
  const problems = [
    ...(tier.declared === 4
      ? ["tier 4 is never replayed by an unattended agent; a human executes what it prepared"]
      : []),
    ...waysOut(plan, tier.effective),
    ...waysOutObjections(out),
    ...(operator.otherObjections ?? []),
    ...plan.actions.flatMap((action, index) => {
      const assessment = actions[index];
      return assessment === undefined ? [] : objections(action, assessment, operator);
    }),
  ];
  if (problems.length > 0) return { kind: "refused", tier, actions, problems };
  const confidenceMin = CONFIDENCE_MIN_BY_TIER[tier.effective];
  const humanNeeded =
    plan.confidence < confidenceMin
      ? [`the agent's confidence ${plan.confidence} is below ${confidenceMin}, the threshold of tier ${tier.effective}`]
      : [];
  return { kind: "admitted", tier, actions, humanNeeded };
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
