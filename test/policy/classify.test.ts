import { expect, test } from "vitest";
import { parsePlan } from "../../src/plan/plan.ts";
import { admit } from "../../src/policy/admit.ts";
import { classify } from "../../src/policy/classify.ts";

const SCALE = { uses: "scale", with: { service: "worker", replicas: 3 } };
const BACK = { uses: "scale", with: { service: "worker", replicas: 1 } };

function planWith(step: object, rollback: object) {
  const action = {
    id: "act",
    what: "act",
    why: "because",
    ...step,
    requires: ["all"],
    changes: ["service/worker/replicas"],
    rollback,
  };
  const plan = {
    schema: "canary.plan/v1",
    name: "plan",
    agent: { id: "a", version: "1", model: { provider: "p", name: "m", version: "1" } },
    target: { environment: "production" },
    tier: 0,
    confidence: 0.75,
    intent: "act",
    actions: [action],
    rollback: { withinSeconds: 10 },
  };
  return parsePlan(JSON.stringify(plan), "plan");
}

test("the tier is what the action is, whatever the plan says", () => {
  expect(classify(planWith(SCALE, BACK))).toEqual({ declared: 0, classified: 2, effective: 2 });
});

test.each([
  { uses: "sql", with: { service: "db", statements: ["DROP TABLE orders"] } },
  { uses: "exec", with: { service: "db", argv: ["true"] } },
  { uses: "scale", with: { service: "worker", replicas: 0 } },
])("what stands under rollback is classified like what stands under with: $uses", (rollback) => {
  expect(classify(planWith(SCALE, rollback)).effective).toBe(3);
  expect(admit(planWith(SCALE, rollback), { mayChange: ["service/**"] })).toMatchObject({
    kind: "admitted",
    humanNeeded: [expect.stringContaining("threshold of tier 3")],
  });
});
