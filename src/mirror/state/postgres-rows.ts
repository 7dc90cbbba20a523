import { COLUMN_SLOTS, type TableFingerprint } from "../fingerprint.ts";
import type { SqlRow } from "../twin.ts";

// Hashing is done by PostgreSQL in one pass per table: every value's text is hashed once, a row is the hash of its values'
// hashes in the order of the columns' names, and sums of hashes do not depend on the order of rows.

/** A table as the hash queries need it; lists sorted by name (the key in key order). */
export interface TableShape {
  readonly namespace: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** Empty where there is no primary key. */
  readonly primaryKey: readonly string[];
}

/** Power of two, so that a bucket is the low bits of the key's hash. 50,000 rows then lie about 200 to a bucket. */
export const BUCKETS = 256;

/** Every table and materialised view whose rows are state: (namespace, table, columns, key) with the lists as JSON text. */
export const TABLE_SHAPES_SQL = `
  SELECT n.nspname::text AS namespace, c.relname::text AS "table",
         (SELECT coalesce(json_agg(a.attname ORDER BY a.attname COLLATE "C"), '[]')::text FROM pg_attribute a
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
         (SELECT coalesce(json_agg(a.attname ORDER BY k.place), '[]')::text
            FROM pg_index x CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
           WHERE x.indrelid = c.oid AND x.indisprimary) AS key
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE (c.relkind = 'r' OR (c.relkind = 'm' AND c.relispopulated))
     AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   ORDER BY 1, 2`;

/** Parses one row of `TABLE_SHAPES_SQL`. */
export function tableShape(row: SqlRow): TableShape {
  return {
    namespace: String(row["namespace"]),
    table: String(row["table"]),
    columns: JSON.parse(String(row["columns"])) as readonly string[],
    primaryKey: JSON.parse(String(row["key"])) as readonly string[],
  };
}

/**
 * A query that hashes a table: one row per non-empty bucket with `bucket`, `rows`, `whole` and, per column, `h0..hn` (hash),
 * `f0..fn` (rows in which it is not NULL) and `s0..sn` (a bit for each slot that a value falls into), as text.
 * Values are read as text under fixed settings of this one statement, so that no time zone or locale changes a hash.
 */
export function hashTableSql(shape: TableShape): string {
  const sums = shape.columns.map(
    (_, index) =>
      `sum(h${index})::text AS h${index}, count(h${index})::text AS f${index}, ` +
      `bit_or(1::bigint << (h${index} & ${COLUMN_SLOTS - 1})::int)::text AS s${index}`,
  );
  const whole =
    shape.columns.length === 0
      ? "0"
      : `hash_array_extended(ARRAY[${shape.columns.map((_, i) => `h${i}`).join(", ")}], 0)`;
  return `
  SELECT bucket, count(*)::text AS rows, sum(${whole})::text AS whole${sums.map((sum) => `, ${sum}`).join("")}
    FROM (${hashedRowsSql(shape)}) AS hashed GROUP BY bucket ORDER BY bucket`;
}

/** The table's rows as (`bucket`, `h0..hn`), one hash per column, NULL where the value is NULL. */
export function hashedRowsSql(shape: TableShape): string {
  const hashes = shape.columns.map((column, index) => `${hashOf(column)} AS h${index}`);
  return `SELECT ${bucketSql(shape)} AS bucket${hashes.map((hash) => `, ${hash}`).join("")} FROM ${relationSql(shape)} t WHERE ${FIXED_TEXT_FORMS} OFFSET 0`;
}

/** Number of the bucket a row belongs to, 0 to BUCKETS - 1. */
export function bucketSql(shape: TableShape): string {
  if (shape.primaryKey.length === 0) return "0";
  return `(hash_array_extended(ARRAY[${shape.primaryKey.map(hashOf).join(", ")}], 1) & ${BUCKETS - 1})::int`;
}

/** Holds always; sets, for this statement alone, everything that the text of a value could depend on. */
export const FIXED_TEXT_FORMS = `(SELECT concat(${Object.entries({
  TimeZone: "UTC",
  DateStyle: "ISO, YMD",
  IntervalStyle: "iso_8601",
  extra_float_digits: "1",
  bytea_output: "hex",
  lc_monetary: "C",
})
  .map(([name, value]) => `set_config('${name}', '${value}', true)`)
  .join(", ")})) IS NOT NULL`;

/** A quoted, qualified name. */
export function relationSql(shape: Pick<TableShape, "namespace" | "table">): string {
  return `${quoted(shape.namespace)}.${quoted(shape.table)}`;
}

/** A quoted identifier. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The fingerprint of a table from the rows of `hashTableSql`. */
export function tableFingerprint(shape: TableShape, rows: readonly SqlRow[]): TableFingerprint {
  const buckets = Array.from({ length: shape.primaryKey.length === 0 ? 1 : BUCKETS }, () => "");
  for (const row of rows) buckets[Number(row["bucket"])] = `${row["rows"]}:${row["whole"]}`;
  const total = (name: string): string => hex(rows.reduce((sum, row) => sum + bigint(row[name]), 0n));
  return {
    rows: Number(rows.reduce((sum, row) => sum + bigint(row["rows"]), 0n)),
    sha: total("whole"),
    columns: Object.fromEntries(shape.columns.map((column, index) => [column, total(`h${index}`)])),
    held: Object.fromEntries(
      shape.columns.map((column, index) => [
        column,
        {
          filled: Number(rows.reduce((sum, row) => sum + bigint(row[`f${index}`]), 0n)),
          slots: bitsOf(rows.reduce((bits, row) => bits | BigInt.asUintN(COLUMN_SLOTS, bigint(row[`s${index}`])), 0n)),
        },
      ]),
    ),
    buckets,
  };
}

/** "C" so that a collation that calls different texts equal cannot hide a change. */
function hashOf(column: string): string {
  return `hashtextextended(t.${quoted(column)}::text COLLATE "C", 0)`;
}

function bitsOf(word: bigint): number {
  return [...word.toString(2)].filter((bit) => bit === "1").length;
}

function bigint(value: unknown): bigint {
  return value === null || value === undefined ? 0n : BigInt(String(value));
}

/** Sums of many signed 64-bit hashes as one fixed-width word; wraps like the sum of a larger register would. */
function hex(sum: bigint): string {
  return BigInt.asUintN(96, sum).toString(16).padStart(24, "0");
}
