import { anyMatches } from "../plan/resource-pattern.ts";
import { changeBeyondPlan, unshownChange } from "./change-checks.ts";
import type { PromotionEvidence, VerdictEvidence } from "./evidence.ts";
import { type GateReason, inOrder } from "./gate-reason.ts";
import { withPolicy } from "./policy-objections.ts";
import type { PromotionRequest } from "./promotion-request.ts";
import { approvalObjections, drillObjections, tierObjections } from "./tier-checks.ts";
import {
  CLOCK_SKEW_MS_MAX,
  foundationObjections,
  missingVerdict,
  newestVerdict,
  verdictObjections,
  wasShown,
} from "./verdict-checks.ts";

/** The gate's answer. `admit` names the verdict that it uses up; a refusal names everything that stands against it at once. */
export type Decision =
  | { readonly kind: "admit"; readonly verdict: VerdictEvidence }
  | { readonly kind: "refuse"; readonly reasons: readonly [GateReason, ...GateReason[]] };

/**
 * Whether a promotion may happen now. Pure: the same request, evidence and time always give the same answer, and there is no
 * way to an `admit` but that not one check objects. What is unknown, missing or not a number objects.
 */
export function decidePromotion(request: PromotionRequest, evidence: PromotionEvidence, atEpochMs: number): Decision {
  const verdict = newestVerdict(request, evidence);
  const own = [
    ...generalObjections(request, evidence, atEpochMs),
    ...planObjections(request, evidence, verdict?.statement.predicate.effects.declared.paths ?? []),
    ...(verdict !== undefined && wasShown(verdict, request, atEpochMs)
      ? []
      : unshownChange(request, { changeMustBeShown: evidence.environment?.changeMustBeShown ?? true })),
    ...(verdict === undefined
      ? missingVerdict(request, evidence)
      : objectionsTo(verdict, request, evidence, atEpochMs)),
  ];
  const [first, ...others] = inOrder(withPolicy(own, evidence, request));
  if (first !== undefined) return { kind: "refuse", reasons: [first, ...others] };
  // Without a verdict `missingVerdict` has objected.
  return verdict === undefined
    ? { kind: "refuse", reasons: [unavailable("there is no verdict")] }
    : { kind: "admit", verdict };
}

/** The refusal of a request whose evidence could not be read, or not in time. */
export function refusedUnread(why: string): Decision {
  return { kind: "refuse", reasons: [unavailable(why)] };
}

function unavailable(why: string): GateReason {
  return {
    code: "EVIDENCE_UNAVAILABLE",
    message: `the gate cannot read what it needs to decide: ${why}`,
    remedy: "Ask again; if it lasts, look at the gate's log and its database.",
  };
}

function generalObjections(
  request: PromotionRequest,
  { killSwitch, passedEpochMs, environment }: PromotionEvidence,
  atEpochMs: number,
): readonly GateReason[] {
  const reasons: GateReason[] = [];
  if (killSwitch.kind === "engaged") {
    reasons.push({
      code: "KILL_SWITCH_ENGAGED",
      message: `${killSwitch.by} stopped all promotions: ${killSwitch.reason}`,
      remedy: "canary gate unkill, when the reason is gone.",
    });
  }
  // A clock that was set back would bring expired verdicts to life again.
  if (!(atEpochMs >= passedEpochMs - CLOCK_SKEW_MS_MAX)) {
    reasons.push({
      code: "CLOCK_UNSOUND",
      message: "the gate's clock is behind the newest entry of its ledger, or behind what it showed before",
      remedy: "Set the clock of the gate's machine; if it was ahead before and is right now, start the gate again.",
    });
  }
  if (environment === undefined || environment.id !== request.environment) {
    reasons.push({
      code: "ENVIRONMENT_UNKNOWN",
      message: `this gate does not guard ${request.environment}`,
      remedy: "Name an environment of the gate's configuration.",
    });
  }
  if (!anyMatches(request.caller.environments, request.environment)) {
    reasons.push({
      code: "CALLER_NOT_ALLOWED",
      message: `${request.caller.name} may not ask for ${request.environment}`,
      remedy: "Have the gate's operator add the environment to this caller.",
    });
  }
  return reasons;
}

function planObjections(
  request: PromotionRequest,
  { plan, revoked }: PromotionEvidence,
  observed: readonly string[],
): readonly GateReason[] {
  const publish = "Publish it with its verdict: `canary verdict publish`.";
  if (request.plan === undefined) {
    const remedy = "Name the plan's digest; for Kubernetes in the annotation, for others in `plan`.";
    return [{ code: "PLAN_NOT_NAMED", message: "the request names no plan", remedy }];
  }
  if (plan.kind === "unknown") return [{ code: "PLAN_UNKNOWN", message: plan.why, remedy: publish }];
  if (plan.plan.sha256 !== request.plan) {
    return [{ code: "PLAN_UNKNOWN", message: "the stored plan has another digest", remedy: publish }];
  }
  const reasons: GateReason[] = [];
  if (plan.signer.kind === "untrusted") {
    reasons.push({ code: "PLAN_UNSIGNED", message: plan.signer.why, remedy: "Sign the plan with its agent's key." });
  }
  if (plan.plan.target.environment !== request.environment) {
    reasons.push({
      code: "PLAN_OF_ANOTHER_ENVIRONMENT",
      message: `the plan is for ${plan.plan.target.environment}`,
      remedy: "Ask for the environment that the plan names.",
    });
  }
  const taken = revoked.filter(({ digest }) => digest === request.plan);
  return [
    ...reasons,
    ...taken.map(({ reason }) => takenBack("plan", reason)),
    ...changeBeyondPlan(request, plan.plan, observed),
  ];
}

function objectionsTo(
  verdict: VerdictEvidence,
  request: PromotionRequest,
  evidence: PromotionEvidence,
  atEpochMs: number,
): readonly GateReason[] {
  const { predicate } = verdict.statement;
  // Without an answer of policy the refusal has another reason already; the verdict's own time holds.
  const validForMs = evidence.policy.kind === "answer" ? evidence.policy.verdictValidForMs : Number.POSITIVE_INFINITY;
  const taken = evidence.revoked.filter(({ digest }) => digest === verdict.digest);
  return [
    ...verdictObjections(request, verdict, { atEpochMs, validForMs }),
    ...(evidence.environment === undefined ? [] : foundationObjections(verdict.statement, evidence.environment)),
    ...tierObjections(predicate),
    ...approvalObjections(predicate, evidence),
    ...drillObjections(predicate, evidence, atEpochMs),
    ...taken.map(({ reason }) => takenBack("verdict", reason)),
  ];
}

function takenBack(what: string, reason: string): GateReason {
  return { code: "REVOKED", message: `the ${what} was taken back: ${reason}`, remedy: "Make a new one." };
}
