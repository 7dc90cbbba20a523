import type { KeyObject } from "node:crypto";
import { z } from "zod";
import type { EvidenceSources } from "../read-evidence.ts";
import { type ChallengeWords, isChallengeOf, type PasskeyTerms } from "./passkeys.ts";
import {
  isLate,
  objectionToApproving,
  PAGE_APPROVAL_MS,
  type PageAnswer,
  recordPageApproval,
  takeBack,
} from "./record-approval.ts";

const Base64Url = z.string().regex(/^[A-Za-z0-9_-]{1,4000}$/, "base64url");

/** What a browser answers (`PublicKeyCredential.toJSON()`), as far as it is looked at. */
export const AssertionSchema = z.looseObject({
  id: Base64Url,
  rawId: Base64Url,
  type: z.literal("public-key"),
  response: z.looseObject({
    clientDataJSON: Base64Url,
    authenticatorData: Base64Url,
    signature: Base64Url,
    userHandle: Base64Url.nullish(),
  }),
});

/**
 * Records the approval of whoever holds a passkey, or that they take it back. The authenticator must have verified its user; the signature must be over
 * the challenge of exactly these words, and comes once.
 * @throws what the ledger throws
 */
export async function approveWithPasskey(
  given: { readonly words: ChallengeWords; readonly assertion: z.infer<typeof AssertionSchema> },
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
  if (!(await isRightSignature(given, passkey, terms, sources.tokenSecret))) {
    return refused("the passkey's answer does not fit this page and this plan");
  }
  const { identity: person, id: credential } = passkey;
  if (words.purpose === "take-back") return await takeBack({ words, person, shownBy: "passkey", atEpochMs }, sources);
  const objection = await objectionToApproving(words, { person, shownBy: "passkey" }, sources, atEpochMs);
  if (objection !== undefined) return refused(objection);
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
  } as const;
  return await recordPageApproval({ words, person, shownBy: "passkey", body, atEpochMs }, sources);
}

async function isRightSignature(
  { words, assertion }: Parameters<typeof approveWithPasskey>[0],
  passkey: { readonly id: string; readonly publicKey: string },
  { origin }: PasskeyTerms,
  secret: KeyObject,
): Promise<boolean> {
  const { id, rawId, response } = assertion;
  // Loaded by gates that have the page, when it is used: it is most of what they would load at their start.
  const { verifyAuthenticationResponse } = await import("@simplewebauthn/server");
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        id,
        rawId,
        type: "public-key",
        clientExtensionResults: {},
        response: {
          clientDataJSON: response.clientDataJSON,
          authenticatorData: response.authenticatorData,
          signature: response.signature,
        },
      },
      expectedChallenge: (challenge) => isChallengeOf(challenge, words, secret),
      expectedOrigin: origin,
      expectedRPID: new URL(origin).hostname,
      requireUserVerification: true,
      // Passkeys that are synchronised do not count; that an answer comes once is seen to by its nonce.
      credential: {
        id: passkey.id,
        publicKey: Uint8Array.from(Buffer.from(passkey.publicKey, "base64url")),
        counter: 0,
      },
    });
    return verified && authenticationInfo.userVerified;
  } catch {
    // The library throws for whatever does not fit.
    return false;
  }
}
