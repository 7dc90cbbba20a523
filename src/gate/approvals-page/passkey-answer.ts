import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { type ChallengeWords, isChallengeOf, type Passkey, type PasskeyTerms } from "./passkeys.ts";

const Base64Url = z.string().regex(/^[A-Za-z0-9_-]{1,4000}$/, "base64url");
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

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

/** A passkey's signature, with the words that it is about. */
export interface PasskeyAnswer {
  readonly words: ChallengeWords;
  readonly assertion: z.infer<typeof AssertionSchema>;
}

/** An answer that approves, as it is kept beside the approval. */
export const KeptAnswer = z.strictObject({
  words: z.strictObject({
    purpose: z.literal("approve"),
    plan: Sha256,
    verdict: Sha256,
    environment: z.string().max(1000),
    nonce: z.string().regex(/^[0-9a-f]{32}$/),
    untilEpochMs: z.number().int().positive(),
  }),
  assertion: AssertionSchema,
});

/** Whether a passkey of the page at `origin`, which verified its user, signed the challenge of exactly these words. */
export async function answersChallenge(
  { words, assertion }: PasskeyAnswer,
  passkey: Pick<Passkey, "id" | "publicKey">,
  { origin }: Pick<PasskeyTerms, "origin">,
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
