import type { KeyObject } from "node:crypto";
import { z } from "zod";
import type { Approval } from "../attest/approval-statement.ts";
import { type ApprovedThing, authorsOf, countApprovals } from "../attest/count-approvals.ts";
import { type Keyring, sameIdentity } from "../attest/keyring.ts";
import { verifyWitnessedApproval } from "../attest/witnessed-approval.ts";
import type { Entry } from "../ledger/ledger.ts";
import { answersChallenge, KeptAnswer } from "./approvals-page/passkey-answer.ts";
import { PAGE_APPROVAL_MS, type Passkey } from "./approvals-page/passkeys.ts";
import type { ApprovalEvidence, PlanEvidence, VerdictEvidence } from "./evidence.ts";
import type { GateDocuments } from "./gate-documents.ts";
import { isStillTheirs } from "./single-sign-on/person-of.ts";
import { isStrong, type SignOnTrust } from "./single-sign-on/sign-on-terms.ts";

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
  /** Of the document that holds the passkey's signature and the words that it is about. */
  answer: Sha256,
});

/** An approval that a person gave at the gate's page by single sign-on, as the gate that saw it signed it. */
export const WitnessedApprovalRecord = z.strictObject({
  schema: z.literal("canary.gate-witnessed-approval/v1"),
  /** Of the document that holds the bundle. */
  bundle: Sha256,
  plan: Sha256,
});

