import { decidePromotion } from "../decide-promotion.ts";
import type { ApprovalEvidence, PromotionEvidence, VerdictEvidence } from "../evidence.ts";
import type { GateReason } from "../gate-reason.ts";
import type { PromotionRequest } from "../promotion-request.ts";
import { neededApprovals } from "../tier-checks.ts";

/** Where a plan stands: what people can do about it, and what they cannot. */
export interface Standing {
  readonly kind: "nothing-to-approve" | "blocked" | "waiting" | "ready";
  /** What stays in the way however many people approve. */
  readonly blockers: readonly GateReason[];
  /** Whether one of them will last: an approval names its verdict, and this one will never be admitted. */
  readonly isFinal: boolean;
  readonly needed: { readonly k: number; readonly strong: number };
  /** People who are missing still, and how many of these have to be strongly authenticated. */
  readonly missing: { readonly people: number; readonly strong: number };
}

const FINAL: ReadonlySet<GateReason["code"]> = new Set([
  "VERDICT_NOT_PROMOTE",
  "VERDICT_EXPIRED",
  "VERDICT_USED",
  "REVOKED",
  "TIER_FOR_HUMANS_ONLY",
  "ROLLBACK_NOT_PROVEN",
  "SNAPSHOT_NOT_VERIFIED",
]);

/** As many people as any policy asks for, each strongly authenticated: to ask what would be in the way beside approvals. */
export const EVERYBODY: ApprovalEvidence = {
  people: Array.from({ length: 100 }, (_, index) => ({ name: `person ${index}`, strong: true })),
  refused: [],
};

/**
 * Where a plan stands now.
 * @param evidence.supposed - the same evidence, but for policy: what it answers if everybody had approved
 */
export function standingOf(
  request: PromotionRequest,
  verdict: VerdictEvidence | undefined,
  evidence: { readonly now: PromotionEvidence; readonly supposed: PromotionEvidence },
  atEpochMs: number,
): Standing {
  const decision = decidePromotion(request, { ...evidence.supposed, approvals: EVERYBODY }, atEpochMs);
  // Who looks shows no change; that is no reason against the plan.
  const blockers = decision.kind === "admit" ? [] : decision.reasons.filter(({ code }) => code !== "CHANGE_NOT_SHOWN");
  const needed =
    verdict === undefined ? { k: 0, strong: 0 } : neededApprovals(verdict.statement.predicate, evidence.now.policy);
  const { people } = evidence.now.approvals;
  const strong = Math.max(0, needed.strong - people.filter((one) => one.strong).length);
  const missing = { people: Math.max(strong, needed.k - people.length), strong };
  const kind =
    verdict === undefined
      ? "nothing-to-approve"
      : blockers.length > 0
        ? "blocked"
        : missing.people > 0
          ? "waiting"
          : "ready";
  return { kind, blockers, isFinal: blockers.some(({ code }) => FINAL.has(code)), needed, missing };
}
