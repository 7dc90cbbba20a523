import { LIMITS } from "../../core/limits.ts";
import { looksSecret, maskedValue } from "../../core/redact.ts";
import { sha256Hex } from "../../core/sha256.ts";
import { encodeSegment } from "../../plan/resource-pattern.ts";
import type { Difference, ResourcePath } from "../fingerprint.ts";
import type { SqlRow } from "../twin.ts";
import { BUCKETS, bucketSql, FIXED_TEXT_FORMS, quoted, relationSql, type TableShape } from "./postgres-rows.ts";

/** Values up to this length are shown, longer ones cut with their digest; enough for a person to recognise one. */
const VALUE_CHARS_SHOWN = 80;

/** One query for the rows of some buckets ($1, a list of bucket numbers): `k0..` the key, `v0..` the values, as text. */
export function rowsOfBucketsSql(shape: TableShape): string {
  const key = shape.primaryKey.map((column, index) => `t.${quoted(column)}::text AS k${index}`);
  const values = shape.columns.map((column, index) => `${shownSql(`t.${quoted(column)}::text`)} AS v${index}`);
  return `SELECT ${[...key, ...values].join(", ")} FROM ${relationSql(shape)} t
   WHERE ${FIXED_TEXT_FORMS} AND ${bucketSql(shape)} = ANY ($1::int[])`;
}

/** Rows of one table on two twins, compared by primary key, down to the columns that both have. */
export function differenceOfRows(options: {
  readonly table: ResourcePath;
  readonly shape: TableShape;
  readonly before: readonly SqlRow[];
  readonly after: readonly SqlRow[];
}): readonly Difference[] {
  const { table, shape } = options;
  const before = new Map(options.before.map((row) => [keySegment(shape, row), row]));
  const after = new Map(options.after.map((row) => [keySegment(shape, row), row]));
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys.flatMap((key): readonly Difference[] => {
    const was = before.get(key);
    const is = after.get(key);
    const path = `${table}/${key}`;
    if (was === undefined) return [{ path, kind: "added", after: rowDigest(shape, is) }];
    if (is === undefined) return [{ path, kind: "removed", before: rowDigest(shape, was) }];
    return changedColumns(path, shape, was, is);
  });
}

/** The buckets to compare row by row within LIMITS.rowsComparedMax, and those that are left over. */
export function withinLimit(
  buckets: readonly number[],
  rowsIn: (bucket: number) => number,
): { readonly compared: readonly number[]; readonly uncompared: readonly number[] } {
  let total = 0;
  const compared = buckets.filter((bucket) => {
    total += rowsIn(bucket);
    return total <= LIMITS.rowsComparedMax;
  });
  const kept = new Set(compared);
  return { compared, uncompared: buckets.filter((bucket) => !kept.has(bucket)) };
}

/** Buckets that hold something else, from the rows of `hashTableSql` of both twins. */
export function differingBuckets(before: readonly SqlRow[], after: readonly SqlRow[]): readonly number[] {
  const [was, is] = [byBucket(before), byBucket(after)];
  return Array.from({ length: BUCKETS }, (_, bucket) => bucket).filter(
    (bucket) => JSON.stringify(was.get(bucket)) !== JSON.stringify(is.get(bucket)),
  );
}

/**
 * What can be said of buckets too many to compare row by row: which columns hold other values, whether rows came or went.
 * Their path has `(uncompared)` in place of the key, which a `*` in a declaration matches like any other.
 */
export function uncomparedDifference(options: {
  readonly table: ResourcePath;
  readonly shape: TableShape;
  readonly buckets: readonly number[];
  readonly before: readonly SqlRow[];
  readonly after: readonly SqlRow[];
}): readonly Difference[] {
  const [was, is] = [byBucket(options.before), byBucket(options.after)];
  const path = `${options.table}/(uncompared)`;
  const differs = (name: string): boolean =>
    options.buckets.some((bucket) => was.get(bucket)?.[name] !== is.get(bucket)?.[name]);
  const rowsIn = (side: ReadonlyMap<number, SqlRow>): number =>
    options.buckets.reduce((sum, bucket) => sum + Number(side.get(bucket)?.["rows"] ?? 0), 0);
  const columns = options.shape.columns.filter((_, index) => differs(`h${index}`));
  const counted: readonly Difference[] = differs("rows")
    ? [{ path, kind: "changed", before: `${rowsIn(was)} rows`, after: `${rowsIn(is)} rows` }]
    : [];
  return [
    ...counted,
    ...columns.map((column): Difference => ({ path: `${path}/${encodeSegment(column)}`, kind: "changed" })),
  ];
}

/** Rows without a key, as counts per hash of the whole row: `rows/<table>/~<hash>` came or went. */
export function differenceOfKeylessRows(
  table: ResourcePath,
  before: readonly SqlRow[],
  after: readonly SqlRow[],
): readonly Difference[] {
  const counts = (rows: readonly SqlRow[]) => new Map(rows.map((row) => [String(row["whole"]), Number(row["rows"])]));
  const [was, is] = [counts(before), counts(after)];
  return [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((hash): readonly Difference[] => {
    const change = (is.get(hash) ?? 0) - (was.get(hash) ?? 0);
    if (change === 0) return [];
    const path = `${table}/~${BigInt.asUintN(64, BigInt(hash)).toString(16).padStart(16, "0")}`;
    const rows = `${Math.abs(change)} ${Math.abs(change) === 1 ? "row" : "rows"}`;
    return change > 0 ? [{ path, kind: "added", after: rows }] : [{ path, kind: "removed", before: rows }];
  });
}

function changedColumns(path: ResourcePath, shape: TableShape, was: SqlRow, is: SqlRow): readonly Difference[] {
  return shape.columns.flatMap((column, index): readonly Difference[] => {
    const [before, after] = [was[`v${index}`], is[`v${index}`]];
    if (before === after) return [];
    const shown = (value: unknown): string => (typeof value === "string" ? maskedValue(column, value) : "null");
    return [{ path: `${path}/${encodeSegment(column)}`, kind: "changed", before: shown(before), after: shown(after) }];
  });
}

/** Stands for a whole row, so that a later change of an added row can be told. */
function rowDigest(shape: TableShape, row: SqlRow | undefined): string {
  return `row ${sha256Hex(JSON.stringify(shape.columns.map((_, index) => row?.[`v${index}`]))).slice(0, 12)}`;
}

/** Key values (`k0..` of the row) joined by commas, each encoded; a key that is itself a secret (a session's token) becomes a digest. */
export function keySegment(shape: TableShape, row: SqlRow): string {
  return shape.primaryKey
    .map((column, index) => {
      const value = String(row[`k${index}`]);
      return looksSecret(column)
        ? `sha256:${sha256Hex(value).slice(0, 12)}`
        : encodeSegment(value).replaceAll(",", "%2C").replaceAll("(", "%28");
    })
    .join(",");
}

function shownSql(value: string): string {
  return `CASE WHEN length(${value}) <= ${VALUE_CHARS_SHOWN} THEN ${value} ELSE left(${value}, ${VALUE_CHARS_SHOWN - 20}) || '… (md5:' || left(md5(${value}), 12) || ')' END`;
}

function byBucket(rows: readonly SqlRow[]): ReadonlyMap<number, SqlRow> {
  return new Map(rows.map((row) => [Number(row["bucket"]), row]));
}
