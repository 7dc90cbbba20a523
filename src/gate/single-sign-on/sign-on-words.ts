import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { canonicalJson } from "../../attest/canonical-json.ts";
import { parseStrictJson } from "../../core/strict-json.ts";
import { PURPOSES } from "../approvals-page/record-approval.ts";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What one sign-on is for. */
export const SignOnWordsSchema = z.strictObject({
  purpose: z.enum(PURPOSES),
  plan: Sha256,
  verdict: Sha256,
  environment: z.string().min(1).max(200),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  untilEpochMs: z.number().int().positive(),
});
export type SignOnWords = z.infer<typeof SignOnWordsSchema>;

/** `state` ties the answer to the browser that asked, `nonce` the ID token to it, `codeVerifier` (RFC 7636) the code to this gate. */
export interface SignOnSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/**
 * What goes to the provider for these words. It needs no memory: gates that share the secret make the same of the same words, and nobody
 * else can. So a code, a state and an ID token are about exactly this plan, this verdict and this environment.
 */
export function secretsOf(words: SignOnWords, secret: KeyObject | Uint8Array): SignOnSecrets {
  const made = (what: string): string => mac(`${what} ${canonicalJson(words)}`, secret);
  return { state: made("state"), nonce: made("nonce"), codeVerifier: made("code verifier") };
}

/** The words for the browser to keep meanwhile: it can read them, and change nothing. */
export function sealWords(words: SignOnWords, secret: KeyObject | Uint8Array): string {
  const text = Buffer.from(canonicalJson(words)).toString("base64url");
  return `${text}.${mac(`cookie ${text}`, secret)}`;
}

/** The words that this gate, or one that shares its secret, has sealed; undefined for anything else. */
export function openWords(sealed: string, secret: KeyObject | Uint8Array): SignOnWords | undefined {
  const [text = "", given = "", ...more] = sealed.split(".");
  if (more.length > 0 || !isSame(given, mac(`cookie ${text}`, secret))) return undefined;
  const json = parseStrictJson(Buffer.from(text, "base64url"));
  return json.kind === "problem" ? undefined : SignOnWordsSchema.safeParse(json.value).data;
}

function mac(text: string, secret: KeyObject | Uint8Array): string {
  return createHmac("sha256", secret).update(`canary-gate sign-on ${text}`).digest("base64url");
}

function isSame(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
