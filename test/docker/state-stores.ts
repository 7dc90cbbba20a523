import pg from "pg";
import { createClient, RESP_TYPES } from "redis";
import { GenericContainer, type StartedTestContainer, Wait } from "testcontainers";
import type { StateSpec } from "../../src/mirror/mirror-spec.ts";
import type { Role, Twin } from "../../src/mirror/twin.ts";
import { lastRows } from "../../src/mirror/writes/database-access.ts";
import { databaseActors } from "../../src/mirror/writes/database-actors.ts";

/** The stores that the twins of these tests have. */
export const STORES: readonly StateSpec[] = [
  { kind: "postgres", service: "db", port: 5432, database: "shop", user: "shop", password: "shop" },
  { kind: "redis", service: "cache", port: 6379 },
];

/** A twin that is only its stores, on real servers. */
export interface StoreTwin extends Twin, AsyncDisposable {}

/** Starts a PostgreSQL and a Redis; the twin's other operations reject. */
export async function startStores(role: Role, seed: string): Promise<StoreTwin> {
  await using starting = new AsyncDisposableStack();
  const [db, cache] = await Promise.all([
    new GenericContainer("postgres:15")
      .withEnvironment({
        POSTGRES_USER: "shop",
        POSTGRES_PASSWORD: "shop",
        POSTGRES_DB: "shop",
        POSTGRES_HOST_AUTH_METHOD: "trust",
      })
      .withExposedPorts(5432)
      .withTmpFs({ "/var/lib/postgresql/data": "rw" })
      .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
      .start()
      .then((container) => starting.use(container)),
    new GenericContainer("redis:7")
      .withExposedPorts(6379)
      .start()
      .then((container) => starting.use(container)),
  ]);
  const pools = new Map<string, pg.Pool>();
  const poolOf = (database: string): pg.Pool => {
    const known = pools.get(database);
    if (known !== undefined) return known;
    const pool = new pg.Pool({ ...endpoint(db, 5432), user: "shop", password: "shop", database, max: 3 });
    pool.on("error", () => undefined);
    pools.set(database, pool);
    return pool;
  };
  const endPools = async (): Promise<void> => {
    const ended = [...pools.values()];
    pools.clear();
    await Promise.all(ended.map((pool) => pool.end()));
  };
  starting.defer(endPools);
  const redis = await createClient({ socket: endpoint(cache, 6379) }).connect();
  starting.defer(() => redis.destroy());
  // A stored password has a salt of its own on every server; twins from one prepared image share it, these would not.
  await poolOf("shop").query(`ALTER ROLE shop PASSWORD NULL; ${seed}`);
  const address = { host: "127.0.0.1", port: db.getMappedPort(5432) } as const;
  const ask = async (text: string, parameters?: readonly unknown[]) =>
    lastRows(await poolOf("shop").query(text, parameters === undefined ? [] : [...parameters]));
  const state = STORES[0];
  if (state?.kind !== "postgres") throw new Error("the first store is the database");
  const actors = databaseActors(() => ({ state, address, ask }));
  const started = starting.move();
  const refuse = async (): Promise<never> => Promise.reject(new Error("these twins are stores only"));
  return {
    role,
    address: () => address,
    sql: async ({ database }, text, parameters) => {
      const result = await poolOf(database ?? "shop").query<Record<string, unknown>>(
        text,
        parameters === undefined ? [] : [...parameters],
      );
      const last = Array.isArray(result) ? result.at(-1) : result;
      return last?.rows ?? [];
    },
    sqlAs: ({ service }, work, signal) => actors.sqlAs(service, work, signal),
    openWriteLog: ({ service }, signal) => actors.openWriteLog(service, signal),
    redis: async (_, command) => await redis.sendCommand([...command]),
    redisBytes: async (_, command) =>
      await redis.sendCommand([...command], { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }),
    disconnect: async ({ service }) => {
      if (service === "db") await endPools();
    },
    revive: async () => [],
    configuration: async () => [],
    scale: refuse,
    update: refuse,
    imageId: refuse,
    restart: refuse,
    readFile: refuse,
    fileAttributes: refuse,
    writeFile: refuse,
    askStub: refuse,
    exec: refuse,
    processes: async () => [],
    programs: async () => [],
    files: async () => ({ files: {}, inImage: {}, sinceStart: [], unseen: [] }),
    flagFiles: async () => [],
    errorPatterns: async () => [],
    usage: refuse,
    scrape: refuse,
    freeze: refuse,
    thaw: refuse,
    logs: refuse,
    stubCalls: () => [],
    plantHarm: refuse,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

function endpoint(container: StartedTestContainer, port: number): { readonly host: string; readonly port: number } {
  return { host: container.getHost(), port: container.getMappedPort(port) };
}
