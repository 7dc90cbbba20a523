import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ownKeyring } from "../../src/attest/keyring.ts";
import { newKeyPair } from "../../src/attest/keys.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import { digestOfRecording } from "../../src/run/file-run-store.ts";
import { readResponses } from "../../src/run/read-responses.ts";
import { rejudge } from "../../src/run/rejudge.ts";
import { PAIR, TRUSTED } from "../attest/verdict-builder.ts";
import { simulateRun } from "../support/simulated-run.ts";
import { storeRun } from "../support/stored-run-folder.ts";

// Whoever can write into the folder of a run wants "promote" from it.

let dir: string;
let runDir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "canary-seal-"));
  const asked = { seed: 1, plan: "scale-one" } as const;
  await storeRun(await simulateRun(asked), join(dir, "signed"), asked);
});
beforeEach(async () => {
  runDir = join(dir, "run");
  await rm(runDir, { recursive: true, force: true });
  await cp(join(dir, "signed"), runDir, { recursive: true });
});
afterAll(() => rm(dir, { recursive: true }));

async function edited(name: string, edit: (text: string) => string): Promise<void> {
  const file = join(runDir, name);
  const text = await readFile(file, "latin1");
  expect(edit(text)).not.toBe(text);
  await writeFile(file, edit(text), "latin1");
}

const reportEdited = (edit: (report: Record<string, object>) => unknown) =>
  edited("report.json", (text) => JSON.stringify(edit(JSON.parse(text)), null, 2));

const BUNDLE = "verdict.sigstore.json";
const RECORDING = "recording/ (manifest.json, pairs.bin, metrics.jsonl, responses.jsonl)";

test("a folder as it was signed says who signed it", async () => {
  expect((await rejudge(runDir, undefined, { keys: [TRUSTED] })).seal).toEqual({ kind: "signed", keyId: PAIR.keyId });
});

describe("a file that was changed is refused by its name, whoever signed", () => {
  const zero = (text: string): string => text.replace(/"value":[^}]+/, '"value":0');
  const phases = (report: Record<string, object>) => ({ ...report, traffic: { ...report["traffic"], phases: {} } });
  test.each([
    [RECORDING, () => edited("recording/metrics.jsonl", zero)],
    [RECORDING, () => edited("recording/manifest.json", (t) => `${t}\n`)],
    [RECORDING, () => edited("recording/responses.jsonl", (text) => text.replaceAll("price", "prize").concat("\n"))],
    ["scenario.yaml", () => edited("scenario.yaml", (text) => `${text}\n# wider\n`)],
    ["plan.yaml", () => edited("plan.yaml", (text) => `${text}\n# kinder\n`)],
    ["report.json", () => reportEdited((report) => ({ ...report, alarm: undefined, slos: [] }))],
    ["report.json", () => reportEdited(phases)],
    ["report.json", () => reportEdited((report) => ({ ...report, rollback: { kind: "not-run", why: "" } }))],
    ["report.json", () => reportEdited((report) => ({ ...report, verdict: { kind: "hold", reasons: { keys: [] } } }))],
    [BUNDLE, () => reportEdited((report) => ({ ...report, bundleSha256: sha256Hex("another") }))],
    [BUNDLE, () => edited(BUNDLE, (text) => text.replace(/"payload":"..../, '"payload":"AAAA'))],
    [BUNDLE, () => edited(BUNDLE, () => "{}")],
  ])("%s", async (name, attack) => {
    await attack();
    for (const trusted of [{ keys: [TRUSTED] }, { keys: [] }]) {
      await expect(rejudge(runDir, undefined, trusted)).rejects.toMatchObject({
        code: "RECORDING_INVALID",
        message: expect.stringContaining(name),
      });
    }
  });
});

test("a signature that does not fit the trusted key it names is refused", async () => {
  const flipped = (text: string): string =>
    text.replace(/"sig":"(.)/, (_, first) => `"sig":"${first === "A" ? "B" : "A"}`);
  await edited(BUNDLE, flipped);
  await reportEdited(({ bundleSha256: _, ...report }) => report);
  await expect(rejudge(runDir, undefined, { keys: [TRUSTED] })).rejects.toMatchObject({
    code: "RECORDING_INVALID",
    message: expect.stringContaining("the signature does not fit"),
  });
  expect((await rejudge(runDir)).seal.kind).toBe("unverified");
});

test("without a bundle, without a key and with a foreign one, nobody vouches for it", async () => {
  const { publicPem, keyId } = newKeyPair();
  const unchecked = expect.stringContaining(`signature not checked: it names key ${PAIR.keyId}`);
  expect((await rejudge(runDir)).seal).toEqual({ kind: "unverified", why: unchecked });
  const foreign = await rejudge(runDir, undefined, ownKeyring({ keyId, publicPem }, "canary"));
  expect(foreign.seal).toEqual({ kind: "unverified", why: unchecked });
  await rm(join(runDir, BUNDLE));
  const why = expect.stringContaining(`no ${BUNDLE}`);
  expect((await rejudge(runDir, undefined, { keys: [TRUSTED] })).seal).toEqual({ kind: "unverified", why });
});

test("a recording that lost what was compared of answers is refused, and one that never had it keeps its digest", async () => {
  await rm(join(runDir, "recording/responses.jsonl"));
  await expect(rejudge(runDir, undefined, { keys: [TRUSTED] })).rejects.toMatchObject({ code: "RECORDING_INVALID" });
  const without = await digestOfRecording(join(runDir, "recording"));
  const digest = createHash("sha256");
  for (const name of ["manifest.json", "pairs.bin", "metrics.jsonl"]) {
    digest.update(`${name}\0true\0`).update(await readFile(join(runDir, "recording", name)));
  }
  expect(without).toBe(digest.digest("hex"));
});

test.each([
  ["no JSON", "{"],
  ["a field out of order", '{"field":7,"route":0,"path":"body/x","kind":"value"}'],
  ["a pair that differs in a field nobody named", "[1,2.5,0,99]"],
  ["a kind that nobody knows", '{"field":0,"route":0,"path":"body/x","kind":"other"}'],
])("compared answers with %s are damaged", async (_name, line) => {
  await writeFile(join(runDir, "recording/responses.jsonl"), `${line}\n`);
  await expect(readResponses(runDir)).rejects.toMatchObject({ code: "RECORDING_INVALID" });
});
