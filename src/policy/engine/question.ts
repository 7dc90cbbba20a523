import type { Plan } from "../../plan/plan.ts";
import type { ClassifiedTier } from "../classify.ts";
import type { Deed, EnvironmentClass, Tier } from "../tier-table.ts";
import type { MONITORING } from "./policy-data.ts";

// Contract: what policy is asked, by `admit` and by the gate, and what it answers.

/** What policy looks at in one action: its step and, where the plan gives one, its undo. */
export interface ActionFacts {
  readonly id: string;
  /** Kinds of steps and what they do (`Deed`): of the action itself first. */
  readonly uses: readonly string[];
  readonly deeds: readonly Deed[];
  readonly tier: Tier;
  /** What destroys, in words; what is refused for a reason of its own is not among it. */
  readonly destructive: readonly string[];
  /** Why it can not be tried first; absent where it can, or need not be. */
  readonly untried?: string;
  readonly what: string;
  readonly why: string;
  readonly requires: readonly string[];
  readonly changes: readonly string[];
  /** Hosts that its words name: of proposals, and of addresses among a program's arguments. */
  readonly hosts: readonly string[];
}

/** What policy looks at in a plan; made by `factsOf`. */
export interface PlanFacts extends Pick<Plan, "name" | "sha256" | "confidence" | "intent" | "agent"> {
  readonly namespace?: string;
  readonly tier: ClassifiedTier;
  readonly evidence: readonly string[];
  readonly actions: readonly ActionFacts[];
  /** What the plan's own ways out of a failure or an abort do. */
  readonly waysOut: Pick<ActionFacts, "uses" | "deeds" | "destructive" | "hosts">;
  /** Those of them that leave things as they are. */
  readonly stops: readonly ("onFailure" | "onAbort")[];
}

/** An earlier promotion or refusal, as the ledger has it; what the supervisor's rules are asked over. */
export interface PastPlan {
  readonly atEpochMs: number;
  readonly planSha256: string;
  readonly agent: string;
  readonly environment: string;
  readonly tier: Tier;
  readonly changes: readonly string[];
  readonly confidence: number;
  /** `promoted` as long as nobody knows how it ended. */
  readonly outcome: "promoted" | "done" | "failed" | "refused";
}

interface Asked {
  readonly plan: PlanFacts;
  readonly environment: { readonly id: string; readonly class: EnvironmentClass };
  /** A scenario's operator who demands more than policy: no tier-3 action without a dry run. */
  readonly withoutDryRun?: "tell" | "refuse";
}

/** May it be rehearsed: before anything is raised. */
export interface AdmitQuestion extends Asked {
  readonly stage: "admit";
}

/** May it be promoted now: with everything that was shown, and by how many it was approved. */
export interface GateQuestion extends Asked {
  readonly stage: "gate";
  readonly atEpochMs: number;
  /** `none` where no verdict was shown. */
  readonly verdict: { readonly kind: "promote" | "hold" | "reject" | "none"; readonly reasons: readonly string[] };
  readonly shown: { readonly dryRun: boolean; readonly rollback: boolean; readonly snapshot: boolean };
  /** Valid ones by different people, none of them the author: whoever verifies signatures has counted them. */
  readonly approvals: { readonly count: number; readonly strong: number };
  /** Of this environment, at least as far back as the longest of the policy's spans; without this plan's own question. */
  readonly past: readonly PastPlan[];
}

export type PolicyQuestion = AdmitQuestion | GateQuestion;

/** One rule that refused. */
export interface PolicyReason {
  /** Id of the rule, or one of `ENGINE_RULES` when there was no answer. */
  readonly rule: string;
  readonly message: string;
  readonly remedy: string;
}

/** A human must look, whatever the rules say. */
export interface Escalation {
  readonly about: "confidence" | "evidence" | "supervisor";
  /** Who is asked. */
  readonly queue: string;
  readonly why: string;
}

/** What a promotion must bring along and what must run meanwhile. */
export interface Obligations {
  readonly approvals: { readonly k: number; readonly strong: number };
  readonly verdict: boolean;
  readonly dryRun: boolean;
  readonly rollback: boolean;
  readonly snapshot: boolean;
  readonly window: boolean;
  readonly verdictValidForMs: number;
  readonly monitoring: readonly (typeof MONITORING)[number][];
  readonly escalations: readonly Escalation[];
  /** Pattern that stands in for the approvals of the tier. */
  readonly preauthorisedBy?: string;
}

/** The policy that answered. `sha256` is `policyDigest` of its files. */
export interface PolicyIdentity {
  readonly name: string;
  readonly engine: "cedar" | "opa";
  readonly sha256: string;
}

export interface PolicyDecision {
  readonly allow: boolean;
  /** Empty where it allows. */
  readonly reasons: readonly PolicyReason[];
  /** Ids of the rules that permitted, or that refused. */
  readonly decidedBy: readonly string[];
  readonly obligations: Obligations;
  readonly policy: PolicyIdentity;
}

/** Asked at admit and again at the gate. An engine that has no answer refuses; it never throws. */
export interface PolicyEngine {
  readonly policy: PolicyIdentity;
  decide(question: PolicyQuestion): Promise<PolicyDecision>;
}

/** Rules of the engine itself, for when its rules gave no answer: each refuses. */
export const ENGINE_RULES = {
  POLICY_ERROR: "the rules could not be evaluated",
  POLICY_TIMEOUT: "the rules did not answer in time",
  POLICY_SILENT: "no rule permits it",
} as const;
