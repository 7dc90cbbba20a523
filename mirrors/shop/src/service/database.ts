import pg from "pg";
import { answerOf } from "./dependency.ts";
import type { Log } from "./log.ts";

/** A pool of PostgreSQL connections that outlives restarts of the server. */
export interface Database {
  /**
   * Rows of one statement, which is its own transaction: a process frozen between statements holds no lock.
   * @throws DependencyFailure when the server does not answer or refuses the statement
   */
  rows<Row extends object>(sql: string, values: readonly unknown[]): Promise<readonly Row[]>;
  /** Connections open, and callers waiting for one. */
  occupancy(): { readonly open: number; readonly waiting: number };
  close(): Promise<void>;
}

const CONNECT_MS_MAX = 2_000;
const STATEMENT_MS_MAX = 5_000;

/** Opens lazily: the server need not be there yet. */
export function openDatabase(options: { readonly url: string; readonly poolMax: number; readonly log: Log }): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolMax,
    // Reconnecting after idle seconds would put a connection's 5 ms into the latency of slow traffic.
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    statement_timeout: STATEMENT_MS_MAX,
    query_timeout: STATEMENT_MS_MAX + 500,
    keepAlive: true,
  });
  // Without a listener an idle connection that the server ends would end this process too.
  pool.on("error", (error) => options.log.warn("database connection lost", { reason: error.message }));
  return {
    rows: async <Row extends object>(sql: string, values: readonly unknown[]) =>
      (await answerOf("database", pool.query<Row>(sql, [...values]))).rows,
    occupancy: () => ({ open: pool.totalCount, waiting: pool.waitingCount }),
    close: () => pool.end(),
  };
}
