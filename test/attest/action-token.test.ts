import { createPublicKey, verify } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { tokenIssuer, tokenKeySet } from "../../src/attest/action-token.ts";
import type { TokenRequest } from "../../src/core/action-token.ts";
import { signer } from "../support/signers.ts";

const NOON_S = Date.parse("2026-11-23T12:00:00Z") / 1000;
const ISSUER = signer("canary", "canary");
let ids = 0;
const mint = tokenIssuer({ key: ISSUER.key, epochMs: () => NOON_S * 1000, newId: () => `id-${++ids}` });
const REQUEST: TokenRequest = {
  subject: "run-7/retry",
  audience: "api",
  method: "POST",
  path: "/jobs/7/retry",
  scopes: ["http:post@api/jobs/**"],
  lifetimeMs: 30_000,
};

const parts = (token: string): readonly string[] => token.split(".");
const decoded = (part: string | undefined): unknown => JSON.parse(Buffer.from(part ?? "", "base64url").toString());

/** As a service would check it that knows nothing but the key set and the standards. */
function isSigned(token: string): boolean {
  const { keys } = JSON.parse(tokenKeySet(ISSUER.entry.publicPem, ISSUER.key.keyId));
  const [header, payload, signature] = parts(token);
  const key = createPublicKey({ key: keys[0], format: "jwk" });
  return verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature ?? "", "base64url"));
}

test("a token is a JSON Web Token for one request, for as long as its action may take", () => {
  const token = mint(REQUEST);
  expect(decoded(parts(token)[0])).toEqual({ alg: "EdDSA", typ: "JWT", kid: ISSUER.key.keyId });
  expect(decoded(parts(token)[1])).toEqual({
    iss: "canary-harness",
    sub: "run-7/retry",
    aud: "api",
    iat: NOON_S,
    nbf: NOON_S,
    exp: NOON_S + 30,
    jti: expect.stringMatching(/^id-/),
    htm: "POST",
    htu: "/jobs/7/retry",
    scope: "http:post@api/jobs/**",
  });
  expect(isSigned(token)).toBe(true);
});

test("no two tokens are the same, and none lives longer than five minutes", () => {
  expect(mint(REQUEST)).not.toBe(mint(REQUEST));
  expect(decoded(parts(mint({ ...REQUEST, lifetimeMs: 3_600_000 }))[1])).toMatchObject({ exp: NOON_S + 300 });
});

test("a changed character is no token any more", () => {
  const token = mint(REQUEST);
  fc.assert(
    fc.property(fc.nat(token.length - 2), fc.constantFrom("A", "b", "7", "-"), (at, other) => {
      fc.pre(token[at] !== other && token[at] !== ".");
      expect(isSigned(token.slice(0, at) + other + token.slice(at + 1))).toBe(false);
    }),
  );
});
