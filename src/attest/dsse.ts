import { sign, verify } from "node:crypto";
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

/** Whether a signature covers exactly this payload as an in-toto statement. */
export function isSignedBy(payload: Uint8Array, signature: Uint8Array, key: VerifyingKey): boolean {
  return verify(null, preAuthenticationEncoding(IN_TOTO_PAYLOAD_TYPE, payload), key.publicKey, signature);
}
