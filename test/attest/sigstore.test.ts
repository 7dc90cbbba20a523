import { createPublicKey } from "node:crypto";
import { bundleFromJSON } from "@sigstore/bundle";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import fc from "fast-check";
import { expect, test } from "vitest";
import { preAuthenticationEncoding } from "../../src/attest/dsse.ts";
import { BUNDLE_TEXT, PAIR, verified } from "./verdict-builder.ts";

/** The second implementation: sigstore-js with our key and no transparency log. Throws when it refuses. */
function verifyWithSigstore(bundleText: string): void {
  const trust = toTrustMaterial(
    { mediaType: "", tlogs: [], certificateAuthorities: [], timestampAuthorities: [], ctlogs: [] },
    () => ({ publicKey: createPublicKey(PAIR.publicPem), validFor: () => true }),
  );
  const verifier = new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
  verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(bundleText))));
}

/** The bundle with one bit of its payload or signature turned over. */
function withFlippedBit(field: "payload" | "sig", at: number, bit: number): string {
  const bundle = JSON.parse(BUNDLE_TEXT);
  const holder = field === "payload" ? bundle.dsseEnvelope : bundle.dsseEnvelope.signatures[0];
  const bytes = Buffer.from(holder[field], "base64");
  const index = at % bytes.length;
  bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
  holder[field] = bytes.toString("base64");
  return JSON.stringify(bundle);
}

test("the pre-authentication encoding is that of the DSSE specification", () => {
  const encoded = preAuthenticationEncoding("http://example.com/HelloWorld", Buffer.from("hello world"));
  expect(encoded.toString()).toBe("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
});

test("lengths of the encoding are bytes, not characters", () => {
  expect(preAuthenticationEncoding("é", Buffer.from("ü€")).toString()).toBe("DSSEv1 2 é 5 ü€");
});

test("sigstore accepts our bundle", () => {
  expect(() => verifyWithSigstore(BUNDLE_TEXT)).not.toThrow();
});

test("any changed bit of payload or signature is refused by us and by sigstore", () => {
  fc.assert(
    fc.property(fc.constantFrom("payload", "sig"), fc.nat(100_000), fc.nat(7), (field, at, bit) => {
      const bundleText = withFlippedBit(field, at, bit);
      expect(verified({ bundleText }).kind).toBe("invalid");
      expect(() => verifyWithSigstore(bundleText)).toThrow();
    }),
    { numRuns: 300 },
  );
});

test("any changed character of the bundle's text is refused, or changes nothing that it says", () => {
  const valid = verified();
  fc.assert(
    fc.property(fc.nat(BUNDLE_TEXT.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, char) => {
      const result = verified({ bundleText: BUNDLE_TEXT.slice(0, at) + char + BUNDLE_TEXT.slice(at + 1) });
      if (result.kind === "valid") expect(result).toEqual(valid);
    }),
    { numRuns: 500 },
  );
});
