import type { KeyObject } from "node:crypto";
import type { Keyring } from "../attest/keyring.ts";
import type { VerdictStatement } from "../attest/statement.ts";
import type { Clock } from "../core/clock.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Plan } from "../plan/plan.ts";
import type { PastPlan } from "../policy/engine/question.ts";
import type { Passkey } from "./approvals-page/passkeys.ts";
import type { ApprovalEvidence, GuardedEnvironment, PolicyEvidence } from "./evidence.ts";
import type { SignOnTrust } from "./single-sign-on/sign-on-terms.ts";

/** What policy is asked at the gate. */
export interface PolicyAsked {
  readonly plan: Plan;
  readonly environment: GuardedEnvironment;
  /** The verdict that the decision would rest on. */
  readonly statement?: VerdictStatement;
  readonly approvals: ApprovalEvidence;
  readonly atEpochMs: number;
  /** What was admitted in this environment lately. */
  readonly past: readonly PastPlan[];
}

/** Asks the policy engine. Never throws: no answer is an `error`, which refuses. */
export type AskPolicy = (asked: PolicyAsked) => Promise<PolicyEvidence>;

/** Everything that a gate works with; `cli` wires the real ones. */
export interface GateContext {
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** Asked anew for every decision, so that a key that is revoked is so at once. */
  readonly keyring: () => Keyring;
  /** Passkeys whose approvals count; none where there is no page. */
  readonly passkeys: () => readonly Passkey[];
  /** Of the approvals page, the only one that passkeys answer to; absent where there is none. */
  readonly pageOrigin?: string | undefined;
  /** By what approvals by single sign-on count; absent: by nothing. */
  readonly signOn?: SignOnTrust | undefined;
  readonly environments: readonly GuardedEnvironment[];
  readonly askPolicy: AskPolicy;
  /** Resolves when policy would answer now. @throws Error why it would not */
  readonly expectPolicy: () => Promise<void>;
  /** Makes single-use tokens, the same for the same decision, and the challenges that passkeys sign; shared by all gates of one ledger. */
  readonly tokenSecret: KeyObject;
  readonly tokenValidForMs: number;
}
