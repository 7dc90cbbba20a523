import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { canonicalJson } from "../../attest/canonical-json.ts";
import type { ShownWords } from "./record-approval.ts";

const Base64Url = z.string().regex(/^[A-Za-z0-9_-]{1,1400}$/, "base64url");

/** Schema of `canary.passkeys/v1`: whose passkey is whose, as the operator wrote it; the page that enrols one prints the lines. */
export const PasskeysSchema = z.strictObject({
  schema: z.literal("canary.passkeys/v1"),
  passkeys: z
    .array(z.strictObject({ identity: z.string().min(1).max(200), id: Base64Url, publicKey: Base64Url }))
    .max(1000),
});

/** How long an approval that was given at the page may be relied on. */
export const PAGE_APPROVAL_MS = 24 * 3_600_000;

/** A passkey of a person. */
export type Passkey = z.infer<typeof PasskeysSchema>["passkeys"][number];

/** Where people approve, and with what. */
export interface PasskeyTerms {
  /** `https://gate.example`: the only page that a passkey answers to. */
  readonly origin: string;
  /** Asked anew every time, so that a passkey that is taken out stops counting at once. */
  readonly passkeys: () => readonly Passkey[];
}

/** What goes into the challenge of a new passkey. */
interface EnrolWords {
  readonly purpose: "enrol";
  readonly identity: string;
  readonly nonce: string;
  readonly untilEpochMs: number;
}

/** What a passkey is asked to sign: what to do about one plan, verdict and environment, or that it is somebody's new one. */
export type ChallengeWords = ShownWords | EnrolWords;

/**
 * The challenge of these words. It needs no memory: whoever answers brings the words along, and no gate but those that share
 * the secret can have made it. So one signature is about exactly this plan, this verdict and this environment.
 */
export function challengeOf(words: ChallengeWords, secret: KeyObject): string {
  return createHmac("sha256", secret)
    .update(`canary-gate passkey ${canonicalJson(words)}`)
    .digest("base64url");
}

/** Whether a challenge is the one of these words, compared in constant time. */
export function isChallengeOf(challenge: string, words: ChallengeWords, secret: KeyObject): boolean {
  const [given, right] = [Buffer.from(challenge), Buffer.from(challengeOf(words, secret))];
  return given.length === right.length && timingSafeEqual(given, right);
}
