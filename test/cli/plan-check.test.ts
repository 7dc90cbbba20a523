import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { checkPlanFile } from "../../src/cli/check-plan-file.ts";
import { planCheckLines } from "../../src/report/terminal/plan-check-block.ts";

const BAD = "test/cli/fixtures/bad-plan.yaml";
const SCENARIO = "scenarios/scale-batch-workers.yaml";
const FLAGSHIP = "scenarios/plans/scale-batch-workers.yaml";

/** The command as its user would type it, from the root of the project. */
function check(...args: readonly string[]) {
  return spawnSync(process.execPath, ["bin/canary.js", "plan", "check", ...args], { encoding: "utf8" });
}

test("a plan that policy refuses is shown with every objection at once", async () => {
  const lines = planCheckLines(await checkPlanFile(BAD, SCENARIO));
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("golden/plan-check-refused.txt");
});

test("without a scenario the strictest environment is taken, and it is said what nobody looked at", async () => {
  const lines = planCheckLines(await checkPlanFile(FLAGSHIP, undefined));
  expect(lines).toContain("Nothing stands against a rehearsal.");
  expect(lines.at(-1)).toContain("note: Without a scenario, production's floors were taken");
});

test("--json prints one document that a machine can act on, and a refusal ends with 12", () => {
  const { status, stdout } = check(BAD, "--json");
  const document = JSON.parse(stdout);
  expect(document).toMatchObject({ kind: "plan-check", exitCode: 12, admission: { kind: "refused" } });
  expect(document.admission.actions[0]).toMatchObject({ id: "look", step: { deed: "read", tier: 0 } });
  expect(status).toBe(12);
});

test("a plan that nothing stands against ends with 0", () => {
  expect(check(FLAGSHIP, "--scenario", SCENARIO)).toMatchObject({ status: 0, stderr: "" });
});

test("what is no plan, or is not there, is invalid", async () => {
  await expect(checkPlanFile(SCENARIO, undefined)).rejects.toMatchObject({ code: "PLAN_INVALID", exitCode: 3 });
  await expect(checkPlanFile("nowhere.yaml", undefined)).rejects.toMatchObject({ code: "PLAN_INVALID" });
});
