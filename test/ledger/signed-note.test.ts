import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openCheckpoint, signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { leafHash } from "../../src/ledger/merkle.ts";
import { openNote, parseVerifierKey, signNote, verifierKey } from "../../src/ledger/signed-note.ts";

/** The example of C2SP signed-note (FORMATS.md 15). */
const VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE =
  "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

const signer = { name: "canary.test/ledger", ...generateKeyPairSync("ed25519") };
const other = { name: "canary.test/ledger", ...generateKeyPairSync("ed25519") };
const ROOT = leafHash(Buffer.from("an entry"));

function exampleVerifier() {
  const verifier = parseVerifierKey(VKEY);
  if (verifier === undefined) throw new Error("the example's key is a key");
  return verifier;
}

test("the example of the specification verifies, and its key reads and writes the same", () => {
  const verifier = exampleVerifier();
  expect(openNote(NOTE, [verifier])).toMatchObject({ kind: "signed", text: "This is an example message.\n" });
  expect(verifierKey(verifier)).toBe(VKEY);
});

test("a note whose text or signature has another byte anywhere does not verify", () => {
  const bytes = Buffer.from(NOTE);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ change;
      expect(openNote(changed.toString("utf8"), [exampleVerifier()]).kind).toBe("problem");
    }),
    { numRuns: 400 },
  );
});

test("signatures of strangers are passed over, and do not make a note trusted", () => {
  const stranger = { name: "witness.example", ...generateKeyPairSync("ed25519") };
  const [text = "", own = ""] = signNote("a\n", signer).split("\n\n");
  const [, theirs = ""] = signNote("a\n", stranger).split("\n\n");
  expect(openNote(`${text}\n\n${theirs}${own}`, [signer]).kind).toBe("signed");
  expect(openNote(`${text}\n\n${theirs}`, [signer])).toMatchObject({ message: "is not signed by a trusted key" });
});

test("one signature of ours that does not fit spoils a note that has another that does", () => {
  const [, forOther = ""] = signNote("b\n", signer).split("\n\n");
  expect(openNote(`${signNote("a\n", signer)}${forOther}`, [signer])).toMatchObject({
    message: "has a signature of canary.test/ledger that does not fit",
  });
});

test("a checkpoint reads as it was signed, of its own log only", () => {
  const checkpoint = signCheckpoint(1042, ROOT, signer);
  expect(openCheckpoint(checkpoint.note, signer.name, [signer])).toEqual({ kind: "checkpoint", checkpoint });
  expect(checkpoint.note.split("\n").slice(0, 3)).toEqual([signer.name, "1042", ROOT.toString("base64")]);
  expect(openCheckpoint(checkpoint.note, signer.name, [other]).kind).toBe("problem");
  const elsewhere = { ...signer, name: "canary.test/staging" };
  expect(openCheckpoint(signCheckpoint(3, ROOT, elsewhere).note, signer.name, [elsewhere])).toMatchObject({
    message: "is of another log, canary.test/staging",
  });
});

test.each([
  ["a size with a leading zero", "canary.test/ledger\n01\nAAAA\n"],
  ["a size below zero", `canary.test/ledger\n-1\n${ROOT.toString("base64")}\n`],
  ["a root of 31 bytes", `canary.test/ledger\n1\n${ROOT.subarray(1).toString("base64")}\n`],
  ["no root", "canary.test/ledger\n1\n"],
  ["an origin with a space", `canary test\n1\n${ROOT.toString("base64")}\n`],
])("a signed text with %s is no checkpoint", (_, text) => {
  expect(openCheckpoint(signNote(text, signer), "canary.test/ledger", [signer]).kind).toBe("problem");
});

test.each([
  ["another name", VKEY.replace("example.com/foo", "example.com/bar")],
  ["another key id", VKEY.replace("530d903a", "530d903b")],
  ["another algorithm", VKEY.replace("+Aeky", "+Beky")],
  ["nothing", ""],
])("a verifier's line with %s is none", (_, line) => expect(parseVerifierKey(line)).toBeUndefined());
