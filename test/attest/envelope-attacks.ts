import { generateKeyPairSync, sign } from "node:crypto";
import { preAuthenticationEncoding } from "../../src/attest/dsse.ts";
import { bentBundle, type Loose, type Signer } from "../support/signers.ts";
import { signVsa } from "./foreign-statements.ts";

/** A way to bend a rightly signed bundle, and the refusal that it must meet whatever the document is. */
export interface EnvelopeAttack {
  readonly name: string;
  readonly bend: (bundleText: string, by: Signer) => string;
  readonly code: string;
}

const flipped = (base64: string, at: number): string => {
  const bytes = Buffer.from(base64, "base64");
  bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1;
  return bytes.toString("base64");
};
const bend =
  (change: (bundle: Loose) => void) =>
  (bundleText: string): string =>
    bentBundle(bundleText, change);

/** Every attack on an envelope that issue 5 names, and those next to them. */
export const ENVELOPE_ATTACKS: readonly EnvelopeAttack[] = [
  {
    name: "a changed byte in the payload",
    bend: bend(({ dsseEnvelope }) => (dsseEnvelope.payload = flipped(dsseEnvelope.payload, 40))),
    code: "SIGNATURE_MISMATCH",
  },
  {
    name: "a changed byte in the signature",
    bend: bend(({ dsseEnvelope: { signatures } }) => (signatures[0].sig = flipped(signatures[0].sig, 5))),
    code: "SIGNATURE_MISMATCH",
  },
  {
    name: "a changed byte in the key hint of the envelope",
    bend: bend(({ dsseEnvelope: { signatures } }) => (signatures[0].keyid = flipped(signatures[0].keyid, 3))),
    code: "BUNDLE_INVALID",
  },
  {
    name: "a changed byte in both key hints",
    bend: bend(({ dsseEnvelope: { signatures }, verificationMaterial: { publicKey } }) => {
      signatures[0].keyid = flipped(signatures[0].keyid, 3);
      publicKey.hint = signatures[0].keyid;
    }),
    code: "KEY_UNKNOWN",
  },
  {
    name: "two signatures",
    bend: bend(({ dsseEnvelope: { signatures } }) => signatures.push(signatures[0])),
    code: "BUNDLE_INVALID",
  },
  {
    name: "no signature",
    bend: bend(({ dsseEnvelope }) => (dsseEnvelope.signatures = [])),
    code: "BUNDLE_INVALID",
  },
  {
    name: "another payload type",
    bend: bend(({ dsseEnvelope }) => (dsseEnvelope.payloadType = "application/vnd.in-toto.bundle+json")),
    code: "BUNDLE_INVALID",
  },
  {
    name: "a signature over another payload type",
    bend: (bundleText, by) =>
      bentBundle(bundleText, ({ dsseEnvelope }) => {
        const encoded = preAuthenticationEncoding("application/json", Buffer.from(dsseEnvelope.payload, "base64"));
        dsseEnvelope.signatures[0].sig = sign(null, encoded, by.key.privateKey).toString("base64");
      }),
    code: "SIGNATURE_MISMATCH",
  },
  {
    name: "a signature over the bare payload",
    bend: (bundleText, by) =>
      bentBundle(bundleText, ({ dsseEnvelope }) => {
        const payload = Buffer.from(dsseEnvelope.payload, "base64");
        dsseEnvelope.signatures[0].sig = sign(null, payload, by.key.privateKey).toString("base64");
      }),
    code: "SIGNATURE_MISMATCH",
  },
  {
    name: "another algorithm under the trusted name",
    bend: bend(({ dsseEnvelope }) => {
      const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const encoded = preAuthenticationEncoding(dsseEnvelope.payloadType, Buffer.from(dsseEnvelope.payload, "base64"));
      dsseEnvelope.signatures[0].sig = sign("sha256", encoded, privateKey).toString("base64");
    }),
    code: "SIGNATURE_MISMATCH",
  },
  {
    name: "a certificate beside the key",
    bend: bend(({ verificationMaterial }) => (verificationMaterial.certificate = { rawBytes: "AAAA" })),
    code: "BUNDLE_INVALID",
  },
  { name: "half of it", bend: (bundleText) => bundleText.slice(0, bundleText.length / 2), code: "BUNDLE_INVALID" },
  {
    name: "a derived statement in its place, rightly signed by the same key",
    bend: (_, by) => signVsa(by.key),
    code: "STATEMENT_INVALID",
  },
];
