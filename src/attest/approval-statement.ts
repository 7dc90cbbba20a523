import { z } from "zod";
import { sha256Hex } from "../core/sha256.ts";
import { readBundle } from "./bundle.ts";
import type { Keyring, TrustedKey } from "./keyring.ts";
import type { SigningKey } from "./keys.ts";
import {
  type DocumentRefusalCode,
  openDocument,
  readStatementAs,
  STATEMENT_TYPE,
  signDocument,
} from "./signed-document.ts";
import { CLOCK_SKEW_MS_MAX, Instant, Name, Sha256, statementAbout } from "./statement-words.ts";

/** Type of the statement by which a person says that a plan may be carried out in an environment. */
export const APPROVAL_PREDICATE_TYPE = "https://canary-harness.dev/attestation/approval/v1";
/** Type of the statement that takes one back. */
export const REVOCATION_PREDICATE_TYPE = "https://canary-harness.dev/attestation/approval-revocation/v1";

/** The longest that an approval may be relied on: a week. What was agreed to longer ago is looked at again. */
export const APPROVAL_MS_MAX = 7 * 24 * 3_600_000;

const Nonce = z.string().regex(/^[0-9a-f]{32}$/, "128 bits as lower-case hex");

const ApprovalSchema = statementAbout(
  APPROVAL_PREDICATE_TYPE,
  z
    .strictObject({
      environment: Name,
      /** The signed bytes of the verdict that was looked at; absent: the plan was approved whatever its verdict. */
      verdictSha256: Sha256.optional(),
      approvedAt: Instant,
      expiresAt: Instant,
      /** Tells two approvals of the same by the same person apart. */
      nonce: Nonce,
      comment: z.string().min(1).max(1000).optional(),
    })
    .refine(({ approvedAt, expiresAt }) => isLifetime(Date.parse(expiresAt) - Date.parse(approvedAt)), {
      path: ["expiresAt"],
      message: "must be later than approvedAt, by a week at most",
    }),
);

const RevocationSchema = statementAbout(
  REVOCATION_PREDICATE_TYPE,
  z.strictObject({ planSha256: Sha256, revokedAt: Instant, reason: z.string().min(1).max(400) }),
);

function isLifetime(ms: number): boolean {
  return ms > 0 && ms <= APPROVAL_MS_MAX;
}

/** What a person agreed to. */
export interface Approval {
  /** SHA-256 of the signed bytes: what a revocation names. */
  readonly id: string;
  /** Whose key signed it, by the verifier's own list. */
  readonly person: string;
  readonly keyId: string;
  readonly planSha256: string;
  readonly environment: string;
  readonly verdictSha256?: string;
  readonly approvedAtEpochMs: number;
  readonly expiresAtEpochMs: number;
  readonly nonce: string;
  readonly comment?: string;
  /** How the person showed who they are: with a key of their own, or at a page with a passkey or single sign-on. */
  readonly shownBy: "key" | "passkey" | "single-sign-on";
}

export type ApprovalRefusalCode = DocumentRefusalCode | "NOT_YET_VALID" | "EXPIRED";

export type VerifiedApproval =
  | { readonly kind: "approval"; readonly approval: Approval }
  | { readonly kind: "refused"; readonly code: ApprovalRefusalCode; readonly message: string };

/** What is signed of an approval; the person is the key's. */
export type NewApproval = Omit<Approval, "id" | "person" | "keyId" | "shownBy">;

/** Signs an approval; the text of its file. @throws ZodError when it would not open, for one after more than a week */
export function signApproval(approval: NewApproval, key: SigningKey): string {
  const { planSha256, environment, verdictSha256, nonce, comment } = approval;
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: "plan", digest: { sha256: planSha256 } }],
    predicateType: APPROVAL_PREDICATE_TYPE,
    predicate: {
      environment,
      ...(verdictSha256 === undefined ? {} : { verdictSha256 }),
      approvedAt: new Date(approval.approvedAtEpochMs).toISOString(),
      expiresAt: new Date(approval.expiresAtEpochMs).toISOString(),
      nonce,
      ...(comment === undefined ? {} : { comment }),
    },
  };
  return signDocument(statement, ApprovalSchema, key);
}

/**
 * Whether a bundle is an approval that a trusted approver signed and that is valid at this instant. What it is an approval of is the
 * caller's to compare (`countApprovals` does).
 */
