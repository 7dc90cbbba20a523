import type { AdmittedPart, GuardedEnvironment, PromotionEvidence, VerdictEvidence, VerdictUse } from "./evidence.ts";
import type { GateReason } from "./gate-reason.ts";
import type { PromotionRequest } from "./promotion-request.ts";

/** Clocks of two machines differ; a verdict may be this much younger than the gate's present. */
export const CLOCK_SKEW_MS_MAX = 60_000;

type Predicate = VerdictEvidence["statement"]["predicate"];

/**
 * The verdict that a decision rests on: the newest about this plan and this environment, whatever it says and whoever signed
 * it, so that a later doubt is never passed over for an older promotion. Of equally new ones the most cautious.
 */
export function newestVerdict(
  request: PromotionRequest,
  evidence: Pick<PromotionEvidence, "verdicts">,
): VerdictEvidence | undefined {
  return evidence.verdicts
    .filter(({ statement: { predicate } }) => isAbout(predicate, request))
    .reduce<VerdictEvidence | undefined>(
      (newest, one) => (newest === undefined || isMoreTelling(one, newest) ? one : newest),
      undefined,
    );
}

function isAbout({ planDigest, environment }: Predicate, request: PromotionRequest): boolean {
  return planDigest.sha256 === request.plan && environment.id === request.environment;
}

const CAUTION = { promote: 0, hold: 1, reject: 2 } as const;

function isMoreTelling(one: VerdictEvidence, other: VerdictEvidence): boolean {
  const [a, b] = [one.statement.predicate, other.statement.predicate];
  const laterMs = Date.parse(a.finishedAt) - Date.parse(b.finishedAt);
  if (laterMs !== 0) return laterMs > 0;
  if (a.verdict !== b.verdict) return CAUTION[a.verdict] > CAUTION[b.verdict];
  // Used ones first: two bundles of one run are one verdict.
  if ((one.usedBy === undefined) !== (other.usedBy === undefined)) return one.usedBy !== undefined;
  return one.digest < other.digest;
}

/** Why there is no verdict about this plan here; what there is instead is said, since it is what people mix up. */
export function missingVerdict(
  request: PromotionRequest,
  evidence: Pick<PromotionEvidence, "verdicts">,
): readonly GateReason[] {
  const rehearse =
    "Rehearse the plan for this environment (`canary run`) and publish its verdict (`canary verdict publish`).";
  const named = evidence.verdicts.find(({ digest }) => digest === request.verdict);
  const predicate = named?.statement.predicate;
  if (predicate !== undefined && predicate.planDigest.sha256 !== request.plan) {
    const message = `verdict ${request.verdict} is about plan ${predicate.planDigest.sha256}`;
    return [{ code: "VERDICT_OF_ANOTHER_PLAN", message, remedy: rehearse }];
  }
  const elsewhere = evidence.verdicts.find(({ statement }) => statement.predicate.planDigest.sha256 === request.plan);
  if (elsewhere !== undefined) {
    const message = `the plan was rehearsed for ${elsewhere.statement.predicate.environment.id}, not for ${request.environment}`;
    return [{ code: "VERDICT_OF_ANOTHER_ENVIRONMENT", message, remedy: rehearse }];
  }
  return [{ code: "VERDICT_MISSING", message: "no verdict about this plan was published", remedy: rehearse }];
}

