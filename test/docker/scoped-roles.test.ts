import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { coarseDifference } from "../../src/mirror/state/difference.ts";
import { stateAccess } from "../../src/mirror/state/state-access.ts";
import type { SqlRow, TwinPair } from "../../src/mirror/twin.ts";
import { type DatabaseRights, databaseRights } from "../../src/plan/database-rights.ts";
import { executeStep } from "../../src/replay/actions/execute-step.ts";
import { sqlAction } from "../support/action-builder.ts";
import { leftOf, raiseMini, runIdOf } from "./fixtures/mini/engine-of-tests.ts";
import { miniMirror } from "./fixtures/mini/mini-mirror.ts";

const runId = runIdOf("scopes");
const forever = new AbortController().signal;
const at = { service: "db" };
let pair: TwinPair;

beforeAll(async () => {
  pair = await raiseMini({ spec: miniMirror(), runId });
  await ask("CREATE TABLE counted (id serial PRIMARY KEY, what text)");
  await ask("CREATE SCHEMA side; CREATE TABLE side.note (id int PRIMARY KEY); INSERT INTO side.note VALUES (1)");
});
afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
  expect(await leftOf(runId), "containers, networks or volumes stayed behind").toEqual([]);
});

async function ask(text: string): Promise<readonly SqlRow[]> {
  return await pair.shadow.sql(at, text);
}

/** Runs SQL as an action that requires these scopes. */
async function act(requires: readonly string[], statement: string): Promise<void> {
  const action = { ...sqlAction("a", statement, statement), requires: [...requires] };
  await actWith(databaseRights(action, "db"), statement);
}

function actWith(rights: DatabaseRights, statement: string): Promise<void> {
  const as = { runId, actionId: "scoped", phase: "act", rights } as const;
  return pair.shadow.sqlAs(at, { as, statements: [statement], transaction: true, timeoutMs: 10_000 }, forever);
}

describe("on a real server, an action", () => {
  test.each<[string, string]>([
    ["postgres:update@public.item", "UPDATE item SET name = name WHERE id = 9"],
    ["postgres:delete@public.item", "DELETE FROM item WHERE id = -1"],
    ["postgres:select@public.item", "SELECT count(*) FROM item"],
    ["postgres:insert@public.counted", "INSERT INTO counted (what) VALUES ('by default')"],
    ["postgres:write@side.*", "INSERT INTO side.note VALUES (2)"],
    ["postgres:write@mini", "UPDATE side.note SET id = 3 WHERE id = 2"],
    ["postgres:ddl@mini", "CREATE INDEX scoped ON item (name)"],
  ])("with %s may do what it grants", async (scope, statement) => act([scope], statement));

  test.each<[string, readonly string[], string]>([
    ["another verb on the table", ["postgres:update@public.item"], "DELETE FROM item WHERE id = 9"],
    ["an insert", ["postgres:update@public.item"], "INSERT INTO item VALUES (-7, 'new')"],
    ["another table", ["postgres:write@public.item"], "SELECT what FROM counted"],
    ["another schema", ["postgres:write@public.*"], "SELECT id FROM side.note"],
    ["a write where it may read", ["postgres:select@public.item"], "UPDATE item SET name = 'x' WHERE id = 9"],
    ["a change of the schema", ["postgres:write@mini"], "ALTER TABLE item ADD COLUMN more int"],
    ["a truncation", ["postgres:write@public.item"], "TRUNCATE item"],
    ["another role", ["postgres:write@public.item"], "SET LOCAL ROLE mini"],
    ["a program of the server", ["postgres:write@mini"], "COPY item TO PROGRAM 'cat'"],
    ["anything without a scope", ["all", "containers:scale@batch"], "SELECT name FROM item"],
  ])("may not do %s", async (_, requires, statement) => {
    await expect(act(requires, statement)).rejects.toThrow(/permission denied|must be (owner|superuser)/);
  });

  test("whose scopes can not be granted does nothing, rather than act with more", async () => {
    await expect(act(["postgres:update@public.nowhere"], "UPDATE item SET name = 'x'")).rejects.toThrow(
      /scopes of the action can not be granted: relation "public.nowhere" does not exist/,
    );
    expect(await ask("SELECT 1 FROM item WHERE name = 'x'")).toEqual([]);
  });

  test("leaves no role, no privilege and no trace in the state behind", async () => {
    const state = stateAccess(systemClock);
    const before = await state.fingerprint(pair.shadow, pair.spec.state, { signal: forever });
    await act(["postgres:write@public.item", "postgres:insert@public.counted", "postgres:select@side.*"], "SELECT 1");
    await expect(act(["postgres:select@public.item"], "DELETE FROM item")).rejects.toThrow();
    const after = await state.fingerprint(pair.shadow, pair.spec.state, { signal: forever });
    expect(coarseDifference(before, after)).toEqual([]);
    expect(await ask("SELECT rolname FROM pg_roles WHERE rolname LIKE 'canary%'")).toEqual([]);
    expect(await ask("SELECT relname FROM pg_class WHERE relacl::text LIKE '%canary%'")).toEqual([]);
  });

  test("of a plan that exceeds its scopes does not land", async () => {
    const { step } = sqlAction("a", "UPDATE item SET name = 'exceeded' WHERE id = 9", "SELECT 1");
    const rights = databaseRights({ ...sqlAction("a", "x", "x"), requires: ["postgres:update@public.counted"] }, "db");
    const context = {
      clock: systemClock,
      signal: forever,
      timeoutMs: 10_000,
      baseDir: "/",
      actionId: "a",
      runId,
      rights,
    };
    const result = await executeStep(step, pair.shadow, context);
    expect(result).toMatchObject({ landed: false, message: expect.stringMatching(/permission denied for table item/) });
    expect(await ask("SELECT 1 FROM item WHERE name = 'exceeded'")).toEqual([]);
  });
});
