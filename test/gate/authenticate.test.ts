import { expect, test } from "vitest";
import { sha256Hex } from "../../src/core/sha256.ts";
import { authenticate, bearerToken } from "../../src/gate/http/authenticate.ts";
import type { KnownCaller } from "../../src/gate/http/exchange.ts";

const [fingerprint, other] = [sha256Hex("certificate"), sha256Hex("another")];
const ada: KnownCaller = {
  name: "ada",
  may: ["check"],
  environments: [],
  tokenSha256: sha256Hex("token-of-ada-0123456789"),
};
const grace: KnownCaller = { name: "grace", may: ["check"], environments: [], certificateSha256: fingerprint };
const both: KnownCaller = { ...ada, name: "both", tokenSha256: sha256Hex("token-of-both"), certificateSha256: other };

test.each([
  ["a token", { token: "token-of-ada-0123456789" }, "ada"],
  ["a certificate", { certificateSha256: fingerprint }, "grace"],
  ["both, of one caller", { token: "token-of-both", certificateSha256: other }, "both"],
  ["both, of two callers", { token: "token-of-ada-0123456789", certificateSha256: fingerprint }, undefined],
  [
    "a known token and an unknown certificate",
    { token: "token-of-both", certificateSha256: sha256Hex("x") },
    undefined,
  ],
  ["an unknown token and a known certificate", { token: "x", certificateSha256: fingerprint }, undefined],
  ["an unknown token", { token: "token-of-ada-012345678" }, undefined],
  ["a digest instead of the token", { token: ada.tokenSha256 ?? "" }, undefined],
  ["nothing", {}, undefined],
])("whoever shows %s is known accordingly", (_, credentials, name) => {
  expect(authenticate([ada, grace, both], credentials)?.name).toBe(name);
});

test("a caller without a token is not known by an empty one", () => {
  expect(authenticate([grace], { token: "" })).toBeUndefined();
});

test("only a bearer token of a sensible length is read", () => {
  expect(bearerToken("Bearer abcdefghijklmnop")).toBe("abcdefghijklmnop");
  for (const header of [
    undefined,
    "",
    "Bearer",
    "Bearer short",
    "Basic abcdefghijklmnop",
    "Bearer a b c d e f g h i j k l m",
  ]) {
    expect(bearerToken(header)).toBeUndefined();
  }
});
