import { canonicalJson } from "../../attest/canonical-json.ts";
import { sha256Hex } from "../../core/sha256.ts";
import type { EvidenceSources } from "../read-evidence.ts";
import { answersChallenge, type PasskeyAnswer } from "./passkey-answer.ts";
import { PAGE_APPROVAL_MS, type PasskeyTerms } from "./passkeys.ts";
import { isLate, objectionToApproving, type PageAnswer, recordPageApproval, takeBack } from "./record-approval.ts";

/**
 * Records the approval of whoever holds a passkey, or that they take it back. The authenticator must have verified its user; the signature must be over
 * the challenge of exactly these words, and comes once.
 * @throws what the ledger throws
 */
export async function approveWithPasskey(
  given: PasskeyAnswer,
  terms: PasskeyTerms,
  sources: EvidenceSources,
): Promise<PageAnswer> {
  const { words, assertion } = given;
  const atEpochMs = sources.clock.epochMs();
  const refused = (message: string): PageAnswer => ({ kind: "refused", message });
  if (words.purpose === "enrol") return refused("the challenge is for something else");
  if (isLate(words, atEpochMs)) return refused("the page was open for too long; load it again");
  const passkey = terms.passkeys().find(({ id }) => id === assertion.id);
  if (passkey === undefined) return refused("the gate does not know this passkey");
  if (!(await answersChallenge(given, passkey, terms, sources.tokenSecret))) {
    return refused("the passkey's answer does not fit this page and this plan");
  }
  const { identity: person, id: credential } = passkey;
  if (words.purpose === "take-back") return await takeBack({ words, person, shownBy: "passkey", atEpochMs }, sources);
  const objection = await objectionToApproving(words, { person, shownBy: "passkey" }, sources, atEpochMs);
  if (objection !== undefined) return refused(objection);
  const { id: _, rawId, type, response } = assertion;
  const { clientDataJSON, authenticatorData, signature } = response;
  // Kept as far as it is verified, so that whoever counts the approval can verify it again.
  const kept = { id: credential, rawId, type, response: { clientDataJSON, authenticatorData, signature } };
  const answer = canonicalJson({ words, assertion: kept });
  const body = {
    schema: "canary.gate-held-approval/v1",
    person,
    credential,
    shownBy: "passkey",
    plan: words.plan,
    environment: words.environment,
    verdict: words.verdict,
    expiresAt: new Date(atEpochMs + PAGE_APPROVAL_MS).toISOString(),
    nonce: words.nonce,
    answer: sha256Hex(answer),
  } as const;
  const record = { words, person, shownBy: "passkey", body, documents: [answer], atEpochMs } as const;
  return await recordPageApproval(record, sources);
}
