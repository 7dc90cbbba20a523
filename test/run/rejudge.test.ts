import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Reason } from "../../src/judge/verdict.ts";
import { rejudge } from "../../src/run/rejudge.ts";

let runDir: string;
beforeEach(async () => {
  runDir = await mkdtemp(join(tmpdir(), "canary-rejudge-"));
});
afterEach(() => rm(runDir, { recursive: true }));

/** A run of a shipped scenario that ended before any traffic, with the reasons it was given. */
async function storedRun(name: string, reasons: readonly Reason[]): Promise<void> {
  await copyFile(`scenarios/${name}.yaml`, join(runDir, "scenario.yaml"));
  await copyFile(`scenarios/plans/${name}.yaml`, join(runDir, "plan.yaml"));
  const effect = { path: "service/api/env/POOL_SIZE", kind: "changed", before: "10", after: "20" };
  const report = {
    schema: "canary.report/v1",
    plan: { tier: { declared: 2, classified: 2, effective: 2 } },
    mirror: { facts: { cores: { kind: "pinned" } } },
    verdict: { kind: "hold", reasons },
    slos: [],
    quiet: { actions: [{ id: "act", effects: [effect], undeclared: [], absent: [], noOp: false }], residue: [] },
    rollback: { kind: "run", undoMs: 1, withinMs: 2, residue: [], notRecovered: [] },
    consequences: [],
    traffic: { phases: {} },
    timeline: [],
  };
  await writeFile(join(runDir, "report.json"), JSON.stringify(report));
}

test("a run that its rate alone ended says so again", async () => {
  await storedRun("tune-pool-at-night", [{ code: "UNDERPOWERED", message: "too few requests" }]);
  const { verdict } = await rejudge(runDir);
  expect(verdict).toMatchObject({ kind: "hold", reasons: [{ code: "UNDERPOWERED" }] });
});

test("a human whom the policy of then asked for is still needed, whatever the policy of today says", async () => {
  await storedRun("tune-pool-at-night", [{ code: "HUMAN_NEEDED", message: "A human must agree: it was unsure." }]);
  const { verdict } = await rejudge(runDir);
  expect(verdict.reasons).toContainEqual({ code: "HUMAN_NEEDED", message: "A human must agree: it was unsure." });
});

test("what only a stub saw, and what was not performed under load, is doubted again", async () => {
  const doubts: readonly Reason[] = [
    { code: "REQUESTED_NOT_PROVEN", subject: "POST x/y", message: "POST x/y was only asked of a stub" },
    { code: "NO_OP", subject: "act", message: "Action act found its target already as it wants it under load" },
  ];
  await storedRun("scale-batch-workers", doubts);
  const { verdict } = await rejudge(runDir);
  expect(verdict.kind).toBe("hold");
  expect(verdict.reasons).toEqual(expect.arrayContaining([...doubts]));
});
