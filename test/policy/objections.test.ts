import { expect, test } from "vitest";
import { parsePlan } from "../../src/plan/plan.ts";
import { type Admission, admit } from "../../src/policy/admit.ts";
import type { KnownMirror, Operator } from "../../src/policy/assess-plan.ts";
import { ASKING } from "../support/shipped-policy.ts";

/** Where nothing is raised by the class of the environment, so that what is refused is refused for the rule alone. */
const STAGING = { environment: { class: "staging" } } as const;
const SCALE = { uses: "scale", with: { service: "worker", replicas: 3 } };
const BACK = { uses: "scale", with: { service: "worker", replicas: 1 } };

const sql = (...statements: readonly string[]) => ({ uses: "sql", with: { service: "db", statements } });

/** Policy's word on a plan of one action. */
async function admitted(action: object, plan: object = {}, operator: Operator = STAGING): Promise<Admission> {
  const text = JSON.stringify({
    schema: "canary.plan/v1",
    name: "one-action",
    agent: { id: "agent-1", version: "1", model: { provider: "acme", name: "ops", version: "1" }, inputs: [] },
    target: { environment: "test" },
    tier: 2,
    confidence: 0.99,
    intent: "Show what policy refuses",
    evidence: [{ kind: "metric", summary: "a queue grows", ref: "prom:queue" }],
    actions: [
      {
        id: "act",
        what: "do it",
        why: "to see",
        requires: ["test:write", "postgres:ddl@shop", "http:post@worker/**"],
        changes: ["service/worker/replicas"],
        ...SCALE,
        rollback: BACK,
        ...action,
      },
    ],
    expects: [],
    rollback: { withinSeconds: 30 },
    ...plan,
  });
  return await admit(parsePlan(text, "plan.json"), operator, ASKING);
}

function problems(admission: Admission): readonly string[] {
  return admission.kind === "refused" ? admission.problems : [];
}

const SCHEMA_CHANGE = {
  ...sql("CREATE INDEX kinds ON jobs (kind)"),
  rollback: sql("DROP INDEX kinds"),
  changes: ["db/db/**"],
};
const step = (its: object) => [{ id: "out", step: its }];

test("the plan that the refusals below start from is admitted", async () => {
  expect(await admitted({})).toMatchObject({ kind: "admitted", tier: { effective: 2 } });
  expect(await admitted(SCHEMA_CHANGE)).toMatchObject({ kind: "admitted", tier: { effective: 3 } });
});

test.each(["onFailure", "onAbort"])("%s may be stop below tier 3, and must lead back from there up", async (way) => {
  expect((await admitted({}, { [way]: "stop" })).kind).toBe("admitted");
  expect(problems(await admitted(SCHEMA_CHANGE, { [way]: "stop" }))).toEqual([
    expect.stringContaining(
      `a plan of tier 3 must be rolled back when it does not end well: ${way} is \`stop\` (rule left-undone`,
    ),
  ]);
  expect(problems(await admitted({}, { tier: 3, [way]: "stop" }))).toHaveLength(1);
  for (const back of ["rollback", step(BACK)])
    expect(await admitted(SCHEMA_CHANGE, { [way]: back }), JSON.stringify(back)).toMatchObject({ kind: "admitted" });
});

test.each(["onFailure", "onAbort"])(
  "a step of %s counts in the plan's tier, and may do no more than an action",
  async (way) => {
    expect(
      (await admitted({}, { [way]: step({ uses: "scale", with: { service: "worker", replicas: 0 } }) })).tier,
    ).toEqual({
      declared: 2,
      classified: 3,
      effective: 3,
    });
    expect(problems(await admitted({}, { [way]: step(sql("DROP TABLE jobs")) })).join()).toMatch(
      /^tier 4 is never replayed by an unattended agent.*: a step of onFailure or onAbort drops the table jobs/,
    );
    const shell = { uses: "exec", with: { service: "worker", argv: ["bash", "-i"] } };
    expect(problems(await admitted({}, { [way]: step(shell) })).join()).toMatch(/^a step of onFailure or onAbort /);
  },
);

