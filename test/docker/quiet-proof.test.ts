import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { pollUntil } from "../../src/core/clock.ts";
import { coarseDifference } from "../../src/mirror/state/difference.ts";
import { stateAccess } from "../../src/mirror/state/state-access.ts";
import type { ActionStep } from "../../src/plan/action.ts";
import type { Action } from "../../src/plan/plan.ts";
import { tryStep } from "../../src/replay/actions/dry-run.ts";
import { executeStep } from "../../src/replay/actions/execute-step.ts";
import { proveQuietly } from "../../src/replay/proof/quiet-proof.ts";
import { planOf, sqlAction } from "../support/action-builder.ts";
import { shopSpec } from "../support/simulated-shop.ts";
import type { StoreTwin } from "./state-stores.ts";

const SEED = `
  CREATE TABLE jobs (id int PRIMARY KEY, kind text NOT NULL, status text NOT NULL DEFAULT 'queued');
  INSERT INTO jobs SELECT n, 'fulfil', 'queued' FROM generate_series(1, 20000) AS n;
  CREATE TABLE audit (at timestamptz, line text);
  CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (now(), NEW.status); RETURN NEW; END';
  CREATE TRIGGER tell AFTER UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION tell();`;

const signal = new AbortController().signal;
let control: StoreTwin;
let shadow: StoreTwin;

beforeAll(async () => {
  vi.stubEnv("TESTCONTAINERS_RYUK_DISABLED", "true");
  const { startStores } = await import("./state-stores.ts");
  [control, shadow] = await Promise.all([startStores("control", SEED), startStores("shadow", SEED)]);
});

afterAll(async () => {
  await Promise.all([control, shadow].map((twin) => twin?.[Symbol.asyncDispose]()));
});

async function prove(...actions: readonly Action[]) {
  const state = stateAccess(systemClock);
  const pair = {
    spec: shopSpec,
    control,
    shadow,
    facts: { isolation: "standard", cores: { kind: "shared" }, images: {}, engine: "", raiseMs: 0, prepared: false },
    swapCores: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  } as const;
  return await proveQuietly({
    plan: planOf(...actions),
    pair,
    state,
    baseline: await state.fingerprint(shadow, shopSpec.state, { signal }),
    allowedChanges: ["**"],
    intent: { record: async () => undefined },
    clock: systemClock,
    axisMs: () => 0,
    baseDir: "/",
    signal,
    onStep: () => undefined,
    onRecord: () => undefined,
  });
}

