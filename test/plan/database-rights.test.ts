import { describe, expect, test } from "vitest";
import { type DatabaseRights, databaseRights } from "../../src/plan/database-rights.ts";
import { sqlAction } from "../support/action-builder.ts";

const ROWS = ["db/db/shop/rows/jobs/*/status"];

function rights(changes: readonly string[], act: string, undo = "DELETE FROM jobs WHERE id = 1"): DatabaseRights {
  return databaseRights({ ...sqlAction("a", act, undo), changes: [...changes] }, "db");
}

/** What an action may do that requires these scopes. */
function granted(...requires: readonly string[]): DatabaseRights {
  const action = sqlAction("a", "UPDATE jobs SET status = 'x'", "DELETE FROM jobs");
  return databaseRights({ ...action, requires: [...requires], changes: ROWS }, "db");
}

describe("of what its scopes grant an action gets no more than it needs", () => {
  test("an action that declares rows and writes rows may do nothing else", () => {
    expect(rights(ROWS, "UPDATE jobs SET status = 'done'")).toBe("rows");
    expect(rights(ROWS, "-- why\n/* and how */ insert into jobs VALUES (1)")).toBe("rows");
    expect(rights([...ROWS, "service/api/replicas"], "DELETE FROM jobs")).toBe("rows");
    expect(rights([...ROWS, "db/other/shop/schema/**"], "DELETE FROM jobs")).toBe("rows");
  });

  test.each([
    ["it declares something of the schema", ["db/db/shop/schema/jobs/**"], "UPDATE jobs SET status = 'x'"],
    ["its pattern reaches the schema", ["db/db/shop/**"], "UPDATE jobs SET status = 'x'"],
    ["its pattern reaches everything", ["**"], "UPDATE jobs SET status = 'x'"],
    ["its pattern reaches every database", ["db/*/shop/schema/**"], "UPDATE jobs SET status = 'x'"],
    ["a statement is no writing of rows", ROWS, "ALTER TABLE jobs DISABLE TRIGGER tell"],
    ["a statement calls a function", ROWS, "SELECT pg_reload_conf()"],
  ])("it acts as the owner where %s", (_, changes, act) => expect(rights(changes, act)).toBe("owner"));

  test("its undo counts alike, and a text of several statements is not looked into", () => {
    expect(rights(ROWS, "UPDATE jobs SET status = 'x'", "TRUNCATE jobs")).toBe("owner");
    const { step, ...rest } = sqlAction("a", "x", "DELETE FROM jobs");
    const both = { ...step, with: { ...step.with, statements: ["DELETE FROM jobs; DROP TABLE jobs"] } };
    expect(databaseRights({ ...rest, step: both, changes: ROWS }, "db")).toBe("owner");
  });
});

describe("whatever an action needs, it gets no more than its scopes grant", () => {
  const everything = (...requires: readonly string[]): DatabaseRights =>
    databaseRights(
      { ...sqlAction("a", "DROP TABLE jobs", "SELECT 1"), requires: [...requires], changes: ["**"] },
      "db",
    );

  test("without a scope for PostgreSQL it may do nothing", () => {
    expect(everything()).toEqual({ tables: [] });
    expect(everything("all", "containers:scale@batch", "postgres:everything@shop")).toEqual({ tables: [] });
  });

  test("with tables it may do what is listed, with all rows no more than rows", () => {
    expect(everything("postgres:update@public.jobs", "postgres:insert@audit.*")).toEqual({
      tables: [
        { schema: "public", table: "jobs", privileges: ["select", "update"] },
        { schema: "audit", table: "*", privileges: ["insert"] },
      ],
    });
    expect(everything("postgres:write@shop")).toBe("rows");
    expect(granted("postgres:ddl@shop")).toBe("rows");
    expect(everything("postgres:roles@shop")).toBe("owner");
  });
});
