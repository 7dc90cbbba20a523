import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parsePlan } from "../../src/plan/plan.ts";
import { admit } from "../../src/policy/admit.ts";

const FLAGSHIP = readFileSync("scenarios/plans/scale-batch-workers.yaml", "utf8");
const OPERATOR = { mayChange: ["service/worker/replicas", "db/db/shop/rows/jobs/**"] };

const admission = (from: string, to: string, operator = OPERATOR) => {
  expect(FLAGSHIP).toContain(from);
  return admit(parsePlan(FLAGSHIP.replace(from, to), "plan.yaml"), operator);
};

test("the flagship is admitted at the tier it declares", () => {
  expect(admit(parsePlan(FLAGSHIP, "plan.yaml"), OPERATOR)).toEqual({
    kind: "admitted",
    tier: { declared: 2, classified: 2, effective: 2 },
    humanNeeded: [],
  });
});

describe("refused before anything is raised", () => {
  test.each([
    ["a write without rollback", / {4}rollback: \{ uses: scale.*\n/.exec(FLAGSHIP)?.[0] ?? "", "", /has no rollback/],
    ["a write without scopes", 'requires: ["containers:scale@batch"]', "requires: []", /declares no scope/],
    [
      "a write without effects",
      'changes: ["service/worker/replicas", "db/db/shop/rows/jobs/**"]',
      "changes: []",
      /declares no effect/,
    ],
    [
      "effects that the operator does not allow",
      "service/worker/replicas",
      "service/api/replicas",
      /does not let plans change/,
    ],
    ["tier 4", "tier: 2", "tier: 4", /never replayed by an unattended agent/],
  ])("%s", (_what, from, to, why) => {
    const refused = admission(from, to);
    expect(refused.kind).toBe("refused");
    expect(refused.kind === "refused" ? refused.problems.join("\n") : "").toMatch(why);
  });
});

test("removing the last replica is a production write, whatever the plan says", () => {
  expect(admission("replicas: 3", "replicas: 0").tier).toEqual({ declared: 2, classified: 3, effective: 3 });
});

test("an agent that is not sure enough is rehearsed, but needs a human for more", () => {
  const unsure = admission("confidence: 0.91", "confidence: 0.6");
  expect(unsure).toMatchObject({ kind: "admitted", humanNeeded: [expect.stringContaining("0.6 is below 0.7")] });
});
