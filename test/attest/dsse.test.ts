import fc from "fast-check";
import { expect, test } from "vitest";
import { isSignedBy, signPayload } from "../../src/attest/dsse.ts";
import { loadPrivateKey, loadPublicKey, newKeyPair } from "../../src/attest/keys.ts";

const [pair, other] = [newKeyPair(), newKeyPair()];
const key = loadPrivateKey(pair.privatePem);
const [known, stranger] = [loadPublicKey(pair.publicPem), loadPublicKey(other.publicPem)];

test("a signature that was found to fit fits nothing else: no other bytes, signature, split of the two, or key", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (payload, at, bits) => {
      const signature = signPayload(payload, key);
      for (let again = 0; again < 2; again++) expect(isSignedBy(payload, signature, known)).toBe(true);
      expect(isSignedBy(flipped(payload, at, bits), signature, known)).toBe(false);
      expect(isSignedBy(payload, flipped(signature, at, bits), known)).toBe(false);
      expect(isSignedBy(payload, signature, stranger)).toBe(false);
      expect(isSignedBy(Buffer.concat([signature.subarray(-1), payload]), signature.subarray(0, -1), known)).toBe(
        false,
      );
      expect(isSignedBy(payload.subarray(0, -1), Buffer.concat([signature, payload.subarray(-1)]), known)).toBe(false);
    }),
  );
});

test("a signature that does not fit does not fit the next time either", () => {
  const payload = Buffer.from("{}");
  const signature = flipped(signPayload(payload, key), 0, 1);
  for (let again = 0; again < 2; again++) expect(isSignedBy(payload, signature, known)).toBe(false);
});

function flipped(bytes: Uint8Array, at: number, bits: number): Buffer {
  const changed = Buffer.from(bytes);
  const index = at % changed.length;
  changed[index] = (changed[index] ?? 0) ^ bits;
  return changed;
}
