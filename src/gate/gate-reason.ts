/** Closed list of what a gate answers with; docs/gate.md says of each what to do. Order is the order in which they are told. */
export const GATE_REASON_CODES = [
  // nothing passes
  "EVIDENCE_UNAVAILABLE",
  "KILL_SWITCH_ENGAGED",
  "CLOCK_UNSOUND",
  // the request
  "ENVIRONMENT_UNKNOWN",
  "CALLER_NOT_ALLOWED",
  "PLAN_NOT_NAMED",
  "PLAN_UNKNOWN",
  "PLAN_UNSIGNED",
  "PLAN_OF_ANOTHER_ENVIRONMENT",
  "REVOKED",
  // the verdict
  "VERDICT_MISSING",
  "VERDICT_SIGNER_NOT_TRUSTED",
  "VERDICT_OF_ANOTHER_PLAN",
  "VERDICT_OF_ANOTHER_ENVIRONMENT",
  "VERDICT_NOT_NEWEST",
  "VERDICT_NOT_PROMOTE",
  "VERDICT_NOT_YET_VALID",
  "VERDICT_EXPIRED",
  "VERDICT_USED",
  "MIRROR_NOT_ACCEPTED",
  "SCENARIO_NOT_ACCEPTED",
  "POLICY_NOT_ACCEPTED",
  // what the tier asks for
  "TIER_FOR_HUMANS_ONLY",
  "ROLLBACK_NOT_PROVEN",
  "SNAPSHOT_NOT_VERIFIED",
  "APPROVALS_MISSING",
  "DRILL_STALE",
  "POLICY_REFUSED",
  "POLICY_ERROR",
  // the change itself
  "CHANGE_NOT_SHOWN",
  "CHANGE_OUTSIDE_PLAN",
  "CHANGE_VALUE_DIFFERS",
] as const;
export type GateReasonCode = (typeof GATE_REASON_CODES)[number];

/** Why a promotion is refused, in a sentence with what was compared, and what a person can do about it. */
export interface GateReason {
  readonly code: GateReasonCode;
  readonly message: string;
  readonly remedy: string;
}

/** Reasons in the order of the list above, so that the same refusal always reads the same. */
export function inOrder(reasons: readonly GateReason[]): readonly GateReason[] {
  const rank = ({ code }: GateReason): number => GATE_REASON_CODES.indexOf(code);
  return [...reasons].sort((one, other) => rank(one) - rank(other));
}
