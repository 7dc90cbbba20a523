import type { Client } from "pg";
import type { StateSpec } from "../mirror-spec.ts";
import type { Address, SqlRow } from "../twin.ts";

/** One PostgreSQL of a twin, as the parts here reach it. */
export interface DatabaseAccess {
  readonly state: Extract<StateSpec, { kind: "postgres" }>;
  readonly address: Address;
  /** Asks on a kept connection of the mirror's own user. */
  readonly ask: (text: string, params?: readonly unknown[]) => Promise<readonly SqlRow[]>;
}

const CONNECT_TIMEOUT_MS = 5_000;

/** Opens a connection of its own. The caller ends it; a connection that breaks tells `onLost`. */
export async function connectAs(
  { state, address }: Pick<DatabaseAccess, "state" | "address">,
  as: {
    readonly user: string;
    readonly password: string;
    readonly applicationName: string;
    readonly statementTimeoutMs: number;
    readonly onLost?: (cause: Error) => void;
  },
): Promise<Client> {
  const { Client: Connection } = await import("pg");
  const client = new Connection({
    host: address.host,
    port: address.port,
    user: as.user,
    password: as.password,
    database: state.database,
    application_name: as.applicationName,
    statement_timeout: Math.max(1, Math.ceil(as.statementTimeoutMs)),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  // Without a listener a connection that breaks while idle would end the process.
  client.on("error", (cause) => as.onLost?.(cause));
  await client.connect();
  return client;
}

/** Rows of the last of several statements that were sent as one text. */
export function lastRows(result: unknown): readonly SqlRow[] {
  const last: unknown = Array.isArray(result) ? result.at(-1) : result;
  return typeof last === "object" && last !== null && "rows" in last && Array.isArray(last.rows) ? last.rows : [];
}

/** The server's own five-character code of an error, if it is one of the server's. */
export function sqlState(cause: unknown): string {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  return /^[0-9A-Z]{5}$/.test(code) ? code : "";
}
