import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const PLAN = "scenarios/plans/scale-batch-workers.yaml";
/** Nothing listens there: port 1 is for privileged programs. */
const NOBODY = "http://127.0.0.1:1";

/** The command as its user would type it, in an environment that says nothing of a gate. */
function check(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const { CANARY_GATE: _gate, CANARY_GATE_TOKEN: _token, ...others } = process.env;
  const env = { ...others, ...environment };
  const { status, stdout } = spawnSync(process.execPath, ["bin/canary.js", "gate", "check", ...args, "--json"], {
    encoding: "utf8",
    env,
  });
  return { status, answer: JSON.parse(stdout) };
}

test("everything that is wrong with the command line is told at once", () => {
  const { status, answer } = check(["no-plan.yaml", "--resource", "service/worker/replicas", "db/x"]);
  expect(status).toBe(2);
  expect(answer).toMatchObject({ code: "USAGE", message: "5 things are wrong with the command line" });
  for (const problem of [
    "cannot read no-plan.yaml",
    "no environment is named",
    "service/worker/replicas, db/x: no value is given",
    "no gate is named",
    "the gate wants to know who asks",
  ]) {
    expect(answer.hint).toContain(`- ${problem}`);
  }
});

test("one thing that is wrong is told as itself, with its own exit code", () => {
  const rest = ["--environment", "production/eu-west", "--gate", NOBODY];
  const token = { CANARY_GATE_TOKEN: "abc" };
  expect(check(["no-plan.yaml", ...rest], token)).toMatchObject({ status: 3, answer: { code: "PLAN_INVALID" } });
  expect(check([PLAN, ...rest], token)).toMatchObject({ status: 20, answer: { code: "GATE_UNAVAILABLE" } });
  const twice = ["--image", "api=shop/api:1.5", "--resource", "service/api/image=1.5"];
  expect(check([PLAN, ...rest, ...twice], token)).toMatchObject({
    status: 2,
    answer: { message: expect.stringContaining("given twice") },
  });
});
