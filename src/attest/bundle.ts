import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { parseStrictJson } from "../core/strict-json.ts";
import { IN_TOTO_PAYLOAD_TYPE, signPayload } from "./dsse.ts";
import type { SigningKey } from "./keys.ts";

/** Media type of a Sigstore bundle v0.3, the only version that is written or read. */
export const BUNDLE_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";

/** What a bundle holds once its text is understood. Nothing is verified yet. */
export interface Envelope {
  /** The exact bytes that were signed. */
  readonly payload: Buffer;
  readonly signature: Buffer;
  /** Names the key; a hint that anybody can write, never a proof. */
  readonly keyId: string;
}

export type ReadBundle =
  | { readonly kind: "bundle"; readonly envelope: Envelope }
  | { readonly kind: "problem"; readonly message: string };

const Base64 = z
  .string()
  .max(LIMITS.documentBytesMax)
  .transform((text, context) => {
    const standard = text.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
    const bytes = Buffer.from(standard, "base64");
    // Decoding skips what it does not know; only text that comes out again is one spelling of these bytes.
    const isMixed = /[+/]/.test(text) && /[-_]/.test(text);
    const isExact = bytes.toString("base64").replace(/=+$/, "") === standard;
    const isPadded = !text.includes("=") || text.length % 4 === 0;
    if (bytes.length > 0 && isExact && isPadded && !isMixed) return bytes;
    context.addIssue({ code: "custom", message: "is not base64" });
    return z.NEVER;
  });

const KeyHint = z.string().min(1).max(200);

// Verifiers in Go refuse unknown keys anywhere in a bundle, so we do as well.
const BundleSchema = z.strictObject({
  mediaType: z.literal(BUNDLE_MEDIA_TYPE),
  verificationMaterial: z.strictObject({
    publicKey: z.strictObject({ hint: KeyHint }),
    tlogEntries: z.array(z.never()).optional(),
    timestampVerificationData: z.strictObject({ rfc3161Timestamps: z.array(z.never()).optional() }).optional(),
  }),
  dsseEnvelope: z.strictObject({
    payload: Base64,
    payloadType: z.literal(IN_TOTO_PAYLOAD_TYPE),
    signatures: z.tuple([z.strictObject({ sig: Base64, keyid: KeyHint })]),
  }),
});

/** Signs a statement's bytes and writes them as a Sigstore bundle: one line of JSON. */
export function signedBundle(payload: Uint8Array, key: SigningKey): string {
  const bundle = {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: {
      publicKey: { hint: key.keyId },
      tlogEntries: [],
      timestampVerificationData: { rfc3161Timestamps: [] },
    },
    dsseEnvelope: {
      payload: Buffer.from(payload).toString("base64"),
      payloadType: IN_TOTO_PAYLOAD_TYPE,
      signatures: [{ sig: signPayload(payload, key).toString("base64"), keyid: key.keyId }],
    },
  };
  return `${JSON.stringify(bundle)}\n`;
}

/** Reads a bundle's text strictly: one signature, equal hints, our payload type, nothing unknown. Verifies nothing. */
export function readBundle(text: string): ReadBundle {
  const json = parseStrictJson(text);
  if (json.kind === "problem") return { kind: "problem", message: `the bundle ${json.message}` };
  const result = BundleSchema.safeParse(json.value);
  if (!result.success) {
    const [issue] = result.error.issues;
    return { kind: "problem", message: `this is no bundle of ours: ${issue?.path.join(".")}: ${issue?.message}` };
  }
  const { verificationMaterial, dsseEnvelope } = result.data;
  const [{ sig, keyid }] = dsseEnvelope.signatures;
  if (verificationMaterial.publicKey.hint !== keyid) {
    return { kind: "problem", message: "the bundle names two different keys" };
  }
  return { kind: "bundle", envelope: { payload: dsseEnvelope.payload, signature: sig, keyId: keyid } };
}
