import { createHash, sign, verify } from "node:crypto";
import { boundedMap } from "../core/bounded-map.ts";
import type { SigningKey, VerifyingKey } from "./keys.ts";

/** Payload type of an in-toto statement; no other is signed or accepted. */
export const IN_TOTO_PAYLOAD_TYPE = "application/vnd.in-toto+json";

/** The bytes that a DSSE signature covers: pre-authentication encoding, DSSE v1.0.2. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const header = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.byteLength} `;
  return Buffer.concat([Buffer.from(header), payload]);
}

/** Ed25519 signature over a payload and its type. */
export function signPayload(payload: Uint8Array, key: SigningKey): Buffer {
  return sign(null, preAuthenticationEncoding(IN_TOTO_PAYLOAD_TYPE, payload), key.privateKey);
}

/** Of as many documents as a busy gate guards; some 100 bytes each. */
const fitting = boundedMap<string, true>(250_000);

/**
 * Whether a signature covers exactly this payload as an in-toto statement. What fits is remembered by the SHA-256 of all that it
 * follows from, since the same is asked before every decision; whether the key is trusted is no part of it.
 */
export function isSignedBy(payload: Uint8Array, signature: Uint8Array, key: VerifyingKey): boolean {
  const signed = preAuthenticationEncoding(IN_TOTO_PAYLOAD_TYPE, payload);
  const about = createHash("sha256").update(`${key.keyId} ${signature.byteLength} `).update(signature).update(signed);
  const digest = about.digest("base64url");
  if (fitting.get(digest) !== undefined) return true;
  const isFitting = verify(null, signed, key.publicKey, signature);
  if (isFitting) fitting.set(digest, true);
  return isFitting;
}