test("scaling to nothing and removing a service are of tier 3 everywhere, and removal is no matter of the declared tier", async () => {
  for (const environment of ["production", "staging", "development"] as const) {
    const operator = { environment: { class: environment } };
    const removed = { uses: "remove", with: { service: "worker" }, changes: ["service/worker/**"] };
    expect((await admitted(removed, {}, operator)).tier.effective, environment).toBe(3);
    const none = { uses: "scale", with: { service: "worker", replicas: 0 } };
    expect((await admitted(none, {}, operator)).tier.effective, environment).toBe(3);
  }
});

test("a rollback is held to the same rules as its action", async () => {
  expect(problems(await admitted({ rollback: sql("DROP TABLE jobs") })).join("\n")).toMatch(
    /^tier 4 is never replayed.*: the rollback of action act drops the table jobs/m,
  );
  const shell = { uses: "exec", with: { service: "worker", argv: ["bash", "-i"] } };
  expect(problems(await admitted({ rollback: shell })).join("\n")).toMatch(/^the rollback of action act /m);
  expect(problems(await admitted({ rollback: { uses: "scale", with: { service: "api", replicas: 1 } } }))).toEqual([
    "action act names in its rollback service/api/replicas, which its `changes` do not declare",
  ]);
});

test("what its own action has made a rollback may drop, and nothing else", async () => {
  const made = { ...sql("CREATE TABLE notes (id int)"), changes: ["db/db/**"] };
  expect((await admitted({ ...made, rollback: sql("DROP TABLE notes") })).kind).toBe("admitted");
  expect(problems(await admitted({ ...made, rollback: sql("DROP TABLE jobs") })).join()).toMatch(/tier 4/);
});

test("what only reads needs neither effects nor a rollback, and of scopes the right to read", async () => {
  const reading = { ...sql("SELECT 1"), rollback: undefined, requires: ["postgres:select@public.jobs"], changes: [] };
  expect(await admitted(reading)).toMatchObject({ kind: "admitted", tier: { classified: 0 } });
});

test("what leaves no trace in the state needs no declared effect, what does needs one", async () => {
  const alone = (text: string) => ({ uses: "sql", with: { service: "db", statements: [text], transaction: false } });
  const silent = [{ uses: "restart", with: { service: "worker" } }, alone("VACUUM jobs"), sql("REINDEX TABLE jobs")];
  for (const uses of silent)
    expect(problems(await admitted({ ...uses, rollback: undefined, changes: [] })), JSON.stringify(uses)).toEqual([]);
  expect(problems(await admitted({ changes: [] }))).toEqual(["action act writes but declares no effect in `changes`"]);
});

const MIRROR: KnownMirror = {
  services: [{ name: "worker" }, { name: "db" }, { name: "cache" }, { name: "other" }],
  state: [
    { kind: "postgres", service: "db", port: 5432, database: "shop", user: "u", password: "p" },
    { kind: "redis", service: "cache", port: 6379 },
  ],
  stubs: [{ host: "tickets.example" }],
} as never;

test("a store is asked in its own language, of a mirror that is known", async () => {
  const operator = { ...STAGING, knownMirror: MIRROR };
  const asked = async (uses: object) =>
    problems(await admitted({ ...uses, rollback: undefined }, {}, operator)).join("\n");
  const command = (service: string) => ({ uses: "redis", with: { service, commands: [["GET", "a"]] } });
  expect(await asked(command("cache"))).toBe("");
  expect(await asked(command("db"))).toMatch(/asks db, which is no redis store of the mirror/);
  expect(await asked({ ...sql("SELECT 1"), with: { service: "cache", statements: ["SELECT 1"] } })).toMatch(
    /asks cache, which is no postgres store of the mirror/,
  );
  expect(await asked({ uses: "wait", with: { seconds: 1 } })).toBe("");
});

