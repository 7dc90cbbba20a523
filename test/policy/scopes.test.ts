import { describe, expect, test } from "vitest";
import { parsePlan } from "../../src/plan/plan.ts";
import { admit } from "../../src/policy/admit.ts";
import { ASKING } from "../support/shipped-policy.ts";

const KNOWN_MIRROR = {
  services: [{ name: "db" }, { name: "api" }],
  state: [{ kind: "postgres", service: "db", database: "shop" }],
  stubs: [],
} as const;

const CHANGES = ["service/**", "db/**", "redis/**", "stub/**"];

/** Problems of a plan with one action that changes what it likes. */
async function problems(action: object, requires: readonly string[]): Promise<readonly string[]> {
  const text = JSON.stringify({
    schema: "canary.plan/v1",
    name: "p",
    agent: { id: "agent-7", version: "1", model: { provider: "a", name: "b", version: "1" } },
    target: { environment: "production" },
    tier: 3,
    confidence: 1,
    intent: "drain",
    actions: [{ id: "a", what: "do it", why: "it is needed", requires, changes: CHANGES, ...action }],
    rollback: { withinSeconds: 30 },
  });
  const operator = { mayChange: ["**"], environment: { class: "production" }, knownMirror: KNOWN_MIRROR } as const;
  const admission = await admit(parsePlan(text, "plan"), operator, ASKING);
  return admission.kind === "refused" ? admission.problems : [];
}

const sql = (statement: string, undo = statement): object => ({
  uses: "sql",
  with: { service: "db", statements: [statement] },
  rollback: { uses: "sql", with: { service: "db", statements: [undo] } },
});
const post = (path: string, undo = path): object => ({
  uses: "http",
  with: { service: "api", port: 8080, path, dryRun: { path: "/jobs/try" } },
  rollback: { uses: "http", with: { service: "api", port: 8080, path: undo, method: "DELETE" } },
});

const asking = (path: string): object => ({ uses: "probe", with: { service: "api", port: 8080, path } });

const UPDATE = sql("UPDATE products SET stock = 1 WHERE id = 1");

describe("a plan stays within its scopes", () => {
  test.each<[object, readonly string[]]>([
    [UPDATE, ["postgres:update@public.products"]],
    [UPDATE, ["postgres:write@public.*"]],
    [UPDATE, ["postgres:write@shop"]],
    [sql("UPDATE public.products SET stock = 1 WHERE id = 1"), ["postgres:update@public.products"]],
    [sql("UPDATE side.note SET id = 1 WHERE id = 2"), ["postgres:update@side.note", "containers:scale@x"]],
    [sql("CREATE INDEX i ON products (id)", "DROP INDEX i"), ["postgres:ddl@shop"]],
    [sql("ALTER ROLE a CONNECTION LIMIT 5"), ["postgres:roles@shop"]],
    [post("/jobs/7"), ["http:post@api/jobs/*", "http:delete@api/jobs/*"]],
    [asking("/jobs/7"), ["containers:scale@x"]],
  ])("%j with %j", async (action, requires) => expect(await problems(action, requires)).toEqual([]));
});

describe("a plan that exceeds its scopes is refused before anything is raised", () => {
  test.each<[object, readonly string[], RegExp]>([
    [UPDATE, ["containers:scale@shop"], /runs SQL on db, but its `requires` grant it nothing/],
    [UPDATE, ["postgres:update@public.orders"], /writes db\/db\/shop\/rows\/products.*nothing in its `requires`/],
    [UPDATE, ["postgres:select@public.products"], /writes db\/db\/shop\/rows\/products/],
    [UPDATE, ["postgres:write@other"], /whose database is shop, but requires other/],
    [UPDATE, ["postgres:update@shop"], /requires postgres:update@shop, which is no scope/],
    [sql("CREATE INDEX i ON products (id)", "DROP INDEX i"), ["postgres:write@shop"], /takes postgres:ddl@shop/],
    [sql("ALTER ROLE a CONNECTION LIMIT 5"), ["postgres:ddl@shop"], /takes postgres:roles@shop/],
    [
      sql("UPDATE products SET stock = 1 WHERE id = 1", "DELETE FROM orders WHERE id = 1"),
      ["postgres:update@public.products"],
      /the rollback of action a writes .*orders/,
    ],
    [post("/jobs/7"), ["http:post@api/jobs/*"], /the rollback of action a sends DELETE \/jobs\/7/],
    [post("/admin"), ["http:post@api/jobs/*", "http:delete@api/**"], /sends POST \/admin to api/],
    [post("/jobs/../admin"), ["http:post@api/**", "http:delete@api/**"], /sends POST \/jobs\/\.\.\/admin/],
    [post("/jobs/7", "/jobs/7?force=1"), ["http:post@api/jobs/*"], /sends DELETE \/jobs\/7\?force=1/],
    [asking("/jobs/drop?all=1"), ["http:post@api/jobs/*"], /sends GET \/jobs\/drop\?all=1/],
    [
      { ...post("/jobs/7"), with: { service: "api", port: 8080, path: "/jobs/7", dryRun: { path: "/try" } } },
      ["http:post@api/jobs/*", "http:delete@api/jobs/*"],
      /sends POST \/try/,
    ],
  ])("%j with %j", async (action, requires, why) => {
    expect(await problems(action, requires)).toContainEqual(expect.stringMatching(why));
  });
});
