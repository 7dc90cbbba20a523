import pg from "pg";
import { createClient } from "redis";
import { GenericContainer, type StartedTestContainer, Wait } from "testcontainers";
import type { StateSpec } from "../../src/mirror/mirror-spec.ts";
import type { Role, Twin } from "../../src/mirror/twin.ts";

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
  const pool = new pg.Pool({ ...endpoint(db, 5432), user: "shop", password: "shop", database: "shop", max: 3 });
  pool.on("error", () => undefined);
  starting.defer(() => pool.end());
  const redis = await createClient({ socket: endpoint(cache, 6379) }).connect();
  starting.defer(() => redis.destroy());
  // A stored password has a salt of its own on every server; twins from one prepared image share it, these would not.
  await pool.query(`ALTER ROLE shop PASSWORD NULL; ${seed}`);
  const started = starting.move();
  const refuse = async (): Promise<never> => Promise.reject(new Error("these twins are stores only"));
  return {
    role,
    address: () => ({ host: "127.0.0.1", port: db.getMappedPort(5432) }),
    sql: async (_, text, parameters) => {
      const result = await pool.query<Record<string, unknown>>(text, parameters === undefined ? [] : [...parameters]);
      const last = Array.isArray(result) ? result.at(-1) : result;
      return last?.rows ?? [];
    },
    redis: async (_, command) => await redis.sendCommand([...command]),
    configuration: async () => [],
    scale: refuse,
    update: refuse,
    exec: refuse,
    processes: refuse,
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