export function verifyApproval(bundleText: string, keyring: Keyring, at: number): VerifiedApproval {
  const asked = { keyring, role: "approver", at, schema: ApprovalSchema, what: "approval" } as const;
  const opened = openDocument(bundleText, asked);
  if (opened.kind === "refused") return opened;
  const { statement, signer, payloadSha256 } = opened;
  const { predicate } = statement;
  if (!(at >= Date.parse(predicate.approvedAt) - CLOCK_SKEW_MS_MAX))
    return { kind: "refused", code: "NOT_YET_VALID", message: `it is not valid before ${predicate.approvedAt}` };
  if (!(at < Date.parse(predicate.expiresAt)))
    return { kind: "refused", code: "EXPIRED", message: `it expired at ${predicate.expiresAt}` };
  return { kind: "approval", approval: approvalOf(statement, signer, payloadSha256) };
}

function approvalOf(
  { subject: [plan], predicate }: z.infer<typeof ApprovalSchema>,
  signer: TrustedKey,
  id: string,
): Approval {
  const { environment, verdictSha256, nonce, comment } = predicate;
  return {
    id,
    person: signer.identity,
    keyId: signer.keyId,
    planSha256: plan.digest.sha256,
    environment,
    ...(verdictSha256 === undefined ? {} : { verdictSha256 }),
    approvedAtEpochMs: Date.parse(predicate.approvedAt),
    expiresAtEpochMs: Date.parse(predicate.expiresAt),
    nonce,
    ...(comment === undefined ? {} : { comment }),
    shownBy: "key",
  };
}

/** What takes an approval back. */
export interface Revocation {
  /** `Approval.id`. */
  readonly approvalId: string;
  readonly planSha256: string;
  readonly by: string;
  readonly byRole: "approver" | "operator";
  readonly revokedAtEpochMs: number;
  readonly reason: string;
}

/** Signs that an approval no longer counts; the text of its file. */
export function signRevocation(revocation: Omit<Revocation, "by" | "byRole">, key: SigningKey): string {
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: "approval", digest: { sha256: revocation.approvalId } }],
    predicateType: REVOCATION_PREDICATE_TYPE,
    predicate: {
      planSha256: revocation.planSha256,
      revokedAt: new Date(revocation.revokedAtEpochMs).toISOString(),
      reason: revocation.reason,
    },
  };
  return signDocument(statement, RevocationSchema, key);
}

export type VerifiedRevocation =
  | { readonly kind: "revocation"; readonly revocation: Revocation }
  | { readonly kind: "refused"; readonly code: DocumentRefusalCode; readonly message: string };

/**
 * Whether a bundle takes an approval back: signed by an approver (their own ones only, which is the caller's to compare) or an operator.
 * The validity of their key is not asked: a revocation can only make a decision more careful, and nobody's expired key should keep it from it.
 */
export function verifyRevocation(bundleText: string, keyring: Keyring): VerifiedRevocation {
  const asked = { keyring, at: "any-time", schema: RevocationSchema, what: "revocation of an approval" } as const;
  const byOperator = openDocument(bundleText, { ...asked, role: "operator" });
  const opened = byOperator.kind === "opened" ? byOperator : openDocument(bundleText, { ...asked, role: "approver" });
  if (opened.kind === "refused") return opened;
  const {
    subject: [approval],
    predicate,
  } = opened.statement;
  return {
    kind: "revocation",
    revocation: {
      approvalId: approval.digest.sha256,
      planSha256: predicate.planSha256,
      by: opened.signer.identity,
      byRole: opened.signer.role === "operator" ? "operator" : "approver",
      revokedAtEpochMs: Date.parse(predicate.revokedAt),
      reason: predicate.reason,
    },
  };
}

/** What a file is, whoever signed it and whenever: for tools that name an approval. Never for a decision. */
export function readApprovalUnverified(
  bundleText: string,
):
  | { readonly kind: "approval"; readonly approvalId: string; readonly planSha256: string }
  | { readonly kind: "revocation" }
  | { readonly kind: "problem"; readonly message: string } {
  const bundle = readBundle(bundleText);
  if (bundle.kind === "problem") return bundle;
  const { payload } = bundle.envelope;
  if (readStatementAs(payload, { schema: RevocationSchema, what: "revocation" }).kind === "statement")
    return { kind: "revocation" };
  const read = readStatementAs(payload, { schema: ApprovalSchema, what: "approval" });
  if (read.kind === "problem") return read;
  return { kind: "approval", approvalId: sha256Hex(payload), planSha256: read.statement.subject[0].digest.sha256 };
}
