import { CanaryError, messageOf } from "../../core/errors.ts";
import type { MirrorSpec, StateSpec } from "../mirror-spec.ts";
import type { Address, Role, SqlRow } from "../twin.ts";

/** Kept connections to the state stores of one twin. */
export interface StateClients extends AsyncDisposable {
  sql(service: string, text: string, params?: readonly unknown[]): Promise<readonly SqlRow[]>;
  redis(service: string, command: readonly string[]): Promise<unknown>;
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
  const pools = new Map<string, Promise<SqlPool>>();
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
  return {
    async sql(service, text, params) {
      const state = find(service, "postgres");
      const pool = pools.get(service) ?? connectPostgres(state, twin.addressOf(state));
      pools.set(service, pool);
      try {
        const result = await (await pool).query<Record<string, unknown>>(
          text,
          params === undefined ? undefined : [...params],
        );
        // Several statements give one result each; the last one is the answer.
        const last = Array.isArray(result) ? result.at(-1) : result;
        return last?.rows ?? [];
      } catch (cause) {
        throw lostConnection(cause) ? unreachable(service, twin.role, cause) : cause;
      }
    },
    async redis(service, command) {
      const state = find(service, "redis");
      const client = clients.get(service) ?? connectRedis(twin.addressOf(state));
      clients.set(service, client);
      try {
        return await (await client).sendCommand([...command]);
      } catch (cause) {
        if ((await client.catch(() => undefined)) === undefined) clients.delete(service);
        throw lostConnection(cause) ? unreachable(service, twin.role, cause) : cause;
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([
        ...[...pools.values()].map(async (pool) => await (await pool).end()),
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

async function connectRedis(address: Address) {
  const { createClient } = await import("redis");
  const client = createClient({
    name: "canary-harness",
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
