import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { coarseDifference } from "../../src/mirror/state/difference.ts";
import { stateAccess } from "../../src/mirror/state/state-access.ts";
import type { SqlRow, TwinPair } from "../../src/mirror/twin.ts";
import { stateClients } from "../../src/mirror/twins/state-clients.ts";
import type { ActorWork, DatabaseActor, WriteLog, WriteReading } from "../../src/mirror/write-log.ts";
import { leftOf, raiseMini, runIdOf } from "./fixtures/mini/engine-of-tests.ts";
import { miniMirror } from "./fixtures/mini/mini-mirror.ts";

const runId = runIdOf("writes");
const forever = new AbortController().signal;
const at = { service: "db" };
const ITEM = "db/db/mini/rows/item";
let pair: TwinPair;

beforeAll(async () => {
  pair = await raiseMini({ spec: miniMirror(), runId });
});
afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
  expect(await leftOf(runId), "containers, networks or volumes stayed behind").toEqual([]);
});

/** Statements of one action, in one transaction unless said otherwise. */
function act(actionId: string, statements: readonly string[], more: Partial<ActorWork & DatabaseActor> = {}) {
  const { phase = "act", rights = "owner", transaction = true, timeoutMs = 10_000 } = more;
  return pair.shadow.sqlAs(at, { as: { runId, actionId, phase, rights }, statements, transaction, timeoutMs }, forever);
}

async function ask(text: string): Promise<readonly SqlRow[]> {
  return await pair.shadow.sql(at, text);
}

async function read(log: WriteLog): Promise<Extract<WriteReading, { kind: "read" }>> {
  const reading = await log.read(forever);
  if (reading.kind !== "read") throw new Error(reading.why);
  return reading;
}

/** An application: other sessions of the mirror's own user, in transactions of one update and one insert each. */
async function application(transactions: number): Promise<void> {
  const { host, port } = pair.shadow.address({ service: "db", port: 5432 });
  const as = { host, port, user: "mini", password: "mini", database: "mini", max: 4 };
  const pool = new pg.Pool(as);
  const one = (n: number): string =>
    `UPDATE item SET name = 'app ${n}' WHERE id = ${10 + (n % 40_000)}; INSERT INTO item VALUES (${100_000 + n}, 'new')`;
  const lanes = [0, 1, 2, 3].map(async (lane) => {
    for (let n = lane; n < transactions; n += 4) await pool.query(one(n));
  });
  await Promise.all(lanes);
  await pool.end();
}

