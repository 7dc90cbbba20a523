import { LIMITS } from "../../core/limits.ts";
import type { Difference, ResourcePath } from "../fingerprint.ts";
import type { StateSpec } from "../mirror-spec.ts";
import type { SqlRow } from "../twin.ts";
import { hashedRowsSql, hashTableSql, type TableShape } from "./postgres-rows.ts";
import { databasePath } from "./postgres-schema.ts";
import { shapeOfTable } from "./postgres-state.ts";
import {
  differenceOfKeylessRows,
  differenceOfRows,
  differingBuckets,
  rowsOfBucketsSql,
  uncomparedDifference,
  withinLimit,
} from "./row-differences.ts";
import type { StateSource } from "./store-state.ts";
import { readingState } from "./unreadable-state.ts";

type PostgresSpec = Extract<StateSpec, { kind: "postgres" }>;

/** A table that differs between a twin that changed and one that still has the old state. */
export interface RowQuery {
  readonly table: ResourcePath;
  readonly stores: readonly StateSpec[];
  /** Still in the old state: on the quiet twin, the untouched control. */
  readonly reference: StateSource;
  readonly changed: StateSource;
  readonly signal: AbortSignal;
}

/**
 * The rows in which a table differs, down to the columns that both twins have; `undefined` if the table is gone on one side,
 * too large to compare without a key, or equal by now (the state moved since it was fingerprinted).
 */
export async function locateRows(query: RowQuery): Promise<readonly Difference[] | undefined> {
  const store = query.stores.find(
    (candidate): candidate is PostgresSpec =>
      candidate.kind === "postgres" && query.table.startsWith(`${databasePath(candidate)}/rows/`),
  );
  if (store === undefined) return undefined;
  return await readingState(store, query.signal, () => locateIn(store, query));
}

async function locateIn(store: PostgresSpec, query: RowQuery): Promise<readonly Difference[] | undefined> {
  const [was, is] = await Promise.all([
    shapeOfTable(query.reference, store, query.table),
    shapeOfTable(query.changed, store, query.table),
  ]);
  if (was === undefined || is === undefined) return undefined;
  const shape = commonShape(was, is);
  const both: BothTwins = async (text, parameters) => {
    query.signal.throwIfAborted();
    const [before, after] = await Promise.all([
      query.reference.sql({ service: store.service }, text, parameters),
      query.changed.sql({ service: store.service }, text, parameters),
    ]);
    return { before, after };
  };
  const located =
    shape.primaryKey.length === 0 ? await keyless(query.table, shape, both) : await keyed(query.table, shape, both);
  const columnsChanged = shape.columns.length < Math.max(was.columns.length, is.columns.length);
  return located?.length === 0 && !columnsChanged ? undefined : located;
}

type BothTwins = (
  text: string,
  parameters?: readonly unknown[],
) => Promise<{ readonly before: readonly SqlRow[]; readonly after: readonly SqlRow[] }>;

async function keyed(table: ResourcePath, shape: TableShape, both: BothTwins): Promise<readonly Difference[]> {
  const hashes = await both(hashTableSql(shape));
  const rowsIn = new Map<number, number>();
  for (const row of [...hashes.before, ...hashes.after]) {
    const bucket = Number(row["bucket"]);
    rowsIn.set(bucket, Math.max(rowsIn.get(bucket) ?? 0, Number(row["rows"])));
  }
  const { compared, uncompared } = withinLimit(
    differingBuckets(hashes.before, hashes.after),
    (bucket) => rowsIn.get(bucket) ?? 0,
  );
  const rows = await both(rowsOfBucketsSql(shape), [compared]);
  return [
    ...differenceOfRows({ table, shape, ...rows }),
    ...uncomparedDifference({ table, shape, buckets: uncompared, ...hashes }),
  ];
}

async function keyless(
  table: ResourcePath,
  shape: TableShape,
  both: BothTwins,
): Promise<readonly Difference[] | undefined> {
  const whole = `hash_array_extended(ARRAY[${shape.columns.map((_, index) => `h${index}`).join(", ")}]::bigint[], 0)`;
  const { before, after } = await both(
    `SELECT ${whole}::text AS whole, count(*)::text AS rows FROM (${hashedRowsSql(shape)}) AS hashed
      GROUP BY 1 LIMIT ${LIMITS.rowsComparedMax + 1}`,
  );
  if (Math.max(before.length, after.length) > LIMITS.rowsComparedMax) return undefined;
  return differenceOfKeylessRows(table, before, after);
}

/** The columns that both have, and the key if it is the same. */
function commonShape(a: TableShape, b: TableShape): TableShape {
  const columns = a.columns.filter((column) => b.columns.includes(column));
  const sameKey =
    a.primaryKey.length === b.primaryKey.length && a.primaryKey.every((column, i) => b.primaryKey[i] === column);
  return { ...a, columns, primaryKey: sameKey ? a.primaryKey : [] };
}
