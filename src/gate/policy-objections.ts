import type { PromotionEvidence } from "./evidence.ts";
import type { GateReason, GateReasonCode } from "./gate-reason.ts";
import type { PromotionRequest } from "./promotion-request.ts";

const NOTHING_SHOWN: readonly GateReasonCode[] = [
  "VERDICT_MISSING",
  "VERDICT_OF_ANOTHER_PLAN",
  "VERDICT_OF_ANOTHER_ENVIRONMENT",
];
const NO_PROMOTION: readonly GateReasonCode[] = [...NOTHING_SHOWN, "VERDICT_NOT_PROMOTE"];

/**
 * Rules of the policy that ships which ask for what the gate looks at itself, by the same facts: what is missing there is the cause, and
 * that policy refuses follows from it. Without a promotion no dry run was shown, and without a verdict no way back either.
 */
const CAUSES_BY_RULE: ReadonlyMap<string, readonly GateReasonCode[]> = new Map([
  ["never-unattended", ["TIER_FOR_HUMANS_ONLY"]],
  ["verdict-missing", NO_PROMOTION],
  ["dry-run-missing", NO_PROMOTION],
  ["rollback-not-proven", ["ROLLBACK_NOT_PROVEN", ...NOTHING_SHOWN]],
  ["snapshot-not-verified", ["SNAPSHOT_NOT_VERIFIED", ...NOTHING_SHOWN]],
  ["approvals-missing", ["APPROVALS_MISSING"]],
  ["strong-approvals-missing", ["APPROVALS_MISSING"]],
]);

/**
 * The gate's own reasons and those of policy, each once: a rule whose cause is among the gate's own is named with it, and every
 * other is a reason of its own (`POLICY_REFUSED`). Nothing is left out but for a reason that stays, so what was refused stays refused.
 */
export function withPolicy(
  own: readonly GateReason[],
  { policy, plan, environment }: Pick<PromotionEvidence, "policy" | "plan" | "environment">,
  request: PromotionRequest,
): readonly GateReason[] {
  if (policy.kind !== "answer") {
    const hadNothingToAsk = request.plan === undefined || plan.kind === "unknown" || environment === undefined;
    if (policy.kind === "not-asked" && hadNothingToAsk) return own;
    const why = policy.kind === "error" ? policy.why : "it was not asked";
    const remedy = "Ask again; if it lasts, look at the policy engine.";
    return [...own, { code: "POLICY_ERROR", message: `policy gave no answer: ${why}`, remedy }];
  }
  if (policy.allow) return own;
  if (policy.reasons.length === 0) {
    const remedy = "canary policy explain <plan>";
    return [...own, { code: "POLICY_REFUSED", message: "policy does not allow it", remedy }];
  }
  const causeOf = (rule: string): GateReason | undefined =>
    (CAUSES_BY_RULE.get(rule) ?? []).flatMap((cause) => own.find(({ code }) => code === cause) ?? [])[0];
  const others = policy.reasons.filter(({ rule }) => causeOf(rule) === undefined);
  return [
    ...own.map((reason) => {
      const rules = policy.reasons.flatMap(({ rule }) => (causeOf(rule) === reason ? [rule] : []));
      return rules.length === 0 ? reason : { ...reason, message: `${reason.message} (rule ${rules.join(", ")})` };
    }),
    ...others.map(({ rule, message, remedy }): GateReason => {
      return { code: "POLICY_REFUSED", message: `${message} (rule ${rule})`, remedy };
    }),
  ];
}