test("tickets and proposals go to a stub of the mirror or nowhere", async () => {
  const operator = { ...STAGING, knownMirror: MIRROR };
  const ticket = (host: string) => ({
    uses: "ticket",
    with: { host, title: "t", body: "b" },
    rollback: undefined,
    changes: [],
  });
  expect(problems(await admitted(ticket("tickets.example"), {}, operator))).toEqual([]);
  expect(problems(await admitted(ticket("elsewhere.example"), {}, operator))).toEqual([
    "action act asks elsewhere.example, which is no stub of the mirror",
  ]);
});

test.each([
  "**",
  "*/worker/replicas",
  "**/replicas",
  "k*/**",
  "kubernetes/**",
  "kubernetes/batch/deployments/shop-worker/spec/x",
])("changes that reach what no mirror has (%s) are refused, whatever the operator allows", async (pattern) => {
  const operator = { ...STAGING, mayChange: ["**"] };
  const changes = ["service/**", pattern];
  expect(problems(await admitted({ changes }, {}, operator))).toEqual([
    `action act declares ${pattern}, which reaches what no mirror has and so nothing rehearses`,
  ]);
});

test("an undo that acts on something that the mirror lacks is refused like its action", async () => {
  const rollback = { uses: "scale", with: { service: "gone", replicas: 1 } };
  const said = problems(await admitted({ rollback, changes: ["service/**"] }, {}, { ...STAGING, knownMirror: MIRROR }));
  expect(said).toEqual([expect.stringContaining("is about gone, which is no service of the mirror")]);
});

test("what is refused for a reason of its own is not refused a second time for its tier", async () => {
  const refused = {
    uses: "redis",
    with: { service: "cache", commands: [["EVAL", "return 1", "0"]] },
    changes: ["redis/**"],
  };
  const said = problems(await admitted({ ...refused, rollback: undefined })).join("\n");
  expect(said).toMatch(/runs or changes code/);
  expect(said).not.toMatch(/tier 4/);
});

test("what is lost for good is refused for that, not for want of a snapshot", async () => {
  const drop = { ...sql("DROP TABLE jobs"), rollback: undefined, changes: ["db/**"] };
  const operator = { ...STAGING, knownMirror: { ...MIRROR, state: [] } };
  const said = problems(await admitted(drop, {}, operator)).join("\n");
  expect(said).toMatch(/tier 4 is never replayed/);
  expect(said).not.toMatch(/no snapshot covers it/);
});

test("what can not be taken back needs a store that a snapshot covers", async () => {
  const grown = { ...sql("ALTER TYPE kind ADD VALUE 'gift'"), rollback: sql("SELECT 1"), changes: ["db/**"] };
  const said = async (state: KnownMirror["state"]) =>
    problems(await admitted(grown, {}, { ...STAGING, knownMirror: { ...MIRROR, state } })).join("\n");
  expect(await said([])).toMatch(/it is irreversible, and no snapshot covers it/);
  expect(await said(MIRROR.state)).toBe("");
});

test("an operator's demand that actions can be tried first is for tier 3 alone", async () => {
  const operator = { ...STAGING, policy: { namespaces: [], withoutDryRun: "refuse" } } as const;
  const http = (path: string) => ({ uses: "http", with: { service: "worker", port: 80, method: "POST", path } });
  const request = { ...http("/on"), rollback: http("/off"), changes: ["service/worker/**"] };
  expect(await admitted(request, {}, operator)).toMatchObject({ kind: "admitted", tier: { effective: 2 } });
  expect(problems(await admitted(request, {}, { ...operator, environment: { class: "production" } })).join()).toMatch(
    /tier 3 must be tried first, and this can not be: action act/,
  );
});

test("where nobody says what an environment is, it is production", async () => {
  const restart = { uses: "restart", with: { service: "worker" }, rollback: undefined, changes: [] };
  expect((await admitted(restart, {}, {})).tier.effective).toBe(3);
  expect((await admitted(restart)).tier.effective).toBe(2);
});
