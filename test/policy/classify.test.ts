import { expect, test } from "vitest";
import { parsePlan } from "../../src/plan/plan.ts";
import { readPlan } from "../../src/policy/admit.ts";
import { ASKING } from "../support/shipped-policy.ts";

const SCALE = { uses: "scale", with: { service: "worker", replicas: 3 } };
const BACK = { uses: "scale", with: { service: "worker", replicas: 1 } };

function planWith(step: object, rollback: object) {
  const action = {
    id: "act",
    what: "act",
    why: "because",
    ...step,
    requires: ["all", "postgres:roles@shop", "http:post@api/**"],
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

const OPERATOR = { mayChange: ["service/**", "db/**", "redis/**"] };
const admission = (step: object, rollback: object) => readPlan(planWith(step, rollback), OPERATOR, ASKING);

test("the tier is what the action is, whatever the plan says", () => {
  expect(admission(SCALE, BACK).tier).toEqual({ declared: 0, classified: 2, effective: 2 });
});

test.each([
  { rollback: { uses: "sql", with: { service: "db", statements: ["DROP INDEX orders_total"] } } },
  { rollback: { uses: "exec", with: { service: "db", argv: ["true"] } } },
  { rollback: { uses: "scale", with: { service: "worker", replicas: 0 } } },
])("what stands under rollback is classified like what stands under with: $rollback.uses", ({ rollback }) => {
  expect(admission(SCALE, rollback).tier.effective).toBe(3);
});

test.each([
  [{ method: "GET", path: "/admin/state" }, 0],
  [{ method: "GET", path: "/admin/flush?all=1" }, 3],
  [{ method: "GET", path: "/admin/flush", body: { all: true } }, 3],
  [{ method: "POST", path: "/admin/state" }, 3],
])("a request that only asks brings no arguments: %j is of tier %i", (request, tier) => {
  const step = { uses: "http", with: { service: "api", port: 80, ...request } };
  expect(admission(step, { uses: "wait", with: { seconds: 1 } }).tier.effective).toBe(tier);
});

test("neither does a probe, which asks again and again", () => {
  const probe = (path: string) => ({ uses: "probe", with: { service: "api", port: 80, path } });
  const waiting = { uses: "wait", with: { seconds: 1 } };
  expect(admission(probe("/healthz"), waiting).tier.effective).toBe(0);
  expect(admission(probe("/admin/flush?all=1"), waiting).tier.effective).toBe(3);
});

test("a table that is dropped by an undo is lost, unless its own action made it", () => {
  const drop = { uses: "sql", with: { service: "db", statements: ["DROP TABLE audit"] } };
  const create = { uses: "sql", with: { service: "db", statements: ["CREATE TABLE audit (id int)"] } };
  const perhaps = { uses: "sql", with: { service: "db", statements: ["CREATE TABLE IF NOT EXISTS audit (id int)"] } };
  expect(admission(create, drop).tier.effective).toBe(3);
  expect(admission(perhaps, drop).tier.effective).toBe(4);
  expect(admission(SCALE, drop).tier.effective).toBe(4);
});
