import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ownKeyring } from "../../src/attest/keyring.ts";
import { loadPrivateKey, newKeyPair } from "../../src/attest/keys.ts";
import { signProfile } from "../../src/attest/profile-statement.ts";
import type { Profile } from "../../src/judge/profile.ts";
import { SloSchema } from "../../src/measure/slo.ts";
import { findProfile, type ProfileQuestion, readProfile, writeProfile } from "../../src/run/profile-store.ts";
import { openScratchStore } from "../../src/run/scratch-store.ts";
import { profileFor } from "../support/profile-builder.ts";

const NOW = Date.UTC(2026, 10, 23);
const DAY_MS = 86_400_000;
const KEY = loadPrivateKey(newKeyPair().privatePem);
const STRANGER = loadPrivateKey(newKeyPair().privatePem);
const slo = SloSchema.parse({ name: "p50", measure: { kind: "latency", quantile: 0.5 }, limit: { to: "+10%" } });
const made = (ageDays: number, changes: Partial<Profile> = {}): Profile =>
  profileFor([slo], { createdEpochMs: NOW - ageDays * DAY_MS, changes });
const question: ProfileQuestion = {
  trusted: ownKeyring(KEY, "canary"),
  run: made(0),
  nowEpochMs: NOW,
};

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "canary-profiles-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Signs and writes under a name of its own, so that several about the same can lie side by side. */
function plant(name: string, profile: Profile, key = KEY): string {
  const file = path.join(folder, name);
  writeFileSync(file, signProfile(profile, key));
  return file;
}

test("the newest profile that fits is found; strangers', old and unreadable ones are passed over", async () => {
  plant("a.json", made(9));
  plant("b.json", made(3));
  plant("c.json", made(1), STRANGER);
  plant("d.json", made(0.5, { isolation: "standard" }));
  plant("e.json", made(40));
  writeFileSync(path.join(folder, "f.json"), "{");
  const found = await findProfile(folder, question);
  expect(found).toMatchObject({ kind: "found", file: path.join(folder, "b.json") });
});

test("where none fits it is said why, and where there is no folder a run goes on", async () => {
  plant("a.json", made(40));
  expect(await findProfile(folder, question)).toEqual({
    kind: "none",
    why: "a.json: it is 40 days old, 30 are allowed",
  });
  expect(await findProfile(path.join(folder, "missing"), question)).toEqual({ kind: "none", why: "none was made yet" });
});

test("a profile asked for by name is refused with every difference", async () => {
  const file = plant(
    "a.json",
    made(1, { isolation: "standard", traffic: { sha256: "7".repeat(64), ratePerSecond: 9 } }),
  );
  const refusal = readProfile(file, question);
  await expect(refusal).rejects.toMatchObject({
    code: "PROFILE_INVALID",
    hint: expect.stringMatching(/isolation was standard and is strict\n.*rate was 9 and is 60/),
  });
});

test("a profile asked for by name that a stranger signed, or that is not there, is refused", async () => {
  const file = plant("a.json", made(1), STRANGER);
  await expect(readProfile(file, question)).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
  await expect(readProfile(path.join(folder, "no.json"), question)).rejects.toMatchObject({ code: "PROFILE_INVALID" });
});

test("what was written is what is found, and one about the same replaces it", async () => {
  const file = await writeProfile(folder, made(1), KEY);
  expect(await writeProfile(folder, made(0), KEY)).toBe(file);
  expect(readdirSync(folder)).toEqual([path.basename(file)]);
  const found = await findProfile(folder, question);
  expect(found).toMatchObject({ kind: "found", attached: { profile: made(0) } });
});

test("a scratch folder is gone with what is in it", async () => {
  {
    await using scratch = await openScratchStore(folder);
    writeFileSync(path.join(scratch.recordingDir, "pairs.bin"), "x");
    expect(readdirSync(folder)).toHaveLength(1);
  }
  expect(readdirSync(folder)).toEqual([]);
});
