import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findKey, KEY_ROLES, normalIdentity, sameIdentity, type TrustedKey } from "../../src/attest/keyring.ts";
import { newKeyPair } from "../../src/attest/keys.ts";
import { readTrustFile } from "../../src/attest/trust-file.ts";

const PAIR = newKeyPair();
const OTHER = newKeyPair();
const NOON = Date.parse("2026-11-23T12:00:00Z");
const ENTRY: TrustedKey = {
  keyId: PAIR.keyId,
  publicPem: PAIR.publicPem,
  role: "approver",
  identity: "ada@example.com",
  notBeforeEpochMs: NOON,
  notAfterEpochMs: NOON + 1000,
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "canary-trust-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function codeOf(changes: Partial<TrustedKey>, at: number | "any-time" = NOON): string {
  const found = findKey({ keys: [{ ...ENTRY, ...changes }] }, { keyId: PAIR.keyId, role: "approver", at });
  return found.kind === "key" ? found.entry.identity : found.code;
}

/** The trust file with these keys, as YAML that is JSON. */
function written(keys: unknown, rest: object = {}): string {
  const file = path.join(folder, "trust.yaml");
  writeFileSync(file, JSON.stringify({ schema: "canary.trust/v1", keys, ...rest }));
  return file;
}

const KEY = { identity: "ada@example.com", role: "approver", publicKey: PAIR.publicPem };

test("a key is believed from its first to just before its last millisecond", () => {
  expect(codeOf({})).toBe("ada@example.com");
  expect(codeOf({}, NOON + 999)).toBe("ada@example.com");
  expect(codeOf({}, NOON - 1)).toBe("KEY_NOT_YET_VALID");
  expect(codeOf({}, NOON + 1000)).toBe("KEY_EXPIRED");
});

test.each<[string, Partial<TrustedKey>, string]>([
  ["another role", { role: "agent" }, "KEY_WRONG_ROLE"],
  ["another key under its name", { publicPem: OTHER.publicPem }, "KEY_UNREADABLE"],
  ["a PEM that is none", { publicPem: "-----BEGIN PUBLIC KEY-----" }, "KEY_UNREADABLE"],
  ["a private key", { publicPem: PAIR.privatePem }, "KEY_UNREADABLE"],
  ["a revocation at this instant", { revoked: { atEpochMs: NOON, reason: "lost" } }, "KEY_REVOKED"],
  ["another name", { keyId: OTHER.keyId }, "KEY_UNKNOWN"],
])("a key with %s is refused by name", (_, changes, code) => expect(codeOf(changes)).toBe(code));

test("a revocation counts from its time on and outranks everything about time", () => {
  const revoked = { atEpochMs: NOON + 500, reason: "lost" };
  expect(codeOf({ revoked }, NOON + 499)).toBe("ada@example.com");
  expect(codeOf({ revoked }, NOON + 5000)).toBe("KEY_REVOKED");
});

test("a clock that tells no time refuses whatever has a window or a revocation", () => {
  expect(codeOf({}, Number.NaN)).toBe("KEY_NOT_YET_VALID");
  expect(codeOf({ revoked: { atEpochMs: NOON, reason: "lost" } }, Number.NaN)).toBe("KEY_REVOKED");
});

test("what is only looked at again asks for no time, but for the role", () => {
  expect(codeOf({ revoked: { atEpochMs: 0, reason: "lost" } }, "any-time")).toBe("ada@example.com");
  expect(codeOf({ role: "canary" }, "any-time")).toBe("KEY_WRONG_ROLE");
});

test("a key serves no role but its own", () => {
  fc.assert(
    fc.property(fc.constantFrom(...KEY_ROLES), fc.constantFrom(...KEY_ROLES), (role, asked) => {
      const found = findKey({ keys: [{ ...ENTRY, role }] }, { keyId: PAIR.keyId, role: asked, at: NOON });
      expect(found.kind === "key").toBe(role === asked);
    }),
  );
});

test("identities are compared as people read them", () => {
  expect(sameIdentity("Ada@Example.com ", "ada@example.com")).toBe(true);
  expect(sameIdentity("ａda@example.com", "ada@example.com")).toBe(true);
  expect(sameIdentity("ada@example.com", "adа@example.com")).toBe(false);
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), (identity) => {
      expect(normalIdentity(normalIdentity(identity))).toBe(normalIdentity(identity));
    }),
  );
});

