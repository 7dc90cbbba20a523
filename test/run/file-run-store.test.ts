import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RecordingManifest } from "../../src/replay/recording.ts";
import { openRunStore, RUN_FILES } from "../../src/run/file-run-store.ts";
import type { RunStore } from "../../src/run/run-effects.ts";

/** Every write to it fails with ENOSPC. */
const FULL_DISK = "/dev/full";

let runDir = "";
beforeEach(() => {
  runDir = mkdtempSync(path.join(tmpdir(), "canary-store-"));
  mkdirSync(path.join(runDir, RUN_FILES.recording));
});
afterEach(() => rmSync(runDir, { recursive: true, force: true }));

const MANIFEST: RecordingManifest = {
  schema: "canary.recording/v1",
  runId: "run",
  seed: 1,
  routes: ["browse"],
  ratePerSecond: 10,
  startedEpochMs: 0,
  phases: {},
};

function open(): Promise<RunStore> {
  return openRunStore({ runDir, planText: "plan", scenarioText: "scenario", sign: async () => "bundle" });
}

test("an intent is on disk when it has been recorded, in order and numbered", async () => {
  await using store = await open();
  await store.intent.record({ kind: "undo", actionId: "a" });
  await store.intent.record({ kind: "undone", actionId: "a", ok: true });
  expect(readFileSync(path.join(runDir, RUN_FILES.intent), "utf8").trim().split("\n")).toEqual([
    '{"sequence":0,"kind":"undo","actionId":"a"}',
    '{"sequence":1,"kind":"undone","actionId":"a","ok":true}',
  ]);
});

test("the ledger takes an intent before the journal, and what it refuses is in neither", async () => {
  const ledger: string[] = [];
  await using store = await openRunStore({
    runDir,
    planText: "plan",
    scenarioText: "scenario",
    sign: async () => "bundle",
    ledgerIntents: {
      record: async ({ kind }) => {
        if (kind === "act") throw new Error("the ledger is gone");
        ledger.push(kind);
      },
    },
  });
  await store.intent.record({ kind: "undo", actionId: "a" });
  const act = store.intent.record({ kind: "act", actionId: "b", uses: "exec", undo: null });
  await expect(act).rejects.toThrow("the ledger is gone");
  expect(ledger).toEqual(["undo"]);
  expect(readFileSync(path.join(runDir, RUN_FILES.intent), "utf8")).toBe(
    '{"sequence":0,"kind":"undo","actionId":"a"}\n',
  );
});

test("readings are in the recording when its manifest is, and no half-written file is left", async () => {
  await using store = await open();
  store.saveMetrics([{ atMs: 1, role: "shadow", key: "cpu", value: 2 }]);
  await store.saveManifest(MANIFEST);
  const recording = path.join(runDir, RUN_FILES.recording);
  expect(readFileSync(path.join(recording, RUN_FILES.metrics), "utf8")).toBe(
    '{"atMs":1,"role":"shadow","key":"cpu","value":2}\n',
  );
  expect(readdirSync(recording).sort()).toEqual([RUN_FILES.manifest, RUN_FILES.metrics, RUN_FILES.responses]);
});

test("a disk that is full when an intent is recorded is an error that says what to do", async () => {
  symlinkSync(FULL_DISK, path.join(runDir, RUN_FILES.intent));
  await using store = await open();
  await expect(store.intent.record({ kind: "undo", actionId: "a" })).rejects.toMatchObject({
    code: "REPLAY_FAILED",
    message: expect.stringContaining("ENOSPC"),
    hint: expect.stringContaining("Make room"),
  });
});

test("a disk that fills up while readings are written ends neither the process nor in silence", async () => {
  symlinkSync(FULL_DISK, path.join(runDir, RUN_FILES.recording, RUN_FILES.metrics));
  await using store = await open();
  store.saveMetrics([{ atMs: 1, role: "shadow", key: "cpu", value: 2 }]);
  await expect(store.saveManifest(MANIFEST)).rejects.toMatchObject({ code: "REPLAY_FAILED" });
  store.saveMetrics([{ atMs: 2, role: "shadow", key: "cpu", value: 2 }]);
});

test("a folder that cannot be made is an error that says what to do", async () => {
  symlinkSync("/dev/null", path.join(runDir, "file"));
  const opening = openRunStore({
    runDir: path.join(runDir, "file", "below"),
    planText: "plan",
    scenarioText: "scenario",
    sign: async () => "bundle",
  });
  await expect(opening).rejects.toMatchObject({ code: "REPLAY_FAILED" });
});