describe("on a real server", () => {
  test("an action's four writes are told from thousands of the application's, row by row", async () => {
    await using log = await pair.shadow.openWriteLog(at, forever);
    const busy = application(2000);
    await act("mark", ["UPDATE item SET name = 'marked' WHERE id IN (1, 2, 3)", "DELETE FROM item WHERE id = 4"]);
    await busy;
    const { actors, application: rest } = await read(log);
    expect(actors).toMatchObject([{ actionId: "mark", phase: "act", times: 1, rowsLeftOut: 0 }]);
    expect(actors[0]?.tables).toMatchObject([{ table: ITEM, inserted: 0, updated: 3, deleted: 1 }]);
    expect(actors[0]?.rows.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      `updated ${ITEM}/1`,
      `updated ${ITEM}/2`,
      `updated ${ITEM}/3`,
      `deleted ${ITEM}/4`,
    ]);
    expect(rest).toMatchObject([{ table: ITEM, inserted: 2000, updated: 2000, deleted: 0 }]);
    await act("mark", ["INSERT INTO item VALUES (4, 'item 4')"], { phase: "undo" });
    expect((await read(log)).application).toEqual([]);
  });

  test("both twins are started with the log, which is told and is no difference of the mirror's", async () => {
    expect(pair.facts.addedSettings).toEqual({ db: ["wal_level=logical", "max_slot_wal_keep_size=2GB"] });
    const configurations = await Promise.all([pair.control, pair.shadow].map((twin) => twin.configuration(forever)));
    for (const services of configurations)
      expect(services.find(({ service }) => service === "db")?.command).toEqual(["postgres"]);
  });

  test("an action acts by its own name, and what it creates belongs to whom it would belong otherwise", async () => {
    const state = stateAccess(systemClock);
    const before = await state.fingerprint(pair.shadow, pair.spec.state, { signal: forever });
    const who = "current_user || ' ' || session_user || ' ' || current_setting('application_name')";
    await act("create", ["CREATE TABLE mine (who text)", `INSERT INTO mine SELECT ${who}`]);
    const [row] = await ask("SELECT who FROM mine");
    expect(row?.["who"]).toMatch(new RegExp(`^mini canary_[0-9a-f]{8}_\\d+_create canary/${runId}/create$`));
    expect(await ask("SELECT tableowner::text AS owner FROM pg_tables WHERE tablename = 'mine'")).toEqual([
      { owner: "mini" },
    ]);
    await act("create", ["DROP TABLE mine"], { phase: "undo" });
    const after = await state.fingerprint(pair.shadow, pair.spec.state, { signal: forever });
    expect(coarseDifference(before, after)).toEqual([]);
  });

  test("an action that needs no more than rows may do no more, and its role is gone either way", async () => {
    await act("narrow", ["UPDATE item SET name = current_user WHERE id = 9"], { rights: "rows" });
    expect((await ask("SELECT name FROM item WHERE id = 9"))[0]?.["name"]).toMatch(/^canary_[0-9a-f]{8}_\d+_narrow$/);
    await expect(act("narrow", ["CREATE INDEX i ON item (name)"], { rights: "rows" })).rejects.toThrow(/must be owner/);
    expect(await ask("SELECT rolname FROM pg_roles WHERE rolname LIKE 'canary%'")).toEqual([]);
    await act("narrow", ["UPDATE item SET name = 'item 9' WHERE id = 9"], { phase: "undo" });
  });

  test("statements outside a transaction are told as well, and those that refuse one run bare", async () => {
    await using log = await pair.shadow.openWriteLog(at, forever);
    const statements = [
      "CREATE INDEX CONCURRENTLY by_name ON item (name)",
      "UPDATE item SET name = 'x' WHERE id = 5",
      "DROP INDEX CONCURRENTLY by_name",
      "UPDATE item SET name = 'item 5' WHERE id = 5",
    ];
    await act("apart", statements, { transaction: false });
    expect((await read(log)).actors).toMatchObject([{ tables: [{ table: ITEM, updated: 2 }] }]);
  });

  test("what ends its own transaction is said to be mixed with the application's writes", async () => {
    await using log = await pair.shadow.openWriteLog(at, forever);
    await act("sly", [
      "UPDATE item SET name = 'item 6' WHERE id = 6; COMMIT; UPDATE item SET name = 'item 7' WHERE id = 7",
    ]);
    await act("call", ["DO 'BEGIN UPDATE item SET name = ''item 8'' WHERE id = 8; COMMIT; END'"], {
      transaction: false,
    });
    const { actors } = await read(log);
    expect(actors.map(({ actionId, mixedWith }) => `${actionId}: ${mixedWith}`)).toEqual([
      "sly: a statement ended the transaction that it ran in",
      "call: DO may end transactions by itself, so their numbers are not known",
    ]);
  });

  test("a program and a Redis command that act carry the action's name", async () => {
    const told = await pair.shadow.exec("db", ["printenv", "PGAPPNAME"], forever, { PGAPPNAME: "canary/r/a" });
    expect(told).toMatchObject({ exitCode: 0, stdout: "canary/r/a\n" });
    const cache = { service: "cache" };
    expect(await pair.shadow.redis(cache, ["CLIENT", "GETNAME"], "canary/r/a")).toBe("canary/r/a");
    expect(await pair.shadow.redis(cache, ["CLIENT", "GETNAME"])).toBe("canary-harness");
  });

  test("what fails is rolled back and counts for nobody", async () => {
    await using log = await pair.shadow.openWriteLog(at, forever);
    await expect(act("half", ["UPDATE item SET name = 'x' WHERE id = 5", "SELECT 1 / 0"])).rejects.toThrow("division");
    expect(await read(log)).toMatchObject({ actors: [{ actionId: "half", tables: [] }], application: [] });
  });

  test("a role that a killed harness left is removed before the next one looks at the state", async () => {
    const [name, mark] = ["canary_0123abcd_1_killed", "made by canary-harness for one action"];
    await ask(`CREATE ROLE ${name}; COMMENT ON ROLE ${name} IS '${mark}'; CREATE ROLE canary_of_the_mirror`);
    await using next = stateClients(pair.spec, { role: "shadow", addressOf: (store) => pair.shadow.address(store) });
    const left = await next.sql(at, "SELECT rolname::text AS name FROM pg_roles WHERE rolname LIKE 'canary%'");
    expect(left).toEqual([{ name: "canary_of_the_mirror" }]);
    await ask("DROP ROLE canary_of_the_mirror");
  });

  test("the log ends at the server with whoever kept it", async () => {
    const slots = () => ask("SELECT slot_name::text FROM pg_replication_slots");
    const log = await pair.shadow.openWriteLog(at, forever);
    expect(await slots()).toHaveLength(1);
    await ask("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots");
    expect(await log.read(forever)).toMatchObject({ kind: "unavailable", why: expect.stringContaining("log") });
    await log[Symbol.asyncDispose]();
    expect(await slots()).toEqual([]);
  });
});
