import { randomBytes } from "node:crypto";
import type { Client } from "pg";
import { messageOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { TABLE_SHAPES_SQL, tableShape } from "../state/postgres-rows.ts";
import { rowsPath } from "../state/postgres-schema.ts";
import type { SqlRow } from "../twin.ts";
import type { WriteLog, WriteReading } from "../write-log.ts";
import type { Performed } from "./actor-connections.ts";
import { connectAs, type DatabaseAccess, lastRows } from "./database-access.ts";
import { createTally } from "./write-tally.ts";

/** Opening waits for transactions that are under way; one that never ends must not hold the run. */
const OPEN_TIMEOUT_MS = 10_000;
const READ_TIMEOUT_MS = 120_000;
/** Changes decoded at once: a batch lies on the server's disk, not in memory, and its counts are a few rows. */
const BATCH_CHANGES = 50_000;
/** Keys are read from text, which depends on these. */
const TEXT_FORMS = [
  "SET TimeZone = 'UTC'",
  "SET DateStyle = 'ISO, YMD'",
  "SET IntervalStyle = 'iso_8601'",
  "SET extra_float_digits = 1",
  "SET bytea_output = 'hex'",
].join("; ");

/**
 * Opens the log of writes by a temporary slot of logical decoding: the server removes it with our connection, however that
 * ends. A server that keeps no such log is an answer (`unavailable`), not an error.
 * @param performed - what actions did at this database; grows while the log is open
 */
export async function openPostgresLog(
  access: DatabaseAccess,
  performed: readonly Performed[],
  slot: string,
): Promise<WriteLog> {
  const before = performed.length;
  let lost: string | undefined;
  const onLost = (cause: Error): void => {
    lost ??= `the connection that kept the log was lost (${messageOf(cause)})`;
  };
  const { user, password } = access.state;
  const as = { user, password, applicationName: "canary-harness", statementTimeoutMs: OPEN_TIMEOUT_MS, onLost };
  const client = await connectAs(access, as);
  const closed = (): Promise<void> => client.end().catch(() => undefined);
  const refused = await openSlot(client, slot);
  if (refused !== undefined) {
    await closed();
    const read: WriteLog["read"] = async () => ({ kind: "unavailable", why: refused });
    return { isOpen: () => false, read, [Symbol.asyncDispose]: async () => undefined };
  }
  return {
    isOpen: () => lost === undefined,
    read: async (signal) => {
      if (lost !== undefined) return { kind: "unavailable", why: lost };
      try {
        return await readSlot({ access, client, slot, performed: performed.slice(before), signal });
      } catch (cause) {
        signal.throwIfAborted();
        return { kind: "unavailable", why: `the log could not be read: ${lost ?? messageOf(cause)}` };
      }
    },
    [Symbol.asyncDispose]: closed,
  };
}

/** Why there can be no log, if there cannot. */
async function openSlot(client: Client, slot: string): Promise<string | undefined> {
  try {
    const level = lastRows(await client.query("SELECT current_setting('wal_level') AS level"))[0]?.["level"];
    if (level !== "logical") return `the server keeps no logical log (wal_level is ${String(level)})`;
    await client.query("SELECT pg_create_logical_replication_slot($1, 'test_decoding', true)", [slot]);
    await client.query(`SET statement_timeout = ${READ_TIMEOUT_MS}; ${TEXT_FORMS}`);
    return undefined;
  } catch (cause) {
    return `the server opens no log of changes: ${messageOf(cause)}`;
  }
}

interface Reading {
  readonly access: DatabaseAccess;
  readonly client: Client;
  readonly slot: string;
  readonly performed: readonly Performed[];
  readonly signal: AbortSignal;
}

/** Batch after batch up to a marker of our own: that it is found shows that everything before it was read. */
async function readSlot(reading: Reading): Promise<WriteReading> {
  const { access, client, slot, signal } = reading;
  const shapes = (await access.ask(TABLE_SHAPES_SQL)).map(tableShape);
  const tally = createTally(access.state, shapes, reading.performed);
  // Nobody else can know it, so nobody else can have written it. Logged within a transaction, so that its commit brings everything before it to the server's disk.
  const marker = `end of reading ${randomBytes(16).toString("hex")}`;
  await client.query("SELECT pg_logical_emit_message(true, 'canary', $1)", [marker]);
  const end = lastRows(await client.query("SELECT pg_current_wal_flush_lsn()::text AS lsn"))[0]?.["lsn"];
  for (let changes = 1, sawEnd = false; changes > 0; ) {
    signal.throwIfAborted();
    const rows = lastRows(
      await client.query(BATCH_SQL, [slot, end, BATCH_CHANGES, tally.numbers, tally.room(), marker]),
    );
    const sum = rows.find((row) => row["kind"] === "batch");
    changes = Number(sum?.["n"] ?? 0);
    sawEnd ||= sum?.["text"] === "true";
    tally.add(rows);
    if (changes === 0 && !sawEnd) return { kind: "unavailable", why: "the log ended before everything was read" };
  }
  const { odd } = tally;
  if (odd() !== undefined) return { kind: "unavailable", why: `a line of the log was not understood: ${odd()}` };
  return { kind: "read", ...tally.sum(), unlogged: (await access.ask(UNLOGGED_SQL)).map(unloggedIn(access)) };
}

/**
 * ($1 slot, $2 last position, $3 changes at most, $4 numbers of the actors' transactions, $5 rows to list, $6 marker) as
 * (kind, number, text, n): `row` for the first rows of actors, `ours` and `others` counted by table, one `batch` in all.
 */
const BATCH_SQL = `
  WITH change AS MATERIALIZED (
    SELECT row_number() OVER () AS place, xid::text AS number, data
      FROM pg_logical_slot_get_changes($1, $2::pg_lsn, $3, 'include-xids', '0', 'skip-empty-xacts', '1')),
  of_rows AS (
    SELECT place, number, data, number = ANY ($4::text[]) AS ours,
           coalesce(substring(data FROM '^table .+?: (?:INSERT|UPDATE|DELETE|TRUNCATE):'), left(data, 200)) AS head
      FROM change WHERE data LIKE 'table %')
  (SELECT 'row' AS kind, number, left(data, ${LIMITS.textCharsMax}) AS text, 1::bigint AS n FROM of_rows WHERE ours ORDER BY place LIMIT $5)
  UNION ALL SELECT 'ours', number, head, count(*) FROM of_rows WHERE ours GROUP BY number, head
  UNION ALL SELECT 'others', NULL, head, count(*) FROM of_rows WHERE NOT ours GROUP BY head
  UNION ALL SELECT 'batch', NULL, coalesce(bool_or(data LIKE 'message:%' AND strpos(data, $6) > 0), false)::text, count(*) FROM change`;

const UNLOGGED_SQL = `
  SELECT n.nspname::text AS namespace, c.relname::text AS "table", c.relkind::text AS kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE ((c.relkind = 'r' AND c.relpersistence = 'u') OR c.relkind = 'm')
     AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'`;

function unloggedIn({ state }: DatabaseAccess) {
  return (row: SqlRow): Extract<WriteReading, { kind: "read" }>["unlogged"][number] => ({
    table: rowsPath(state, String(row["namespace"]), String(row["table"])),
    kind: row["kind"] === "m" ? "materialised view" : "unlogged",
  });
}
