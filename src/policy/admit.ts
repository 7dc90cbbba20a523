import type { Plan } from "../plan/plan.ts";
import { type ActionAssessment, assessPlan, assessWaysOut, type Operator } from "./assess-plan.ts";
import { type ClassifiedTier, classify } from "./classify.ts";
import type { LoadedPolicy } from "./engine/load-policy.ts";
import { factsOf } from "./engine/plan-facts.ts";
import { floorsOf } from "./engine/policy-data.ts";
import type { PlanFacts, PolicyDecision } from "./engine/question.ts";
import { tagsOf } from "./engine/tags.ts";
import { objections, waysOutObjections } from "./objections.ts";
import type { SqlParser } from "./sql/parse-sql.ts";

/** What policy says before anything is raised. */
export type Admission = {
  readonly tier: ClassifiedTier;
  /** Every action with what decided its tier, in the plan's order. */
  readonly actions: readonly ActionAssessment[];
  /** What the policy in use said, with what it demands of a promotion. */
  readonly decision: PolicyDecision;
} & (
  | {
      readonly kind: "admitted";
      /** Why a promotion would need a human, if it does. */
      readonly humanNeeded: readonly string[];
    }
  | { readonly kind: "refused"; readonly problems: readonly string[] }
);

/** What admission asks: PostgreSQL's grammar for the words, a policy for what follows from them. */
export interface Asking {
  readonly parse: SqlParser;
  readonly policy: LoadedPolicy;
}

/** A plan as its words show it. */
export interface PlanReading {
  readonly tier: ClassifiedTier;
  readonly actions: readonly ActionAssessment[];
  readonly facts: PlanFacts;
  /** Why its words alone forbid a rehearsal, whatever the policy. */
  readonly objections: readonly string[];
}

/** Reads a plan: what each action does, the tier that follows, and what policy is asked about. The gate reads it in the same way. */
export function readPlan(plan: Plan, operator: Operator, { parse, policy }: Asking): PlanReading {
  const reader = { parse, floors: floorsOf(policy.data) };
  const actions = assessPlan(plan, operator, reader);
  const waysOut = assessWaysOut(plan, operator, reader);
  const tier = classify(plan.tier, actions, waysOut, tagsOf(plan.actions, policy.data.tags));
  return {
    tier,
    actions,
    facts: factsOf(plan, { tier, actions, waysOut }),
    objections: [
      ...waysOutObjections(waysOut),
      ...(operator.otherObjections ?? []),
      ...plan.actions.flatMap((action, index) => {
        const assessment = actions[index];
        return assessment === undefined ? [] : objections(action, assessment, operator);
      }),
    ],
  };
}

/** Decides whether a plan may be rehearsed at all; every objection is reported at once. */
export async function admit(plan: Plan, operator: Operator, asking: Asking): Promise<Admission> {
  const { tier, actions, facts, objections } = readPlan(plan, operator, asking);
  const decision = await asking.policy.engine.decide({
    stage: "admit",
    plan: facts,
    environment: { id: plan.target.environment, class: operator.environment?.class ?? "production" },
    ...(operator.policy === undefined ? {} : { withoutDryRun: operator.policy.withoutDryRun }),
  });
  const read = { tier, actions, decision };
  if (decision.allow && objections.length === 0)
    return { ...read, kind: "admitted", humanNeeded: decision.obligations.escalations.map(({ why }) => why) };
  return { ...read, kind: "refused", problems: [...policyProblems(decision, objections, facts), ...objections] };
}

/** Tier 4 of steps that are refused for reasons of their own needs no second one. */
function policyProblems(
  { allow, reasons }: PolicyDecision,
  objections: readonly string[],
  { actions, waysOut, tier }: PlanFacts,
): readonly string[] {
  if (allow) return [];
  const explained =
    objections.length > 0 &&
    tier.declared < 4 &&
    [...actions, waysOut].every(({ destructive }) => destructive.length === 0);
  return reasons
    .filter(({ rule }) => !(explained && rule === "never-unattended"))
    .map(({ message, rule, remedy }) => `${message} (rule ${rule}: ${remedy})`);
}
