import { z } from "zod";
import { APPROVAL_MS_MAX, type Approval, type ApprovalRefusalCode } from "./approval-statement.ts";
import type { Keyring } from "./keyring.ts";
import type { SigningKey } from "./keys.ts";
import { openDocument, STATEMENT_TYPE, signDocument } from "./signed-document.ts";
import { CLOCK_SKEW_MS_MAX, Instant, Name, Sha256, statementAbout } from "./statement-words.ts";

/** Type of the statement by which a gate says that it saw a person approve, whom somebody else had authenticated. */
export const WITNESSED_APPROVAL_PREDICATE_TYPE = "https://canary-harness.dev/attestation/witnessed-approval/v1";

const Claim = z.string().min(1).max(255);

/** Who the person is by the identity provider (OpenID Connect Core 1.0, section 2), and how they showed it. */
const SignOnSchema = z.strictObject({
  issuer: z.url({ protocol: /^https?$/ }).max(500),
  clientId: Name,
  /** The provider's own name of the person (`sub`). */
  subject: Claim,
  /** The claim by which the operator lists people, and its value. */
  account: z.strictObject({ claim: Claim, value: Claim }),
  /** When the person was last asked for what they know or hold (`auth_time`). */
  authenticatedAt: Instant,
  /** How strongly, in the provider's words. */
  acr: Claim.optional(),
  amr: z.array(Claim).max(20),
});
export type SignOn = z.infer<typeof SignOnSchema>;

const WitnessedSchema = statementAbout(
  WITNESSED_APPROVAL_PREDICATE_TYPE,
  z
    .strictObject({
      environment: Name,
      verdictSha256: Sha256,
      person: Name,
      signOn: SignOnSchema,
      approvedAt: Instant,
      expiresAt: Instant,
      nonce: z.string().regex(/^[0-9a-f]{32}$/, "128 bits as lower-case hex"),
    })
    .refine(
      ({ approvedAt, expiresAt }) => {
        const lifetimeMs = Date.parse(expiresAt) - Date.parse(approvedAt);
        return lifetimeMs > 0 && lifetimeMs <= APPROVAL_MS_MAX;
      },
      { path: ["expiresAt"], message: "must be later than approvedAt, by a week at most" },
    ),
);

/** What a gate signs of an approval that it saw. */
export type NewWitnessedApproval = Omit<Approval, "id" | "keyId" | "shownBy" | "comment"> & {
  readonly verdictSha256: string;
  readonly signOn: SignOn;
};

/** Signs it with the gate's key; the text of the bundle. @throws ZodError when it would not open */
export function signWitnessedApproval(seen: NewWitnessedApproval, key: SigningKey): string {
  const { planSha256, environment, verdictSha256, person, signOn, nonce } = seen;
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: "plan", digest: { sha256: planSha256 } }],
    predicateType: WITNESSED_APPROVAL_PREDICATE_TYPE,
    predicate: {
      environment,
      verdictSha256,
      person,
      signOn,
      approvedAt: new Date(seen.approvedAtEpochMs).toISOString(),
      expiresAt: new Date(seen.expiresAtEpochMs).toISOString(),
      nonce,
    },
  };
  return signDocument(statement, WitnessedSchema, key);
}

export type VerifiedWitness =
  | { readonly kind: "approval"; readonly approval: Approval; readonly signOn: SignOn }
  | { readonly kind: "refused"; readonly code: ApprovalRefusalCode; readonly message: string };

/**
 * Whether a bundle is an approval that a trusted gate saw and that is valid at this instant. Whether the person is still listed, and
 * what it is an approval of, is the caller's to compare.
 */
export function verifyWitnessedApproval(bundleText: string, keyring: Keyring, at: number): VerifiedWitness {
  const asked = { keyring, role: "gate", at, schema: WitnessedSchema, what: "witnessed approval" } as const;
  const opened = openDocument(bundleText, asked);
  if (opened.kind === "refused") return opened;
  const { statement, signer, payloadSha256 } = opened;
  const { person, environment, verdictSha256, signOn, approvedAt, expiresAt, nonce } = statement.predicate;
  if (!(at >= Date.parse(approvedAt) - CLOCK_SKEW_MS_MAX))
    return { kind: "refused", code: "NOT_YET_VALID", message: `it is not valid before ${approvedAt}` };
  if (!(at < Date.parse(expiresAt))) return { kind: "refused", code: "EXPIRED", message: `it expired at ${expiresAt}` };
  const approval: Approval = {
    id: payloadSha256,
    person,
    keyId: signer.keyId,
    planSha256: statement.subject[0].digest.sha256,
    environment,
    verdictSha256,
    approvedAtEpochMs: Date.parse(approvedAt),
    expiresAtEpochMs: Date.parse(expiresAt),
    nonce,
    shownBy: "single-sign-on",
  };
  return { kind: "approval", approval, signOn };
}