test("a trust file becomes a keyring, with keys in it or beside it", async () => {
  mkdirSync(path.join(folder, "keys"));
  writeFileSync(path.join(folder, "keys", "agent.pub"), OTHER.publicPem);
  const file = written([
    { ...KEY, notBefore: "2026-11-23T12:00:00Z", notAfter: "2026-11-23T13:00:01+01:00" },
    {
      identity: "agent-7",
      role: "agent",
      owner: "grace@example.com",
      publicKeyFile: "keys/agent.pub",
      revoked: { at: "2026-11-24T00:00:00Z", reason: "retired" },
    },
  ]);
  expect(await readTrustFile(file)).toEqual({
    keys: [
      ENTRY,
      {
        keyId: OTHER.keyId,
        publicPem: OTHER.publicPem,
        role: "agent",
        identity: "agent-7",
        owner: "grace@example.com",
        revoked: { atEpochMs: Date.parse("2026-11-24T00:00:00Z"), reason: "retired" },
      },
    ],
  });
});

test.each<[string, unknown, object, RegExp]>([
  ["no key", [], {}, /keys/],
  ["an unknown role", [{ ...KEY, role: "admin" }], {}, /role/],
  ["two roles", [{ ...KEY, role: ["approver", "canary"] }], {}, /role/],
  ["an unknown field", [{ ...KEY, trusted: true }], {}, /trusted/],
  ["no key text", [{ identity: "ada", role: "approver" }], {}, /exactly one of publicKey/],
  ["two key texts", [{ ...KEY, publicKeyFile: "a.pub" }], {}, /exactly one of publicKey/],
  [
    "a window that ends before it begins",
    [{ ...KEY, notBefore: "2026-11-23T12:00:00Z", notAfter: "2026-11-23T12:00:00Z" }],
    {},
    /later than notBefore/,
  ],
  ["a date without a zone", [{ ...KEY, notAfter: "2026-11-23T12:00:00" }], {}, /notAfter/],
  ["an identity with space around it", [{ ...KEY, identity: " ada" }], {}, /identity/],
  ["an owner of a person's key", [{ ...KEY, owner: "grace" }], {}, /keys of agents/],
  ["a key twice", [KEY, { ...KEY, role: "canary" }], {}, /lists key .* twice/],
  ["a private key", [{ ...KEY, publicKey: PAIR.privatePem }], {}, /a private key stands/],
  ["something beside it", [KEY], { everyone: true }, /everyone/],
  ["too many keys", Array.from({ length: 1001 }, () => KEY), {}, /keys/],
])("a trust file with %s is refused", async (_, keys, rest, why) => {
  await expect(
    readTrustFile(written(keys, rest)).catch((error: Error & { hint: string }) => {
      throw new Error(`${error.message}\n${error.hint}`);
    }),
  ).rejects.toThrow(why);
});

test("a trust file names no key outside its folder, also not through a link", async () => {
  writeFileSync(path.join(folder, "real.pub"), PAIR.publicPem);
  mkdirSync(path.join(folder, "inner"));
  symlinkSync(path.join(folder, "real.pub"), path.join(folder, "inner", "link.pub"));
  for (const publicKeyFile of ["../real.pub", "link.pub", path.join(folder, "real.pub")]) {
    const file = path.join(folder, "inner", "trust.yaml");
    writeFileSync(
      file,
      JSON.stringify({ schema: "canary.trust/v1", keys: [{ identity: "ada", role: "approver", publicKeyFile }] }),
    );
    await expect(readTrustFile(file)).rejects.toThrow(/outside its folder/);
  }
});

test("a trust file that is missing, a folder or too large is refused", async () => {
  await expect(readTrustFile(path.join(folder, "nothing.yaml"))).rejects.toThrow(/cannot read/);
  await expect(readTrustFile(folder)).rejects.toThrow(/no file that is read/);
  const large = path.join(folder, "large.yaml");
  writeFileSync(large, " ".repeat(1024 * 1024 + 1));
  await expect(readTrustFile(large)).rejects.toThrow(/no file that is read/);
});
