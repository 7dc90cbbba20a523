import path from "node:path";
import { expect, test } from "vitest";
import { canary, codesOf, variantOf } from "../scenarios/canary-command.ts";

const OUT = path.join("reports", "test-runs");

test("a flagship that removes the worker instead is rejected because no job gets done", async () => {
  const scenario = await variantOf("scale-batch-workers", "reversed", {
    plan: [["with: { service: worker, replicas: 3 }", "with: { service: worker, replicas: 0 }"]],
    scenario: [["settleSeconds: 15,", "settleSeconds: 15, restartSettleSeconds: 15,"]],
  });
  const run = await canary("run", scenario, "--out", OUT);
  expect({ exit: run.exitCode, first: codesOf(run)[0] }, run.stderr).toEqual({ exit: 11, first: "SLO_OUTSIDE_RANGE" });
});

/** How a shipped scenario ends: its exit code, and codes of which at least one must be among its reasons. */
const ENDS: readonly (readonly [string, number, readonly string[]])[] = [
  ["flag-first-rollout", 0, ["ALL_SHOWN"]],
  ["rolling-restart", 0, ["ALL_SHOWN"]],
  ["delete-noisy-service", 11, ["HARM_ALARM", "WORK_SHRANK", "SLO_OUTSIDE_RANGE"]],
  ["rotate-credential-in-use", 11, ["HARM_ALARM", "WORK_SHRANK", "SLO_OUTSIDE_RANGE"]],
  ["migration-locks-table", 11, ["EXCESS_STALLS", "HARM_ALARM", "EXCESS_ERRORS"]],
];

test.each(ENDS)("%s ends with %i", async (name, exit, codes) => {
  const run = await canary("run", `scenarios/${name}.yaml`, "--out", OUT);
  expect(run.exitCode, run.stderr).toBe(exit);
  expect(
    codesOf(run).filter((code) => codes.includes(code)),
    codesOf(run).join(", "),
  ).not.toEqual([]);
});
