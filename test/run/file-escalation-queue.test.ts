import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Playbook } from "../../src/core/escalation-queue.ts";
import { playbookOf, queueOf } from "../../src/report/playbook.ts";
import type { RunReport } from "../../src/report/run-report.ts";
import { fileEscalationQueue } from "../../src/run/file-escalation-queue.ts";
import { simulateRun } from "../support/simulated-run.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "canary-queue-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const AT = "2026-11-23T12:00:00.000Z";

async function heldReport(): Promise<RunReport> {
  const { end } = await simulateRun({ seed: 7, laidOverPlan: { confidence: 0.2 } });
  if (end.kind === "error") throw end.error;
  return end.report;
}

/** A playbook of its own for every id, of a plan whose agent is not sure. */
async function playbook(id: string, at = AT): Promise<Playbook> {
  return playbookOf(await heldReport(), { id, queue: "operators", at, folder: "/runs/7" });
}

test("a plan of low confidence becomes a playbook that says what, why, the way back, the evidence and what was seen", async () => {
  const { because, actions, diagnostics, remedies, plan } = await playbook("run-7");
  expect(because[0]).toMatchObject({ code: "HUMAN_NEEDED", message: expect.stringContaining("confidence 0.2") });
  expect(plan).toMatchObject({ environment: "production/simulated", confidence: 0.2, tier: 2 });
  expect(actions).toMatchObject([{ id: "more-workers", why: "the simulation asks for it", does: expect.any(String) }]);
  expect(actions[0]?.rollback).toMatch(/given by the plan|scale/);
  expect(diagnostics.some((line) => /^errors: holds;/.test(line))).toBe(true);
  expect(remedies.length).toBeGreaterThan(0);
});

test("its scenario says who decides, else its policy where that asks for a human, else nobody in particular", async () => {
  const report = await heldReport();
  expect(queueOf(report, "sre-oncall")).toBe("sre-oncall");
  expect(queueOf(report, undefined)).toBe("on-call");
  expect(queueOf({}, undefined)).toBe("operators");
});

test("what was put is listed oldest first, and resolved once", async () => {
  const queue = fileEscalationQueue(folder);
  await queue.put(await playbook("later", "2026-11-23T13:00:00.000Z"));
  await queue.put(await playbook("earlier"));
  expect((await queue.list()).map(({ playbook: { id } }) => id)).toEqual(["earlier", "later"]);
  const decline = { outcome: "decline", by: "ada@example.com", at: AT, note: "not tonight" } as const;
  await queue.resolve("earlier", decline);
  expect((await queue.list())[0]).toMatchObject({ resolution: decline });
  await expect(queue.resolve("earlier", { ...decline, outcome: "approve" })).rejects.toThrow(/resolved already/);
  await expect(queue.resolve("nothing", decline)).rejects.toThrow(/no playbook nothing/);
  expect(readdirSync(folder).toSorted()).toEqual([
    "earlier.playbook.json",
    "earlier.resolution.json",
    "later.playbook.json",
  ]);
});

test("of many people who resolve the same one at once, one does", async () => {
  const queue = fileEscalationQueue(folder);
  await queue.put(await playbook("run-7"));
  const tries = Array.from({ length: 20 }, (_, n) =>
    queue.resolve("run-7", { outcome: "approve", by: `person-${n}`, at: new Date(Date.parse(AT) + n).toISOString() }),
  );
  const settled = await Promise.allSettled(tries);
  expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("a name that leads out of the folder is refused, and so is a file that is no playbook", async () => {
  const queue = fileEscalationQueue(folder);
  await expect(queue.put({ ...(await playbook("x")), id: "../x" })).rejects.toThrow();
  writeFileSync(path.join(folder, "odd.playbook.json"), "{}");
  await expect(queue.list()).rejects.toThrow(/no file of a queue/);
});

test("nothing waits where nothing was put", async () => {
  expect(await fileEscalationQueue(path.join(folder, "none")).list()).toEqual([]);
});
