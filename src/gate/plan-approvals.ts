import { z } from "zod";
import type { Approval } from "../attest/approval-statement.ts";
import { authorsOf, countApprovals } from "../attest/count-approvals.ts";
import { type Keyring, sameIdentity } from "../attest/keyring.ts";
import type { Entry } from "../ledger/ledger.ts";
import type { Passkey } from "./approvals-page/passkeys.ts";
import type { ApprovalEvidence, PlanEvidence, VerdictEvidence } from "./evidence.ts";
import type { GateDocuments } from "./gate-documents.ts";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Text = z.string().max(1000);

/** An approval or its revocation that came as a signed document. */
export const SignedApprovalRecord = z.strictObject({
  schema: z.literal("canary.gate-approval/v1"),
  /** Of the document that holds the bundle. */
  bundle: Sha256,
  plan: Sha256,
  publishedBy: Text,
});

/** An approval that a person gave at the gate's page, which has authenticated them. */
export const HeldApprovalRecord = z.strictObject({
  schema: z.literal("canary.gate-held-approval/v1"),
  person: Text,
  credential: Text,
  shownBy: z.literal("passkey"),
  plan: Sha256,
  environment: Text,
  verdict: Sha256,
  expiresAt: z.iso.datetime(),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
});

/** What approvals are counted for, and from. */
export interface ApprovalQuestion {
  readonly plan: PlanEvidence;
  /** The verdict that the decision would rest on. */
  readonly verdict: VerdictEvidence | undefined;
  readonly environment: string;
  /** Entries about the plan of the kinds `approval` and `approval-revoked`. */
  readonly entries: readonly Entry[];
}

/**
 * The people who approve a plan now, counted by the rules of `countApprovals`.
 * @throws what the ledger throws, or a record that cannot be read
 */
export async function planApprovals(
  { plan, verdict, environment, entries }: ApprovalQuestion,
  known: {
    readonly documents: GateDocuments;
    readonly keyring: Keyring;
    readonly passkeys: readonly Passkey[];
    readonly atEpochMs: number;
  },
): Promise<ApprovalEvidence> {
  if (plan.kind === "unknown") return { people: [], refused: [] };
  const { documents, keyring, passkeys, atEpochMs } = known;
  const signed = (kind: Entry["kind"]): readonly Entry[] =>
    entries.filter((entry) => entry.kind === kind && entry.body["schema"] === "canary.gate-approval/v1");
  const texts = (all: readonly Entry[]): Promise<readonly string[]> =>
    Promise.all(all.map(({ body }) => documents.text(SignedApprovalRecord.parse(body).bundle)));
  const [approvals, revocations] = await Promise.all([texts(signed("approval")), texts(signed("approval-revoked"))]);
  // A passkey that was taken out, or is somebody else's now, approves nothing any more.
  const isKnown = ({ keyId, person }: Approval): boolean =>
    passkeys.some(({ id, identity }) => id === keyId && sameIdentity(identity, person));
  const held = entries
    .filter(({ body }) => body["schema"] === "canary.gate-held-approval/v1")
    .map(heldApproval)
    .filter(isKnown);
  const thing = {
    planSha256: plan.plan.sha256,
    environment,
    ...(verdict === undefined ? {} : { verdictSha256: verdict.digest }),
    authors: authorsOf(plan.plan, { keyring, ...(plan.signedBy === undefined ? {} : { planSigner: plan.signedBy }) }),
  };
  const { counted, refused } = countApprovals(thing, { approvals, revocations, held }, keyring, atEpochMs);
  return {
    // A key of one's own and a passkey with a verified user are both strong; a session of single sign-on would not be.
    people: counted.map(({ person, shownBy }) => ({ name: person, strong: shownBy !== "single-sign-on" })),
    refused: refused.map(({ person, message }) => (person === undefined ? message : `${person}: ${message}`)),
  };
}

function heldApproval(entry: Entry): Approval {
  const { person, credential, shownBy, plan, environment, verdict, expiresAt, nonce } = HeldApprovalRecord.parse(
    entry.body,
  );
  return {
    id: `entry-${entry.index}`,
    person,
    keyId: credential,
    planSha256: plan,
    environment,
    verdictSha256: verdict,
    approvedAtEpochMs: Date.parse(entry.at),
    expiresAtEpochMs: Date.parse(expiresAt),
    nonce,
    shownBy,
  };
}
