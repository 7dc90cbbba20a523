import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Intent } from "../../src/core/intent-log.ts";
import { KEPT_FILES } from "../../src/mirror/twins/kept-runs.ts";
import type { ResumeState } from "../../src/replay/proof/resume-rollback.ts";
import { openDrillStore } from "../../src/run/drill/drill-store.ts";
import { fingerprintFrom } from "../support/fingerprint-builder.ts";

const RUN: Intent = { kind: "run", runId: "drill/abort/1", planSha256: "0", scenario: "s" };
const STEP = { uses: "scale", with: { service: "worker", replicas: 1 } };
const act = (actionId: string): Intent => ({ kind: "act", actionId, uses: "scale", undo: STEP });
const KEPT: ResumeState = {
  reference: fingerprintFrom({ resources: {}, tables: {}, keys: {} }),
  consequences: [],
  directEffects: [],
  baseDir: "/scenario",
  undoTries: 3,
};

async function storeWithTwins() {
  const folder = mkdtempSync(path.join(tmpdir(), "canary-drill-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const store = await openDrillStore({ folder, planText: "plan", scenarioText: "scenario", sign: () => "{}" });
  onTestFinished(async () => await store[Symbol.asyncDispose]());
  writeFileSync(path.join(folder, KEPT_FILES.twins), "{}");
  const sequences = (): readonly number[] =>
    readFileSync(path.join(folder, KEPT_FILES.intent), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).sequence);
  return { store, folder, sequences };
}

test("the next harness finds on disk what is to be undone, last act first, and the state that must come back", async () => {
  const { store, folder } = await storeWithTwins();
  await store.keepForResume(KEPT);
  for (const intent of [RUN, act("first"), act("second")]) await store.intent.record(intent);
  const left = await store.nextHarness();
  expect(left?.folder).toBe(folder);
  expect(left?.unfinished.undo.map(({ actionId }) => actionId)).toEqual(["second", "first"]);
  expect(left?.kept).toEqual(KEPT);
});

test("the log goes on after the death of its writer, whoever of the two writes", async () => {
  const { store, sequences } = await storeWithTwins();
  await store.keepForResume(KEPT);
  for (const intent of [RUN, act("first"), act("second")]) await store.intent.record(intent);
  const left = await store.nextHarness();
  await left?.intent.record({ kind: "undone", actionId: "second", ok: true });
  await store.intent.record({ kind: "undone", actionId: "first", ok: true });
  expect(sequences()).toEqual([0, 1, 2, 3, 4]);
  expect(await store.nextHarness()).toBeUndefined();
});

test("a cell that has ended leaves nothing to the harness that dies in a later one", async () => {
  const { store } = await storeWithTwins();
  await store.keepForResume(KEPT);
  for (const intent of [RUN, act("left-undone"), { kind: "end", outcome: "not-restored" } as const, RUN, act("own")])
    await store.intent.record(intent);
  const left = await store.nextHarness();
  expect(left?.unfinished.undo.map(({ actionId }) => actionId)).toEqual(["own"]);
});

test("where the state before is not on disk, nothing is undone that could not be compared", async () => {
  const { store } = await storeWithTwins();
  for (const intent of [RUN, act("first")]) await store.intent.record(intent);
  await expect(store.nextHarness()).rejects.toMatchObject({ code: "REPLAY_FAILED" });
});