/** Whether the verdict itself may be relied on: signer, answer, time, and that it was not used before. */
export function verdictObjections(
  request: PromotionRequest,
  verdict: VerdictEvidence,
  terms: { readonly atEpochMs: number; readonly validForMs: number },
): readonly GateReason[] {
  const { predicate } = verdict.statement;
  const { atEpochMs } = terms;
  const reasons: GateReason[] = [];
  const object = (code: GateReason["code"], message: string, remedy: string): void =>
    void reasons.push({ code, message, remedy });
  if (verdict.signer.kind === "untrusted") {
    object("VERDICT_SIGNER_NOT_TRUSTED", verdict.signer.why, "Sign with a key that is trusted here for verdicts.");
  }
  if (request.verdict !== undefined && request.verdict !== verdict.digest) {
    object("VERDICT_NOT_NEWEST", `there is a newer verdict, ${verdict.digest}`, "Ask with the newest one.");
  }
  if (predicate.verdict !== "promote") {
    const [reason] = predicate.reasons;
    const because = reason === undefined ? "" : `: ${reason.code}, ${reason.message}`;
    object(
      "VERDICT_NOT_PROMOTE",
      `the newest verdict is ${predicate.verdict}${because}`,
      "Act on its reasons, then rehearse again.",
    );
  }
  // Written so that a time that is no number refuses.
  if (!(atEpochMs >= Date.parse(predicate.notBefore) - CLOCK_SKEW_MS_MAX)) {
    object(
      "VERDICT_NOT_YET_VALID",
      `it is not valid before ${predicate.notBefore}`,
      "Compare the clocks of both machines.",
    );
  }
  // Policy can only shorten what the verdict says itself.
  const untilEpochMs = Math.min(Date.parse(predicate.expiresAt), Date.parse(predicate.finishedAt) + terms.validForMs);
  if (!(atEpochMs < untilEpochMs)) {
    object("VERDICT_EXPIRED", `it expired, ${minutesSince(untilEpochMs, atEpochMs)} ago`, "Rehearse the plan again.");
  }
  if (verdict.usedBy !== undefined && !goesOn(verdict.usedBy, request, atEpochMs)) {
    const message = `it has admitted a promotion already, decision ${verdict.usedBy.parts[0].decisionId}`;
    object("VERDICT_USED", message, "Rehearse the plan again; a verdict admits one promotion.");
  }
  return reasons;
}

function minutesSince(untilEpochMs: number, atEpochMs: number): string {
  return `${Math.floor((atEpochMs - untilEpochMs) / 60_000)} minutes`;
}

/** The answer that this very request was given before, while it is still given: who asks later asks for another promotion. */
export function earlierAnswer(
  { parts }: VerdictUse,
  { key }: PromotionRequest,
  atEpochMs: number,
): AdmittedPart | undefined {
  return parts.find((part) => part.key === key && atEpochMs < part.untilEpochMs);
}

/** Whether the change need not be shown again: another part of the same promotion has shown it, or it was asked before. */
export function wasShown({ usedBy }: VerdictEvidence, request: PromotionRequest, atEpochMs: number): boolean {
  if (usedBy === undefined) return false;
  const isOfShown = usedBy.open?.isShown === true && goesOn(usedBy, request, atEpochMs);
  return isOfShown || earlierAnswer(usedBy, request, atEpochMs) !== undefined;
}

/** Whether a request belongs to the promotion that a verdict has admitted: asked again, or another part while it is open. */
function goesOn(use: VerdictUse, request: PromotionRequest, atEpochMs: number): boolean {
  if (earlierAnswer(use, request, atEpochMs) !== undefined) return true;
  const { step } = request;
  if (step === undefined || use.open === undefined || step.series !== use.open.series) return false;
  return atEpochMs < use.open.untilEpochMs && !use.parts.some(({ part }) => part === step.part);
}

/** Whether the verdict rests on what the operator of this environment accepts: class, mirror, scenario and policy. */
export function foundationObjections(
  { predicate }: VerdictEvidence["statement"],
  environment: GuardedEnvironment,
): readonly GateReason[] {
  const reasons: GateReason[] = [];
  if (predicate.environment.class !== environment.class) {
    reasons.push({
      code: "VERDICT_OF_ANOTHER_ENVIRONMENT",
      message: `it was rehearsed as ${predicate.environment.class}, and ${environment.id} is ${environment.class}`,
      remedy: "Correct the class in the scenario and rehearse again: tiers depend on it.",
    });
  }
  const accept = (
    code: GateReason["code"],
    what: string,
    digest: string | undefined,
    list: readonly string[],
  ): void => {
    if (digest !== undefined && list.includes(digest)) return;
    reasons.push({
      code,
      message: `it rests on ${what} ${digest ?? "(none named)"}, which is not accepted for ${environment.id}`,
      remedy: `Rehearse with an accepted ${what}, or have the gate's operator accept this one.`,
    });
  };
  accept("MIRROR_NOT_ACCEPTED", "mirror", predicate.mirror.sha256, environment.mirrors);
  accept("SCENARIO_NOT_ACCEPTED", "scenario", predicate.scenarioSha256, environment.scenarios);
  accept("POLICY_NOT_ACCEPTED", "policy", predicate.policy?.sha256, environment.policies);
  return reasons;
}
