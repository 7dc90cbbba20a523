import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isSignedBy, signPayload } from "../../src/attest/dsse.ts";
import { readPrivateKeyFile, readPublicKeyFile, writeKeyFiles } from "../../src/attest/key-files.ts";
import { loadPrivateKey, loadPublicKey, newKeyPair } from "../../src/attest/keys.ts";

async function emptyFolder() {
  const path = await mkdtemp(join(tmpdir(), "canary-keys-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

const unusable = (message: RegExp) =>
  expect.objectContaining({ code: "KEY_UNUSABLE", message: expect.stringMatching(message) });
const payload = Buffer.from("statement");

test("what a new key signs, its public half verifies, and no other", () => {
  const pair = newKeyPair();
  const signature = signPayload(payload, loadPrivateKey(pair.privatePem));
  expect(isSignedBy(payload, signature, loadPublicKey(pair.publicPem))).toBe(true);
  expect(isSignedBy(payload, signature, loadPublicKey(newKeyPair().publicPem))).toBe(false);
});

test("a key is named by the digest of its public half, as cosign names it", () => {
  const { publicPem, privatePem, keyId } = newKeyPair();
  const der = createPublicKey(publicPem).export({ type: "spki", format: "der" });
  expect(keyId).toBe(createHash("sha256").update(der).digest("base64"));
  expect(loadPrivateKey(privatePem)).toMatchObject({ keyId, publicPem });
  expect(loadPublicKey(publicPem).keyId).toBe(keyId);
});

test("a key with a passphrase is written encrypted and opens with it alone", () => {
  const { privatePem, keyId } = newKeyPair("correct horse");
  expect(privatePem).toContain("BEGIN ENCRYPTED PRIVATE KEY");
  expect(loadPrivateKey(privatePem, "correct horse").keyId).toBe(keyId);
  expect(() => loadPrivateKey(privatePem)).toThrow(unusable(/no passphrase/));
  expect(() => loadPrivateKey(privatePem, "wrong")).toThrow(unusable(/passphrase right/));
  expect(() => loadPrivateKey(privatePem, "")).toThrow(unusable(/passphrase right/));
});

test("a passphrase is not asked of a key that has none", () => {
  const { privatePem, keyId } = newKeyPair();
  expect(loadPrivateKey(privatePem, "unneeded").keyId).toBe(keyId);
});

test.each(["", "not a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])(
  "%j is no key",
  (pem) => {
    expect(() => loadPrivateKey(pem)).toThrow(unusable(/not a PEM key/));
    expect(() => loadPublicKey(pem)).toThrow(unusable(/private key stands|not a PEM key/));
  },
);

test("keys of other kinds are refused by name", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const privatePem = String(privateKey.export({ type: "pkcs8", format: "pem" }));
  expect(() => loadPrivateKey(privatePem)).toThrow(unusable(/is ec, not Ed25519/));
  const publicPem = String(publicKey.export({ type: "spki", format: "pem" }));
  expect(() => loadPublicKey(publicPem)).toThrow(unusable(/is ec, not Ed25519/));
});

test("a pair on disk is the owner's alone and reads back", async () => {
  await using folder = await emptyFolder();
  const pair = newKeyPair("secret");
  const files = await writeKeyFiles({ folder: join(folder.path, "keys"), name: "canary", pair });
  expect((await stat(join(folder.path, "keys"))).mode & 0o777).toBe(0o700);
  expect((await stat(files.privatePath)).mode & 0o777).toBe(0o600);
  expect((await readPrivateKeyFile(files.privatePath, "secret")).keyId).toBe(pair.keyId);
  expect(await readPublicKeyFile(files.publicPath)).toMatchObject({ keyId: pair.keyId, publicPem: pair.publicPem });
});

test.each(["canary.key", "canary.pub"])(
  "an existing %s is never overwritten, and nothing is left half written",
  async (existing) => {
    await using folder = await emptyFolder();
    await writeFile(join(folder.path, existing), "precious");
    const writing = writeKeyFiles({ folder: folder.path, name: "canary", pair: newKeyPair() });
    await expect(writing).rejects.toThrow(unusable(/EEXIST/));
    expect(await readFile(join(folder.path, existing), "utf8")).toBe("precious");
    const other = existing === "canary.key" ? "canary.pub" : "canary.key";
    await expect(stat(join(folder.path, other))).rejects.toThrow("ENOENT");
  },
);

test.each([0o640, 0o604, 0o660, 0o644])("a private key that others can read (mode %o) is not used", async (mode) => {
  await using folder = await emptyFolder();
  const { privatePath } = await writeKeyFiles({ folder: folder.path, name: "canary", pair: newKeyPair() });
  await chmod(privatePath, mode);
  await expect(readPrivateKeyFile(privatePath)).rejects.toThrow(unusable(/can be read by others/));
});

test("the other half of a pair is named as what it is, whatever else would be wrong with the file", async () => {
  await using folder = await emptyFolder();
  const { privatePath, publicPath } = await writeKeyFiles({ folder: folder.path, name: "ada", pair: newKeyPair() });
  await expect(readPrivateKeyFile(publicPath)).rejects.toMatchObject({
    code: "KEY_UNUSABLE",
    message: `${publicPath} holds a public key, where a private one is needed`,
    hint: expect.stringContaining(".key"),
  });
  await expect(readPublicKeyFile(privatePath)).rejects.toMatchObject({
    code: "KEY_UNUSABLE",
    message: `${privatePath} holds a private key, where a public one is needed`,
    hint: expect.stringContaining(".pub"),
  });
  const pair = newKeyPair("secret");
  expect(() => loadPrivateKey(pair.publicPem)).toThrow(unusable(/public key stands/));
  expect(() => loadPublicKey(pair.privatePem)).toThrow(unusable(/private key stands/));
});

test("a folder that others may write into gets no key", async () => {
  await using folder = await emptyFolder();
  await chmod(folder.path, 0o777);
  const writing = writeKeyFiles({ folder: folder.path, name: "canary", pair: newKeyPair() });
  await expect(writing).rejects.toThrow(unusable(/others may write/));
});

test("a missing, a huge and a folder's key file are one clear error", async () => {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, "huge"), "x".repeat(20_000), { mode: 0o600 });
  await expect(readPrivateKeyFile(join(folder.path, "none"))).rejects.toThrow(unusable(/ENOENT/));
  await expect(readPrivateKeyFile(join(folder.path, "huge"))).rejects.toThrow(unusable(/not a key file/));
  await expect(readPublicKeyFile(folder.path)).rejects.toThrow(unusable(/not a key file/));
});

test("errors about keys never show the key", () => {
  const { privatePem } = newKeyPair();
  const broken = privatePem.replace("M", "!");
  expect(() => loadPrivateKey(broken)).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining(broken.slice(40, 60)) }),
  );
});
