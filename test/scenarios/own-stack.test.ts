import { cp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { canary, codesOf, leftBehind } from "./canary-command.ts";

test("canary init on a Compose file that is not ours leads to a first verdict", async () => {
  const folder = path.join("reports", "test-variants", "hello");
  await rm(folder, { recursive: true, force: true });
  await cp("test/scenarios/fixtures/hello", folder, { recursive: true });

  const init = await canary("init", path.join(folder, "compose.yaml"));
  expect(init.exitCode, init.stderr).toBe(0);
  const scenarioFile = path.join(folder, String(init.json["scenarioFile"]));
  const scenario = await readFile(scenarioFile, "utf8");
  // What init writes takes its time; more traffic shows the same path sooner. There is room to double blocks on a machine
  // whose seconds lean on each other.
  const shorter = scenario
    .replace(
      /judge: .*/,
      "judge: { blockSeconds: 5, baselineSecondsMax: 600, settleSeconds: 5, observeSecondsMax: 600 }",
    )
    .replace("ratePerSecond: 40", "ratePerSecond: 100")
    .replace('limit: { to: "+50%" }', 'limit: { to: "+200%" }');
  expect(shorter).not.toBe(scenario);
  await writeFile(scenarioFile, shorter);
  const planFile = path.join(folder, String(init.json["planFile"]));
  const plan = await readFile(planFile, "utf8");
  await writeFile(planFile, plan.replace('to: "+40%"', 'to: "+150%"'));

  const run = await canary("run", scenarioFile, "--out", path.join("reports", "test-runs"));
  expect({ exit: run.exitCode, codes: codesOf(run) }, run.stderr).toEqual({ exit: 0, codes: ["ALL_SHOWN"] });
  expect(leftBehind(run.pid)).toEqual([]);
});