describe("on real servers", () => {
  test("effects are attributed row by row, and a trigger's side effect is undeclared and stays behind", async () => {
    const change = sqlAction(
      "finish",
      "UPDATE jobs SET status = 'done' WHERE id IN (7, 4711)",
      "ALTER TABLE jobs DISABLE TRIGGER tell; UPDATE jobs SET status = 'queued' WHERE id IN (7, 4711); ALTER TABLE jobs ENABLE TRIGGER tell",
    );
    const proof = await prove(
      { ...change, changes: ["db/db/shop/rows/jobs/*/status"] },
      sqlAction(
        "rename",
        "UPDATE jobs SET kind = 'import' WHERE id = 7",
        "UPDATE jobs SET kind = 'fulfil' WHERE id = 7; DELETE FROM audit",
      ),
    );
    expect(proof.actions[0]?.effects.map(({ path }) => path)).toEqual([
      expect.stringMatching(/^db\/db\/shop\/rows\/audit\/~[0-9a-f]{16}$/),
      "db/db/shop/rows/jobs/4711/status",
      "db/db/shop/rows/jobs/7/status",
    ]);
    expect(proof.actions[0]?.undeclared.map(({ path, after }) => [path.split("/")[4], after])).toEqual([
      ["audit", "2 rows"],
    ]);
    expect(proof.actions[1]?.effects.map(({ path }) => path)).toContain("db/db/shop/rows/jobs/7/kind");
    expect(proof.actions[1]?.effects.map(({ path }) => path)).not.toContain("db/db/shop/rows/jobs/7/status");
    expect(proof.failed).toBeUndefined();
    // The last undo of all, of the first action, fires no trigger; the one before it cleared the table.
    expect(proof.residue).toEqual([]);
  });

  test("an index that is built outside a transaction and dropped again leaves nothing", async () => {
    const index = sqlAction(
      "index",
      "CREATE INDEX CONCURRENTLY jobs_kind ON jobs (kind)",
      "DROP INDEX CONCURRENTLY jobs_kind",
    );
    const apart = { ...index.step, with: { ...index.step.with, transaction: false } };
    const proof = await prove({
      ...index,
      step: apart,
      rollback: { ...apart, with: { ...apart.with, statements: ["DROP INDEX CONCURRENTLY jobs_kind"] } },
    });
    expect(proof.actions[0]?.effects).toMatchObject([
      { path: "db/db/shop/schema/jobs/index/jobs_kind", kind: "added" },
    ]);
    expect(proof.residue).toEqual([]);
  });

  test.each([
    ["in a transaction", true],
    ["outside one", false],
  ])("a statement %s that outlasts its time box is cancelled at the server", async (_, transaction) => {
    const { step } = sqlAction("slow", "SELECT pg_sleep(60)", "SELECT 1");
    const context = { clock: systemClock, signal, timeoutMs: 300, baseDir: "/", actionId: "slow" };
    const result = await executeStep({ ...step, with: { ...step.with, transaction } }, shadow, context);
    expect(result).toMatchObject({ landed: false, message: expect.stringMatching(/within 0.3 s|statement timeout/) });
    // The server is told while the step already answers; a statement that was not cancelled would run for a minute.
    const gone = await pollUntil({
      clock: systemClock,
      everyMs: 20,
      timeoutMs: 5000,
      signal,
      probe: async () => {
        const running = await shadow.sql(
          { service: "db" },
          "SELECT query FROM pg_stat_activity WHERE state = 'active' AND starts_with(query, 'SELECT pg_sleep')",
        );
        return running.length === 0 ? "gone" : undefined;
      },
      onTimeout: () => new Error("the statement still runs at the server"),
    });
    expect(gone).toBe("gone");
  });

  test.each([
    ["passes", "UPDATE jobs SET kind = 'import' WHERE id = 7", true],
    ["the server refuses", "INSERT INTO jobs (id, kind) VALUES (7, 'twice')", false],
    ["only the end of a transaction would refuse", "INSERT INTO parts VALUES (1, 77)", false],
  ])("a dry run that %s changes nothing, and leaves no connection in its transaction", async (_, statement, passes) => {
    await shadow.sql(
      { service: "db" },
      "CREATE TABLE IF NOT EXISTS parts (id int PRIMARY KEY, whole int REFERENCES parts DEFERRABLE INITIALLY DEFERRED)",
    );
    const state = stateAccess(systemClock);
    const before = await state.fingerprint(shadow, shopSpec.state, { signal });
    const { step } = sqlAction("try", statement, "SELECT 1");
    const context = { clock: systemClock, signal, timeoutMs: 5000, baseDir: "/", actionId: "try" };
    const result = await tryStep(step, { kind: "transaction" }, shadow, context);
    expect(result).toMatchObject(
      passes
        ? { landed: true, output: expect.stringMatching(/^statement 1: ModifyTable > Index Scan, cost [\d.]+$/) }
        : { landed: false, message: expect.stringMatching(/^refused in a transaction that was rolled back: /) },
    );
    const after = await state.fingerprint(shadow, shopSpec.state, { signal });
    expect(coarseDifference(before, after)).toEqual([]);
    const open = "SELECT pid FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
    expect(await shadow.sql({ service: "db" }, open)).toEqual([]);
  });

  test("a dry run of keys queues and discards them", async () => {
    const step: ActionStep = { uses: "redis", with: { service: "cache", commands: [["SET", "tried", "1"]] } };
    const context = { clock: systemClock, signal, timeoutMs: 5000, baseDir: "/", actionId: "try" };
    expect(await tryStep(step, { kind: "queued" }, shadow, context)).toMatchObject({ landed: true });
    expect(await shadow.redis({ service: "cache" }, ["GET", "tried"])).toBeNull();
    const wrong: ActionStep = { uses: "redis", with: { service: "cache", commands: [["SET", "tried"]] } };
    expect(await tryStep(wrong, { kind: "queued" }, shadow, context)).toMatchObject({
      landed: false,
      message: expect.stringContaining("wrong number of arguments"),
    });
    expect(await shadow.redis({ service: "cache" }, ["PING"])).toBe("PONG");
  });

  test("a transaction that fails half-way leaves nothing, and its identity is told to the server", async () => {
    const proof = await prove(
      sqlAction(
        "half",
        "UPDATE jobs SET kind = current_setting('application_name') WHERE id = 1; SELECT 1 / 0",
        "SELECT 1",
      ),
    );
    expect(proof.failed).toMatchObject({ during: "act", message: "division by zero" });
    expect(proof.actions[0]?.effects).toEqual([]);
    const told = sqlAction(
      "who",
      "UPDATE jobs SET kind = current_setting('application_name') WHERE id = 1",
      "UPDATE jobs SET kind = 'fulfil' WHERE id = 1; DELETE FROM audit",
    );
    expect((await prove(told)).actions[0]?.effects).toContainEqual({
      path: "db/db/shop/rows/jobs/1/kind",
      kind: "changed",
      before: "fulfil",
      after: "canary/rehearsal/who",
    });
  });

  test("a server that was started without a logical log says so, and roles are gone all the same", async () => {
    await using log = await shadow.openWriteLog({ service: "db" }, signal);
    expect(await log.read(signal)).toEqual({
      kind: "unavailable",
      why: "the server keeps no logical log (wal_level is replica)",
    });
    expect(await shadow.sql({ service: "db" }, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'canary%'")).toEqual(
      [],
    );
  });
});
