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
