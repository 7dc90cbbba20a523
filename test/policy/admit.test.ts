import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parsePlan } from "../../src/plan/plan.ts";
import { type Admission, admit } from "../../src/policy/admit.ts";
import { ASKING } from "../support/shipped-policy.ts";

const FLAGSHIP = readFileSync("scenarios/plans/scale-batch-workers.yaml", "utf8");
const UNDONE_SCALE = / {4}uses: scale\n {4}with:.*\n/.exec(FLAGSHIP)?.[0] ?? "";
const ROLLBACK = / {4}rollback: \{ uses: scale.*\n/.exec(FLAGSHIP)?.[0] ?? "";
const CHANGES_LINE = /changes: \[.*\]/.exec(FLAGSHIP)?.[0] ?? "";
const OPERATOR = { mayChange: ["service/worker/replicas", "db/db/shop/rows/jobs/**", "response/**"] };

const admission = (from: string, to: string, operator = OPERATOR) => {
  expect(FLAGSHIP).toContain(from);
  return admit(parsePlan(FLAGSHIP.replace(from, to), "plan.yaml"), operator, ASKING);
};

test("the flagship is admitted at the tier it declares", async () => {
  expect(await admit(parsePlan(FLAGSHIP, "plan.yaml"), OPERATOR, ASKING)).toMatchObject({
    kind: "admitted",
    tier: { declared: 2, classified: 2, effective: 2 },
    humanNeeded: [],
  });
});

describe("refused before anything is raised", () => {
  test.each([
    ["a write without scopes", 'requires: ["containers:scale@batch"]', "requires: []", /declares no scope/],
    ["a write without effects", CHANGES_LINE, "changes: []", /declares no effect/],
    [
      "effects that the operator does not allow",
      "service/worker/replicas",
      "service/api/replicas",
      /does not let plans change/,
    ],
    ["tier 4", "tier: 2", "tier: 4", /never replayed by an unattended agent/],
  ])("%s", async (_what, from, to, why) => {
    const refused = await admission(from, to);
    expect(refused.kind).toBe("refused");
    expect(refused.kind === "refused" ? refused.problems.join("\n") : "").toMatch(why);
  });
});

test("removing the last replica is a production write, whatever the plan says", async () => {
  expect((await admission("replicas: 3", "replicas: 0")).tier).toEqual({ declared: 2, classified: 3, effective: 3 });
});

test("an agent that is not sure enough is rehearsed, but needs a human for more", async () => {
  const unsure = await admission("confidence: 0.91", "confidence: 0.6");
  expect(unsure).toMatchObject({ kind: "admitted", humanNeeded: [expect.stringContaining("0.6 is below 0.7")] });
});

describe("what a step names must be declared", () => {
  test.each([
    ["changes: [service/worker/replicas", "changes: [service/api/replicas", /names service\/worker\/replicas/],
  ])("%s", async (from, to, why) => {
    const refused = await admission(from.replace("[", '["'), to.replace("[", '["'), { mayChange: ["**"] });
    expect(refused.kind === "refused" ? refused.problems.join("\n") : "").toMatch(why);
  });

  test.each([
    ["update", "{ service: worker, environment: { A: b } }", "service/worker/image", "service/worker/env/A"],
    [
      "sql",
      "{ service: db, statements: ['DELETE FROM orders WHERE id = 1'] }",
      "db/db/shop/rows/jobs/**",
      "db/db/*/rows/orders/**",
    ],
    ["redis", "{ service: cache, commands: [[DEL, a, b]] }", "redis/cache/a", "redis/cache/b"],
  ])("%s", async (uses, arguments_, declared, missing) => {
    const said = problems(await doing(uses, arguments_, `changes: ["${declared}"]`));
    expect(said).toContain(`names ${missing}, which its \`changes\` do not declare`);
  });
});

test("what acts on something that the mirror lacks is refused, its undo too", async () => {
  const knownMirror = { services: [{ name: "api" }, { name: "db" }], state: [], stubs: [] };
  const refused = await admit(parsePlan(FLAGSHIP, "plan.yaml"), { ...OPERATOR, knownMirror }, ASKING);
  expect(problems(refused)).toBe("action more-workers is about worker, which is no service of the mirror (api, db)");
});

/** The shipped policy, but tier 3 is tried first only where its target offers that. */
const DRY_RUN_OFFERED = ((): typeof ASKING => {
  const { data } = ASKING.policy;
  const third = { ...data.tiers[3], guardrails: { ...data.tiers[3].guardrails, dryRun: "offered" as const } };
  return { ...ASKING, policy: ASKING.policy.withData({ ...data, tiers: { ...data.tiers, 3: third } }) };
})();

test("whatever is of tier 3 must be tried first, unless the policy's data say otherwise and the scenario does not", async () => {
  const text = FLAGSHIP.replace(UNDONE_SCALE, "    uses: exec\n    with: { service: worker, argv: [drain] }\n");
  const plan = parsePlan(text, "plan.yaml");
  const strict = { mayChange: ["**"], policy: { namespaces: [], withoutDryRun: "refuse" as const } };
  const lax = { mayChange: ["**"] };
  expect(problems(await admit(plan, lax, ASKING))).toMatch(/tier 3 must be tried first, and this can not be: action/);
  expect(problems(await admit(plan, lax, DRY_RUN_OFFERED))).toBe("");
  expect(problems(await admit(plan, strict, DRY_RUN_OFFERED))).toMatch(/tier 3 must be tried first/);
});

test("an operator may name the programs that exec may run, in actions and in what undoes them", async () => {
  const text = FLAGSHIP.replace(UNDONE_SCALE, "    uses: exec\n    with: { service: worker, argv: [drain, now] }\n");
  const naming = (exec: readonly (readonly string[])[]) => ({
    mayChange: ["**"],
    policy: { namespaces: [], withoutDryRun: "tell" as const, exec },
  });
  const said = async (exec: readonly (readonly string[])[], plan = text) =>
    problems(await admit(parsePlan(plan, "plan.yaml"), naming(exec), DRY_RUN_OFFERED));
  expect(await said([["drain", "*"]])).toBe("");
  expect(await said([["drain"]])).toMatch(
    /action more-workers runs drain now, which this scenario's operator does not allow/,
  );
  const undone = text.replace(ROLLBACK, "    rollback: { uses: exec, with: { service: worker, argv: [fill] } }\n");
  expect(await said([["drain", "*"]], undone)).toMatch(/the rollback of action more-workers runs fill, which/);
});

test("a message can not be taken back, so no snapshot covers it", async () => {
  const said = problems(await doing("sql", '{ service: db, statements: ["NOTIFY jobs"] }', 'changes: ["db/**"]'));
  expect(said).toMatch(/sends a message that nobody can take back: it is irreversible, and no snapshot covers it/);
});

/** The flagship doing something else, without a rollback. */
const doing = (uses: string, arguments_: string, changes = "changes: []") => {
  const text = FLAGSHIP.replace(UNDONE_SCALE, `    uses: ${uses}\n    with: ${arguments_}\n`)
    .replace(ROLLBACK, "")
    .replace(CHANGES_LINE, changes);
  return admit(parsePlan(text, "plan.yaml"), { mayChange: ["**"] }, ASKING);
};
const problems = (admission: Admission): string => (admission.kind === "refused" ? admission.problems.join("\n") : "");

describe("a plan without a rollback", () => {
  const CHANGES = 'changes: ["service/worker/**", "redis/**"]';

  test.each([
    ["scale", "{ service: worker, replicas: 3 }"],
    ["update", "{ service: worker, environment: { A: b } }"],
    ["remove", "{ service: worker }"],
    ["file", "{ service: worker, path: /etc/worker.json, replace: '{}' }"],
    ["flag", "{ service: worker, path: /etc/flags.json, flag: a, state: DISABLED }"],
    ["redis", "{ service: cache, commands: [[SET, a, b], [hdel, c, d]] }"],
  ])("is admitted where %s is undone from the state before", async (uses, arguments_) => {
    expect(problems(await doing(uses, arguments_, CHANGES))).toBe("");
  });

  test.each([
    ["sql", "{ service: db, statements: ['UPDATE jobs SET status = NULL'] }", /sql can do anything/],
    ["http", "{ service: worker, port: 9100, path: / }", /http can do anything/],
    ["exec", "{ service: worker, argv: [drain] }", /has no rollback, and none can be read from the state: exec can do/],
    ["redis", "{ service: cache, commands: [[SET, a, b], [FLUSHALL]] }", /FLUSHALL does not name every key/],
    ["redis", "{ service: cache, commands: [[EVAL, 'return 1', '0']] }", /EVAL does not name every key/],
  ])("is refused where %s can not be", async (uses, arguments_, why) => {
    expect(problems(await doing(uses, arguments_, CHANGES))).toMatch(why);
  });

  test.each([
    ["restart", "{ service: worker }"],
    ["wait", "{ seconds: 5 }"],
    ["probe", "{ service: worker, port: 9100, path: /healthz }"],
    ["query-logs", "{ service: worker, lines: 10 }"],
    ["query-metrics", "{ service: worker, metric: up }"],
    ["ticket", "{ host: tickets.example, title: Slow, body: The worker is slow }"],
  ])("needs neither undo nor effects for %s", async (uses, arguments_) => {
    expect(problems(await doing(uses, arguments_))).toBe("");
  });
});

test.each([
  ["body", "{ host: a.example, title: Rotate, body: 'new password: hunter2hunter2' }", "ticket"],
  [
    "diff",
    "{ host: a.example, repository: a/b, title: Key, branch: fix, diff: '+AWS_KEY=AKIAABCDEFGHIJKLMNOP' }",
    "pull-request",
  ],
])("a secret in the %s of a proposal is refused without being repeated", async (field, arguments_, uses) => {
  const said = problems(await doing(uses, arguments_));
  expect(said).toMatch(new RegExp(`looks like a secret in its ${field}`));
  expect(said).not.toMatch(/hunter2|AKIA/);
});
