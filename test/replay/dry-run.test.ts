import { describe, expect, test } from "vitest";
import type { ActionStep } from "../../src/plan/action.ts";
import { loadSqlParser } from "../../src/policy/sql/parse-sql.ts";
import { readStep } from "../../src/policy/step-reading.ts";
import { tryStep } from "../../src/replay/actions/dry-run.ts";
import { manualClock } from "../support/manual-clock.ts";
import { shopWorld } from "../support/simulated-shop.ts";
import { type SimulatedBehaviour, simulatedTwin } from "../support/simulated-twin.ts";

const PARSE_SQL = await loadSqlParser();

async function tried(step: ActionStep, behaviour: SimulatedBehaviour = {}) {
  const twin = simulatedTwin("shadow", shopWorld(), behaviour);
  const before = structuredClone(twin.world);
  const result = await tryStep(step, readStep(step, PARSE_SQL).dryRun, twin, {
    clock: manualClock(),
    signal: new AbortController().signal,
    timeoutMs: 5000,
    baseDir: "/",
    actionId: "act",
  });
  expect(twin.world).toEqual(before);
  return { result, operations: twin.operations };
}

const sql = (...statements: string[]): ActionStep => ({
  uses: "sql",
  with: { service: "db", statements, transaction: true },
});

describe("SQL", () => {
  test("runs in a transaction that is rolled back, and says what the planner expects", async () => {
    const { result } = await tried(sql("UPDATE jobs SET kind = 'x' WHERE id = '1'", "DELETE FROM jobs WHERE id = '1'"));
    expect(result).toMatchObject({
      landed: true,
      message: "2 statements ran in a transaction that was rolled back",
      output: "statement 1: Simulated, cost 1\nstatement 2: Simulated, cost 1",
    });
  });

  test("asks deferred constraints before it ends, and ends without an error that a server would log", async () => {
    const asked: string[] = [];
    await tried(sql("CREATE INDEX i ON jobs (kind)", "UPDATE jobs SET kind = 'x' WHERE id = '1'"), {
      onSql: (statement) => {
        asked.push(statement);
        return undefined;
      },
    });
    // Nothing is explained here: what needs the index of the first statement would be refused, and that would be logged.
    expect(asked).toEqual([
      "BEGIN",
      "SET LOCAL statement_timeout = 5000",
      "CREATE INDEX i ON jobs (kind)",
      "UPDATE jobs SET kind = 'x' WHERE id = '1'",
      "SET CONSTRAINTS ALL IMMEDIATE",
      "ROLLBACK",
    ]);
  });

  test("that the server refuses does not pass", async () => {
    const { result } = await tried(sql("DELETE FROM nowhere WHERE id = '1'"), {
      onSql: (statement) => {
        if (!statement.startsWith("DELETE FROM nowhere")) return undefined;
        throw Object.assign(new Error('relation "nowhere" does not exist'), { code: "42P01" });
      },
    });
    expect(result).toMatchObject({ landed: false, message: expect.stringContaining('"nowhere" does not exist') });
  });

  test("of several statements in one text is never explained: EXPLAIN would run all but the first", async () => {
    const asked: string[] = [];
    await tried(sql("SELECT 1 FOR UPDATE; DELETE FROM jobs WHERE id = '1'"), {
      onSql: (statement) => {
        asked.push(statement);
        return statement.startsWith("SELECT 1") ? [] : undefined;
      },
    });
    expect(asked.filter((statement) => statement.startsWith("EXPLAIN"))).toEqual([]);
  });

  test("that only reads needs no trial", async () => expect((await tried(sql("SELECT 1"))).result).toBeUndefined());
});

describe("services", () => {
  const update = (change: object): ActionStep => ({ uses: "update", with: { service: "api", ...change } });
  test.each([
    [{ uses: "scale", with: { service: "worker", replicas: 3 } }, true, "worker is there, with 1 replicas"],
    [{ uses: "scale", with: { service: "wrkr", replicas: 3 } }, false, "there is no service wrkr"],
    [update({ image: "api:2" }), true, "api is there, and image api:2 can be had (api:2)"],
    [update({ memoryBytes: 8 * 1024 * 1024 }), false, "api uses 16777216 bytes a replica now, more than"],
    [update({ memoryBytes: 32 * 1024 * 1024 }), true, "api is there"],
  ] as const)("%j: %s", async (step, landed, message) => {
    const usage = () => [{ service: "api", cpuSeconds: 1, memoryBytes: 16 * 1024 * 1024 }];
    const { result, operations } = await tried(step as ActionStep, { usage });
    expect(result).toMatchObject({ landed, message: expect.stringContaining(message) });
    expect(operations.filter((operation) => /^(scale|update|restart)/.test(operation))).toEqual([]);
  });

  test("an image that can not be had does not pass", async () => {
    const imageId = (): string => {
      throw new Error("no such image: api:9");
    };
    const { result } = await tried(update({ image: "api:9" }), { imageId });
    expect(result).toMatchObject({ landed: false, message: expect.stringContaining("no such image") });
  });
});

describe("keys", () => {
  const step: ActionStep = { uses: "redis", with: { service: "cache", commands: [["SET", "a", "b"]] } };
  test("are queued and discarded", async () => {
    const seen: string[] = [];
    const onRedis = (command: readonly string[]): unknown => seen.push(command.join(" ")) && "QUEUED";
    expect((await tried(step, { onRedis })).result).toMatchObject({ landed: true });
    expect(seen).toEqual(["MULTI", "SET a b", "DISCARD"]);
  });

  test("that the server refuses do not pass, and the queue is discarded all the same", async () => {
    const seen: string[] = [];
    const onRedis = (command: readonly string[]): unknown => {
      seen.push(command[0] ?? "");
      if (command[0] === "SET") throw new Error("NOPERM");
      return "OK";
    };
    expect((await tried(step, { onRedis })).result).toMatchObject({
      landed: false,
      message: "SET was refused: NOPERM",
    });
    expect(seen).toEqual(["MULTI", "SET", "DISCARD"]);
  });
});

test.each([
  { uses: "exec", with: { service: "api", argv: ["true"], expectExitCode: 0 } },
  { uses: "wait", with: { seconds: 1 } },
] as const)("$uses has none", async (step) => expect((await tried(step as ActionStep)).result).toBeUndefined());
