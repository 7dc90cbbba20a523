import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { takingSnapshots } from "../../src/mirror/snapshots/take-snapshot.ts";
import { coarseDifference } from "../../src/mirror/state/difference.ts";
import { stateAccess } from "../../src/mirror/state/state-access.ts";
import type { Twin } from "../../src/mirror/twin.ts";
import { STORES, type StoreTwin } from "./state-stores.ts";

const SEED = `
  CREATE TABLE orders (id int PRIMARY KEY, total numeric NOT NULL);
  INSERT INTO orders SELECT n, n * 1.5 FROM generate_series(1, 3000) AS n;
  CREATE TABLE notes (line text);
  INSERT INTO notes VALUES ('same'), ('same'), ('other');
  CREATE SEQUENCE numbers; SELECT nextval('numbers');
  CREATE ROLE reader; REVOKE ALL ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO reader;
  ALTER DATABASE shop SET search_path TO "$user", public; ALTER DATABASE shop SET work_mem = '8MB';
  ALTER DATABASE shop CONNECTION LIMIT 90;`;

const signal = new AbortController().signal;
const state = stateAccess(systemClock);
const snapshots = takingSnapshots(systemClock);
/** No valid UTF-8: what is kept as text comes back as something else. */
const BYTES = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0xc3]);
let twin: StoreTwin;

beforeAll(async () => {
  vi.stubEnv("TESTCONTAINERS_RYUK_DISABLED", "true");
  const { startStores } = await import("./state-stores.ts");
  twin = await startStores("shadow", SEED);
  await twin.redisBytes({ service: "cache" }, ["SET", Buffer.from("bytes"), BYTES]);
  await twin.redis({ service: "cache" }, ["SADD", "set", "a", "b", "c"]);
  await twin.redis({ service: "cache" }, ["SET", "session", "1", "PX", "600000"]);
});
afterAll(async () => await twin?.[Symbol.asyncDispose]());

const fingerprint = () => state.fingerprint(twin, STORES, { signal });
const take = (of: Twin = twin) => snapshots.take({ twin: of, stores: STORES, signal });

test("whatever was done to the stores, a restore brings back the very state, and again", async () => {
  const snapshot = await take();
  const before = await fingerprint();
  expect(snapshot.facts.stores.map(({ service, entries }) => [service, entries])).toEqual([
    ["db", 3003],
    ["cache", 3],
  ]);
  const damages = [
    `DROP TABLE orders; DELETE FROM notes WHERE line = 'other'; CREATE TABLE intruder (id int); SELECT nextval('numbers');
     ALTER DATABASE shop RESET work_mem; GRANT CONNECT ON DATABASE shop TO PUBLIC; ALTER DATABASE shop CONNECTION LIMIT 3`,
    "UPDATE orders SET total = 0; TRUNCATE notes",
  ];
  for (const damage of damages) {
    await twin.sql({ service: "db" }, damage);
    await twin.redis({ service: "cache" }, ["FLUSHALL"]);
    await twin.redis({ service: "cache" }, ["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    expect(coarseDifference(before, await fingerprint()).length).toBeGreaterThan(3);
    await snapshot.restore(signal);
    expect(coarseDifference(before, await fingerprint())).toEqual([]);
  }
  expect(await twin.redisBytes({ service: "cache" }, ["GET", "bytes"])).toEqual(BYTES);
  expect(Number(await twin.redis({ service: "cache" }, ["PTTL", "session"]))).toBeGreaterThan(1000);
});

test("says which writes a restore would take back, row by row", async () => {
  const snapshot = await take();
  expect(await snapshot.losses(signal)).toEqual([]);
  await twin.sql(
    { service: "db" },
    "UPDATE orders SET total = 1 WHERE id IN (5, 6); DELETE FROM orders WHERE id = 7; INSERT INTO notes VALUES ('new'), ('new')",
  );
  await twin.redis({ service: "cache" }, ["SET", "cart", "full"]);
  expect(await snapshot.losses(signal)).toEqual([
    { path: "db/db/shop/rows/notes", entries: 2 },
    { path: "db/db/shop/rows/orders", entries: 3 },
    { path: "redis/cache", entries: 1 },
  ]);
  await snapshot.restore(signal);
  expect(await snapshot.losses(signal)).toEqual([]);
});

test("a copy that is not the original is no snapshot, and leaves no scratch behind", async () => {
  const meddling: Twin = {
    ...twin,
    sql: async (database, text, params) => {
      const answer = await twin.sql(database, text, params);
      if (text.startsWith('CREATE DATABASE "canary_copy"'))
        await twin.sql({ service: "db", database: "canary_copy" }, "DELETE FROM orders WHERE id = 1");
      return answer;
    },
  };
  await expect(take(meddling)).rejects.toMatchObject({
    code: "SNAPSHOT_UNVERIFIED",
    hint: expect.stringContaining("db/db/shop/rows/orders"),
  });
  const databases = await twin.sql(
    { service: "db" },
    "SELECT datname FROM pg_database WHERE datname ~ 'canary' ORDER BY 1",
  );
  expect(databases).toEqual([{ datname: "canary_snapshot" }]);
});

test("applications that keep a connection to the database lose it for a moment only", async () => {
  const snapshot = await take();
  const application = await twin.sql({ service: "db" }, "SELECT pg_backend_pid() AS pid");
  await snapshot.restore(signal);
  const after = await twin.sql({ service: "db" }, "SELECT pg_backend_pid() AS pid, count(*)::int AS rows FROM orders");
  expect(after[0]?.["rows"]).toBe(3000);
  expect(after[0]?.["pid"]).not.toBe(application[0]?.["pid"]);
});