/** That a person takes back what they have approved at the page before. */
export const TakenBackRecord = z.strictObject({
  schema: z.literal("canary.gate-approval-taken-back/v1"),
  person: Text,
  shownBy: z.enum(["passkey", "single-sign-on"]),
  plan: Sha256,
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

/** What approvals are believed by. */
export interface ApprovalTrust {
  readonly documents: GateDocuments;
  readonly keyring: Keyring;
  readonly passkeys: readonly Passkey[];
  /** Of the page that passkeys answer to; without one none counts. */
  readonly pageOrigin?: string | undefined;
  /** By which the gate's challenges are known. */
  readonly tokenSecret: KeyObject;
  /** Absent where nobody approves by single sign-on. */
  readonly signOn?: SignOnTrust;
  readonly atEpochMs: number;
}

/**
 * The people who approve a plan now, counted by the rules of `countApprovals`.
 * @throws what the ledger throws, or a record that cannot be read
 */
export async function planApprovals(
  { plan, verdict, environment, entries }: ApprovalQuestion,
  known: ApprovalTrust,
): Promise<ApprovalEvidence> {
  if (plan.kind === "unknown") return { people: [], refused: [] };
  const { documents, keyring, atEpochMs } = known;
  const signed = (kind: Entry["kind"]): readonly Entry[] =>
    entries.filter((entry) => entry.kind === kind && entry.body["schema"] === "canary.gate-approval/v1");
  const texts = (all: readonly Entry[]): Promise<readonly string[]> =>
    Promise.all(all.map(({ body }) => documents.text(SignedApprovalRecord.parse(body).bundle)));
  const [approvals, revocations, witnessed, byPasskey] = await Promise.all([
    texts(signed("approval")),
    texts(signed("approval-revoked")),
    witnessedApprovals(entries, known),
    passkeyApprovals(entries, known),
  ]);
  const takenBack = entries
    .filter(({ body }) => body["schema"] === "canary.gate-approval-taken-back/v1")
    .map(({ index, body }) => ({ index, person: TakenBackRecord.parse(body).person }));
  const isTakenBack = ({ entry, approval }: PageApproval): boolean =>
    takenBack.some(({ index, person }) => entry < index && sameIdentity(person, approval.person));
  const given = [...byPasskey.given, ...witnessed.given].filter((one) => !isTakenBack(one));
  // Of several by one person the first counts, so that those go first that are worth more.
  const held = [...given.filter(({ strong }) => strong), ...given.filter(({ strong }) => !strong)];
  const weak = new Set(given.filter(({ strong }) => !strong).map(({ approval }) => approval));
  const thing = approvedThing({ plan, verdict, environment }, keyring);
  const { counted, refused } = countApprovals(
    thing,
    { approvals, revocations, held: held.map(({ approval }) => approval) },
    keyring,
    atEpochMs,
  );
  return {
    people: counted.map((approval) => ({ name: approval.person, strong: !weak.has(approval), approval })),
    refused: [
      ...refused.map(({ person, message }) => (person === undefined ? message : `${person}: ${message}`)),
      ...byPasskey.refused,
      ...witnessed.refused.map((message) => `single sign-on: ${message}`),
    ],
  };
}

/** The plan in question as approvals are held against it. */
export function approvedThing(
  { plan, verdict, environment }: Pick<ApprovalQuestion, "verdict" | "environment"> & { readonly plan: KnownPlan },
  keyring: Keyring,
): ApprovedThing {
  return {
    planSha256: plan.plan.sha256,
    environment,
    ...(verdict === undefined ? {} : { verdictSha256: verdict.digest }),
    authors: authorsOf(plan.plan, {
      keyring,
      ...(plan.signedBy === undefined ? {} : { planSigner: plan.signedBy }),
      ...(plan.runbookAuthor === undefined ? {} : { runbookAuthor: plan.runbookAuthor }),
    }),
  };
}

type KnownPlan = Extract<PlanEvidence, { readonly kind: "plan" }>;

/** An approval that was given at the page. */
interface PageApproval {
  readonly approval: Approval;
  /** Where it stands in the ledger. */
  readonly entry: number;
  /** A passkey with a verified user is strong; a sign-on is where the operator says what shows it. */
  readonly strong: boolean;
}

interface PageApprovals {
  readonly given: readonly PageApproval[];
  /** What was not believed, in words. */
  readonly refused: readonly string[];
}

/** Approvals by passkeys that are listed still: one that was taken out, or is somebody else's now, approves nothing any more. */
async function passkeyApprovals(entries: readonly Entry[], known: ApprovalTrust): Promise<PageApprovals> {
  const read = await Promise.all(
    entries
      .filter(({ body }) => body["schema"] === "canary.gate-held-approval/v1")
      .map(async (entry) => {
        const { person, keyId } = heldApproval(entry);
        const passkey = known.passkeys.find(({ id, identity }) => id === keyId && sameIdentity(identity, person));
        return { entry, passkey, isSigned: passkey !== undefined && (await isSignedBy(passkey, entry, known)) };
      }),
  );
  return {
    given: read.flatMap(({ entry, isSigned }) =>
      isSigned ? [{ approval: heldApproval(entry), entry: entry.index, strong: true }] : [],
    ),
    refused: read.flatMap(({ entry, passkey, isSigned }) =>
      passkey === undefined || isSigned
        ? []
        : [`${passkey.identity}: no answer of their passkey fits entry ${entry.index}`],
    ),
  };
}

/** Whether the passkey's answer that was kept says what the entry says; verified again, as it was when it came. */
async function isSignedBy(passkey: Passkey, entry: Entry, known: ApprovalTrust): Promise<boolean> {
  const { documents, pageOrigin, tokenSecret } = known;
  if (pageOrigin === undefined) return false;
  const { answer, plan, environment, verdict, nonce, expiresAt } = HeldApprovalRecord.parse(entry.body);
  const kept = KeptAnswer.parse(JSON.parse(await documents.text(answer)));
  const { words, assertion } = kept;
  return (
    assertion.id === passkey.id &&
    words.plan === plan &&
    words.environment === environment &&
    words.verdict === verdict &&
    words.nonce === nonce &&
    Date.parse(expiresAt) <= words.untilEpochMs + PAGE_APPROVAL_MS &&
    (await answersChallenge(kept, passkey, { origin: pageOrigin }, tokenSecret))
  );
}

/** Approvals that a trusted gate saw, of people who are still listed. */
async function witnessedApprovals(
  entries: readonly Entry[],
  { documents, keyring, signOn, atEpochMs }: ApprovalTrust,
): Promise<PageApprovals> {
  const records = entries.filter(({ body }) => body["schema"] === "canary.gate-witnessed-approval/v1");
  const read = await Promise.all(
    records.map(async ({ body, index }) => {
      const text = await documents.text(WitnessedApprovalRecord.parse(body).bundle);
      return { entry: index, seen: verifyWitnessedApproval(text, keyring, atEpochMs) };
    }),
  );
  return {
    given: read.flatMap(({ entry, seen }) =>
      seen.kind === "approval" && signOn !== undefined && isStillTheirs(seen.signOn, seen.approval.person, signOn)
        ? [{ approval: seen.approval, entry, strong: isStrong(seen.signOn, signOn) }]
        : [],
    ),
    refused: read.flatMap(({ seen }) => (seen.kind === "refused" ? [seen.message] : [])),
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
