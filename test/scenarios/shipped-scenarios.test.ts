import path from "node:path";
import { expect, test } from "vitest";
import { tell } from "../story/tell.ts";
import { canary, codesOf, leftBehind, variantOf } from "./canary-command.ts";

const OUT = path.join("reports", "test-runs");

test("the flagship is promoted, its bundle verifies, and judging the recording again says the same; with it production lets the plan through, once", async () => {
  const run = await canary("run", "scenarios/scale-batch-workers.yaml", "--out", OUT);
  expect({ exit: run.exitCode, codes: codesOf(run) }, run.stderr).toEqual({ exit: 0, codes: ["ALL_SHOWN"] });

  const bundle = String(run.json["bundle"]);
  const runDir = path.dirname(bundle);
  const plan = path.join(runDir, "plan.yaml");
  const verified = await canary("verdict", "verify", bundle, "--plan", plan, "--require", "promote");
  expect(verified.exitCode).toBe(0);
  const otherPlan = await canary("verdict", "verify", bundle, "--plan", "scenarios/plans/drop-unused-index.yaml");
  expect(otherPlan.exitCode).toBe(30);

  const again = await canary("judge", runDir);
  expect({ exit: again.exitCode, codes: codesOf(again) }).toEqual({ exit: 0, codes: ["ALL_SHOWN"] });
  expect(leftBehind(run.pid)).toEqual([]);

  const { exitCode, stdout } = await tell(["--verdict", bundle]);
  expect(exitCode, stdout).toBe(0);
});

test("a flagship that scales to what is there already is held as a no-op", async () => {
  const scenario = await variantOf("scale-batch-workers", "no-op", {
    plan: [["with: { service: worker, replicas: 3 }", "with: { service: worker, replicas: 1 }"]],
  });
  const run = await canary("run", scenario, "--out", OUT);
  expect({ exit: run.exitCode, codes: codesOf(run) }, run.stderr).toEqual({ exit: 10, codes: ["NO_OP"] });
});

test("dropping the index that search needs is stopped and rejected by search's latency", async () => {
  const run = await canary("run", "scenarios/drop-unused-index.yaml", "--out", OUT);
  expect({ exit: run.exitCode, codes: codesOf(run) }, run.stderr).toMatchObject({ exit: 11 });
  expect(run.json["reasons"]).toContainEqual(
    expect.objectContaining({ code: "HARM_ALARM", message: expect.stringMatching(/route search had a median of/) }),
  );
  const bundle = String(run.json["bundle"]);
  expect((await canary("verdict", "verify", bundle)).exitCode).toBe(0);
  expect((await canary("verdict", "verify", bundle, "--require", "promote")).exitCode).toBe(11);
});

test("five requests a second are held as underpowered, with the time it would take", async () => {
  const run = await canary("run", "scenarios/tune-pool-at-night.yaml", "--out", OUT);
  expect(run.exitCode, run.stderr).toBe(10);
  expect(run.json["reasons"]).toContainEqual(
    expect.objectContaining({
      code: "UNDERPOWERED",
      subject: "checkout-latency",
      message: expect.stringMatching(/30 requests beyond the quantile after the plan take 34 min/),
    }),
  );
});

test("a rollback that forgets one of two rows is rejected on the quiet twin, before any traffic", async () => {
  const run = await canary("run", "scenarios/rollback-forgets-row.yaml", "--out", OUT);
  expect({ exit: run.exitCode, first: codesOf(run)[0] }, run.stderr).toEqual({ exit: 11, first: "UNDO_NOT_PROVEN" });
  expect(run.json["reasons"]).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining("rows/feature_settings/lighting_discount_percent") }),
  );
});

test("a flag change that writes the whole file is rejected for the flags it lost, and its undo puts back every byte", async () => {
  const run = await canary("run", "scenarios/flag-file-overwrite.yaml", "--out", OUT);
  expect({ exit: run.exitCode, codes: codesOf(run) }, run.stderr).toMatchObject({
    exit: 11,
    codes: expect.not.arrayContaining(["UNDO_NOT_PROVEN"]),
  });
  expect(run.json["reasons"]).toContainEqual(
    expect.objectContaining({
      code: "UNDECLARED_EFFECT",
      message: expect.stringContaining("flags/api/browse-enabled"),
    }),
  );
});
