import { describe, expect, test } from "vitest";
import { parsePlan } from "../../src/plan/plan.ts";
import { runbookObjections } from "../../src/runbook/hold-to-runbook.ts";
import { parseRunbook } from "../../src/runbook/runbook.ts";

const RUNBOOK = parseRunbook(
  JSON.stringify({
    schema: "canary.runbook/v1",
    name: "backlog",
    author: "priya@example.com",
    steps: [
      {
        id: "scale-out",
        what: "add workers",
        actions: [
          {
            uses: "scale",
            with: { service: "worker", replicas: { between: [1, 5] } },
            requires: ["containers:scale@batch"],
          },
          {
            uses: "http",
            with: { service: "api", port: 8080, path: "/jobs/*/retry" },
            requires: ["http:post@api/jobs"],
          },
        ],
        rollbacks: [{ uses: "restart", with: { service: "worker" } }],
      },
      { id: "restart", what: "restart workers", actions: [{ uses: "restart", with: { service: "worker" } }] },
    ],
  }),
  "runbook",
);

const SCALE = {
  id: "more",
  uses: "scale",
  with: { service: "worker", replicas: 3 },
  requires: ["containers:scale@batch"],
  rollback: { uses: "scale", with: { service: "worker", replicas: 1 } },
};

function objections(action: object, changes: object = {}, step = "scale-out"): readonly string[] {
  const plan = parsePlan(
    JSON.stringify({
      schema: "canary.plan/v1",
      name: "p",
      agent: { id: "agent-7", version: "1", model: { provider: "a", name: "b", version: "1" } },
      runbook: { name: "backlog", sha256: RUNBOOK.sha256, step },
      target: { environment: "production" },
      tier: 2,
      confidence: 0.9,
      intent: "drain",
      actions: [{ what: "do it", why: "it is needed", ...action }],
      rollback: { withinSeconds: 30 },
      ...changes,
    }),
    "plan",
  );
  return runbookObjections(plan, RUNBOOK);
}

test("a plan that stays within its step is allowed", () => {
  expect(objections(SCALE)).toEqual([]);
  expect(objections({ ...SCALE, requires: [] })).toEqual([]);
});

test("parameters that nobody gave are allowed as they are by default, and not otherwise", () => {
  const http = { id: "retry", uses: "http", with: { service: "api", port: 8080, path: "/jobs/7/retry" } };
  expect(objections(http)).toEqual([]);
  expect(objections({ ...http, with: { ...http.with, method: "POST", headers: {} } })).toEqual([]);
  expect(objections({ ...http, with: { ...http.with, method: "DELETE" } })).toHaveLength(1);
  expect(objections({ ...http, with: { ...http.with, body: "x" } })).toHaveLength(1);
  expect(objections({ ...http, with: { ...http.with, dryRun: { path: "/" } } })).toHaveLength(1);
});

describe("a plan is refused", () => {
  test.each<[string, object, object, string, RegExp]>([
    [
      "an action of another kind",
      { id: "x", uses: "remove", with: { service: "worker" } },
      {},
      "scale-out",
      /action x \(remove\) matches no action/,
    ],
    [
      "an action on something else",
      { ...SCALE, with: { service: "db", replicas: 3 } },
      {},
      "scale-out",
      /matches no action/,
    ],
    [
      "an action beyond its bounds",
      { ...SCALE, with: { service: "worker", replicas: 6 } },
      {},
      "scale-out",
      /matches no action/,
    ],
    [
      "a scope that the step does not grant",
      { ...SCALE, requires: ["containers:scale@batch", "postgres:ddl@shop"] },
      {},
      "scale-out",
      /requires postgres:ddl@shop, which step scale-out/,
    ],
    [
      "an undo that the step does not allow",
      { ...SCALE, rollback: { uses: "remove", with: { service: "worker" } } },
      {},
      "scale-out",
      /rollback of action more \(remove\)/,
    ],
    [
      "a way out that the step does not allow",
      SCALE,
      { onFailure: [{ id: "out", step: { uses: "remove", with: { service: "worker" } } }] },
      "scale-out",
      /onFailure or onAbort \(remove\)/,
    ],
    ["a step that the runbook does not have", SCALE, {}, "drop-everything", /has no step drop-everything/],
    [
      "an action of another step than it names",
      { id: "r", uses: "restart", with: { service: "worker" } },
      {},
      "scale-out",
      /would match step restart, which is not the one/,
    ],
    ["no runbook", SCALE, { runbook: undefined }, "scale-out", /names no runbook/],
    [
      "the digest of another runbook",
      SCALE,
      { runbook: { name: "backlog", sha256: "0".repeat(64), step: "scale-out" } },
      "scale-out",
      /not about backlog/,
    ],
  ])("for %s", (_, action, changes, step, why) => {
    expect(objections(action, changes, step)).toEqual([expect.stringMatching(why)]);
  });
});

test("an undo may be one of the step's rollbacks", () => {
  expect(objections({ ...SCALE, rollback: { uses: "restart", with: { service: "worker" } } })).toEqual([]);
});
