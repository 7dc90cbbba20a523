import { CanaryError, messageOf } from "../../core/errors.ts";
import type { MirrorSpec, StateSpec } from "../mirror-spec.ts";
import type { Address, DatabaseOf, Role, SqlRow } from "../twin.ts";
import type { ActorWork, WriteLog } from "../write-log.ts";
import { lastRows } from "../writes/database-access.ts";
import { databaseActors } from "../writes/database-actors.ts";

/** Kept connections to the state stores of one twin. */
export interface StateClients extends AsyncDisposable {
  sql(database: DatabaseOf, text: string, params?: readonly unknown[]): Promise<readonly SqlRow[]>;
  sqlAs(service: string, work: ActorWork, signal: AbortSignal): Promise<void>;
  openWriteLog(service: string, signal: AbortSignal): Promise<WriteLog>;
  redis(service: string, command: readonly string[], as?: string): Promise<unknown>;
  /** Strings of the answer come as Buffers. */
  redisBytes(service: string, command: readonly (string | Buffer)[]): Promise<unknown>;
  /** Ends the kept connections to one store. */
  disconnect(service: string): Promise<void>;
}

type PostgresState = Extract<StateSpec, { kind: "postgres" }>;
type SqlPool = import("pg").Pool;
type RedisClient = Awaited<ReturnType<typeof connectRedis>>;

const CONNECT_TIMEOUT_MS = 5_000;
const CONNECTIONS_MAX = 3;

/**
 * Clients that connect on first use and again after the store was restarted.
 * SQL errors are passed on as `pg` throws them, since a refused statement is an answer; a lost connection is not.
 */
export function stateClients(
  spec: MirrorSpec,
  twin: { readonly role: Role; readonly addressOf: (state: StateSpec) => Address },
): StateClients {
  const pools = new Map<string, { readonly service: string; readonly pool: Promise<SqlPool> }>();
  const clients = new Map<string, Promise<RedisClient>>();
  const find = <Kind extends StateSpec["kind"]>(service: string, kind: Kind): Extract<StateSpec, { kind: Kind }> => {
    const state = spec.state.find(
      (store): store is Extract<StateSpec, { kind: Kind }> => store.service === service && store.kind === kind,
    );
    if (state !== undefined) return state;
    throw new CanaryError({
      code: "REPLAY_FAILED",
      message: `${service} is not a ${kind} store of this mirror`,
      hint: "List it under `x-canary: state:` in the Compose file.",
    });
  };
  const answered = async <T>(service: string, question: () => Promise<T>): Promise<T> => {
    try {
      return await question();
    } catch (cause) {
      throw lostConnection(cause) ? unreachable(service, twin.role, cause) : cause;
    }
  };
  const askRedis = async (
    service: string,
    command: (client: RedisClient) => Promise<unknown>,
    as = "canary-harness",
  ): Promise<unknown> => {
    const state = find(service, "redis");
    const key = redisKey(service, as);
    const client = clients.get(key) ?? connectRedis(twin.addressOf(state), as);
    clients.set(key, client);
    try {
      return await command(await client);
    } catch (cause) {
      if ((await client.catch(() => undefined)) === undefined) clients.delete(key);
      throw lostConnection(cause) ? unreachable(service, twin.role, cause) : cause;
    }
  };
  const askSql: StateClients["sql"] = async ({ service, database }, text, params) => {
    const declared = find(service, "postgres");
    const state = database === undefined ? declared : { ...declared, database };
    const key = JSON.stringify([service, state.database]);
    const kept = pools.get(key) ?? { service, pool: connectPostgres(state, twin.addressOf(state)) };
    pools.set(key, kept);
    // Several statements give one result each; the last one is the answer.
    return lastRows(await (await kept.pool).query(text, params === undefined ? undefined : [...params]));
  };
  const actors = databaseActors((service) => {
    const state = find(service, "postgres");
    return { state, address: twin.addressOf(state), ask: (text, params) => askSql({ service }, text, params) };
  });
  return {
    sql: (database, text, params) =>
      answered(database.service, async () => {
        await actors.sweep(database.service);
        return await askSql(database, text, params);
      }),
    sqlAs: (service, work, signal) => answered(service, () => actors.sqlAs(service, work, signal)),
    openWriteLog: (service, signal) => answered(service, () => actors.openWriteLog(service, signal)),
    redis: (service, command, as) => askRedis(service, async (client) => await client.sendCommand([...command]), as),
    redisBytes: (service, command) =>
      askRedis(service, async (client) => {
        const { RESP_TYPES } = await import("redis");
        const options = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
        return await client.sendCommand([...command], options);
      }),
    async disconnect(service) {
      const ended = [...pools].filter(([, kept]) => kept.service === service);
      for (const [key] of ended) pools.delete(key);
      const named = [...clients].filter(([key]) => key.startsWith(redisKey(service, "")));
      for (const [key] of named) clients.delete(key);
      await Promise.allSettled([
        ...ended.map(async ([, { pool }]) => await (await pool).end()),
        ...named.map(async ([, client]) => (await client).destroy()),
      ]);
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([
        ...[...pools.values()].map(async ({ pool }) => await (await pool).end()),
        ...[...clients.values()].map(async (client) => (await client).destroy()),
      ]);
    },
  };
}

async function connectPostgres(state: PostgresState, address: Address): Promise<SqlPool> {
  const { Pool } = await import("pg");
  const pool = new Pool({
    host: address.host,
    port: address.port,
    user: state.user,
    password: state.password,
    database: state.database,
    application_name: "canary-harness",
    max: CONNECTIONS_MAX,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    allowExitOnIdle: true,
  });
  // An idle connection that breaks is dropped by the pool; without a listener it would end the process.
  pool.on("error", () => undefined);
  return pool;
}

/** One connection of a Redis for each name that it is told. */
function redisKey(service: string, as: string): string {
  return `${service} ${as}`;
}

async function connectRedis(address: Address, name: string) {
  const { createClient } = await import("redis");
  const client = createClient({
    name,
    socket: {
      host: address.host,
      port: address.port,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: (attempts) => Math.min(50 * 2 ** attempts, 1_000),
    },
    disableOfflineQueue: false,
    commandsQueueMaxLength: 10_000,
  });
  client.on("error", () => undefined);
  return await client.connect();
}

/** PostgreSQL's own errors carry a five-character SQLSTATE; class 57P and 08 mean that the server went away. */
function lostConnection(cause: unknown): boolean {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  if (/^(57P0[123]|08)/.test(code)) return true;
  return (
    /ECONNREFUSED|ECONNRESET|EPIPE|terminated|closed|timeout/i.test(`${code} ${messageOf(cause)}`) &&
    !/^[0-9A-Z]{5}$/.test(code)
  );
}

function unreachable(service: string, role: Role, cause: unknown): CanaryError {
  return new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: `${service} of the ${role} twin does not answer (${messageOf(cause)})`,
    hint: "The store was stopped or is overloaded; its last lines of output are in the report.",
    cause,
  });
}
