import { messageOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { PolicyData } from "./policy-data.ts";
import {
  ENGINE_RULES,
  type Obligations,
  type PolicyDecision,
  type PolicyEngine,
  type PolicyIdentity,
  type PolicyQuestion,
  type PolicyReason,
} from "./question.ts";
import { ruleRequest } from "./rule-context.ts";
import type { RuleEvaluator } from "./rule-evaluator.ts";

/** Where nobody knows what is needed, everything is. */
const EVERYTHING: Obligations = {
  approvals: { k: 20, strong: 20 },
  verdict: true,
  dryRun: true,
  rollback: true,
  snapshot: true,
  window: true,
  verdictValidForMs: 0,
  monitoring: [],
  escalations: [],
};

/**
 * One policy behind one question. Fails closed: an exception, an answer that came too late, rules that say nothing: each
 * is a refusal with a reason of its own (`ENGINE_RULES`), never an error and never a permission.
 * @param monotonicMs - the caller's clock, to see whether an answer came in time
 */
export function policyEngine(options: {
  readonly data: PolicyData;
  readonly rules: RuleEvaluator;
  readonly policy: PolicyIdentity;
  readonly monotonicMs: () => number;
}): PolicyEngine {
  return {
    policy: options.policy,
    decide: async (question) => {
      try {
        return await evaluated(question, options);
      } catch (error) {
        const late = error instanceof Error && error.name === "TimeoutError";
        return refused(options.policy, late ? "POLICY_TIMEOUT" : "POLICY_ERROR", messageOf(error));
      }
    },
  };
}

async function evaluated(
  question: PolicyQuestion,
  { data, rules, policy, monotonicMs }: Parameters<typeof policyEngine>[0],
): Promise<PolicyDecision> {
  if (question.stage === "gate" && question.past.length > LIMITS.pastPlansMax)
    throw new RangeError(`more than ${LIMITS.pastPlansMax} earlier plans to look at`);
  const { request, demands } = ruleRequest(question, data);
  const startedMs = monotonicMs();
  const answer = await rules.evaluate(request);
  const tookMs = monotonicMs() - startedMs;
  if (tookMs > rules.withinMs) return refused(policy, "POLICY_TIMEOUT", `they took ${Math.round(tookMs)} ms`);
  const { obligations } = demands;
  if (answer.allow) return { allow: true, reasons: [], decidedBy: answer.permittedBy, obligations, policy };
  const reasons = answer.refusals.length > 0 ? answer.refusals : [reasonOf("POLICY_SILENT", "nothing was said")];
  return { allow: false, reasons, decidedBy: reasons.map(({ rule }) => rule), obligations, policy };
}

function refused(policy: PolicyIdentity, rule: keyof typeof ENGINE_RULES, why: string): PolicyDecision {
  return { allow: false, reasons: [reasonOf(rule, why)], decidedBy: [rule], obligations: EVERYTHING, policy };
}

function reasonOf(rule: keyof typeof ENGINE_RULES, why: string): PolicyReason {
  const remedy =
    rule === "POLICY_SILENT" ? "add a rule that permits it" : "mend the policy or its engine; meanwhile nothing passes";
  return { rule, message: `${ENGINE_RULES[rule]}: ${why}`, remedy };
}
