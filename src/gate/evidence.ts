import type { Approval } from "../attest/approval-statement.ts";
import type { VerdictStatement } from "../attest/statement.ts";
import type { Plan } from "../plan/plan.ts";
import type { PolicyReason } from "../policy/engine/question.ts";
import type { EnvironmentClass } from "../policy/tier-table.ts";

/** Whether a signature is by a key that is trusted for this, now. */
export type Signer =
  | { readonly kind: "trusted"; readonly keyId: string }
  | { readonly kind: "untrusted"; readonly why: string };

/** An environment that this gate guards, as its operator wrote it. */
export interface GuardedEnvironment {
  readonly id: string;
  readonly class: EnvironmentClass;
  /** SHA-256 of the mirrors, scenarios and policies that a verdict may rest on. Empty lists accept nothing. */
  readonly mirrors: readonly string[];
  readonly scenarios: readonly string[];
  readonly policies: readonly string[];
  /** From which tier on a drill must be fresh, and what fresh is. */
  readonly drills: { readonly fromTier: number; readonly maxAgeMs: number };
  /** Whether a request has to show the change itself, and not only name the plan. */
  readonly changeMustBeShown: boolean;
}

/** The plan's document, whose bytes have the digest that was asked for. */
export type PlanEvidence =
  | { readonly kind: "unknown"; readonly why: string }
  | {
      readonly kind: "plan";
      readonly plan: Plan;
      readonly signer: Signer;
      /** Identity whose key signed it. */
      readonly signedBy?: string;
      /** Who wrote the runbook that it names; absent where it names none. */
      readonly runbookAuthor?: string;
    };

/** An admission under a verdict. */
export interface AdmittedPart {
  readonly decisionId: string;
  readonly key: string;
  readonly part?: string;
  /** Until when this answer is given again to who asks again: as long as its token could be used. */
  readonly untilEpochMs: number;
}

/** The promotion that a verdict has admitted already. */
export interface VerdictUse {
  /** The series whose parts it is open for, and until when; absent: it is over with its first part. */
  readonly open?: { readonly series: string; readonly untilEpochMs: number; readonly isShown: boolean };
  readonly parts: readonly [AdmittedPart, ...AdmittedPart[]];
}

/** A verdict that was brought in; its signature fits its bytes. */
export interface VerdictEvidence {
  /** SHA-256 of the bundle's bytes. */
  readonly digest: string;
  readonly statement: VerdictStatement;
  readonly signer: Signer;
  readonly usedBy?: VerdictUse;
}

/** A drill of the same scenario and environment; `clean` means that every rollback restored the twin. */
export interface DrillEvidence {
  readonly digest: string;
  readonly scenarioSha256: string;
  readonly environment: string;
  readonly clean: boolean;
  readonly startedEpochMs: number;
  readonly signer: Signer;
}

/** Approvals that count: of distinct people, none the author, in force now, over these plan bytes and this environment. */
export interface ApprovalEvidence {
  readonly people: readonly {
    readonly name: string;
    readonly strong: boolean;
    /** What they gave, for people who look. */
    readonly approval?: Approval;
  }[];
  /** Why others do not count, for people. */
  readonly refused: readonly string[];
}

/** What policy answers, and what it asks for beside a yes. */
export type PolicyEvidence =
  | {
      readonly kind: "answer";
      readonly allow: boolean;
      /** How many people must approve, and how many of them by a key of their own. */
      readonly approvals: { readonly k: number; readonly strong: number };
      /** How long after a rehearsal its verdict may be relied on. */
      readonly verdictValidForMs: number;
      /** SHA-256 of the policy that answered. */
      readonly policy: string;
      readonly reasons: readonly PolicyReason[];
    }
  | { readonly kind: "error"; readonly why: string }
  /** There was nothing to ask about: no plan, or no environment, for which other checks refuse. */
  | { readonly kind: "not-asked" };

/** All that a decision rests on, read from the stores for one request. */
export interface PromotionEvidence {
  readonly killSwitch:
    | { readonly kind: "released" }
    | { readonly kind: "engaged"; readonly by: string; readonly reason: string };
  /** Has passed for certain: by the ledger's newest entry, and by what this gate's clock ever showed. A gate whose clock is behind it can not tell what has expired. */
  readonly passedEpochMs: number;
  /** Entries that the ledger had before anything else was read: what came later may not have been seen. */
  readonly ledgerSize: number;
  readonly environment?: GuardedEnvironment;
  readonly plan: PlanEvidence;
  /** Every verdict that was ever brought in about this plan. */
  readonly verdicts: readonly VerdictEvidence[];
  /** Digests of plans and verdicts that somebody has taken back, with why. */
  readonly revoked: readonly { readonly digest: string; readonly reason: string }[];
  readonly approvals: ApprovalEvidence;
  readonly drills: readonly DrillEvidence[];
  readonly policy: PolicyEvidence;
}
