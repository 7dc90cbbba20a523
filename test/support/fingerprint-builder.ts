import fc from "fast-check";
import { sha256Hex } from "../../src/core/sha256.ts";
import {
  COLUMN_SLOTS,
  type ColumnHeld,
  type Fingerprint,
  type TableFingerprint,
} from "../../src/mirror/fingerprint.ts";

/** A table in notes: column to its values, row by row. */
export type TableNote = Readonly<Record<string, readonly string[]>>;

/** What a fingerprint is drawn from. */
export interface StateNote {
  readonly resources: Readonly<Record<string, string>>;
  readonly tables: Readonly<Record<string, TableNote>>;
  readonly keys: Readonly<Record<string, string>>;
}

/** The fingerprint of noted state: equal notes give equal fingerprints, different ones different. */
export function fingerprintFrom(note: StateNote): Fingerprint {
  return {
    resources: note.resources,
    tables: Object.fromEntries(Object.entries(note.tables).map(([path, table]) => [path, tableFrom(table)])),
    keys: note.keys,
    takenMs: 0,
  };
}

const resource = fc.constantFrom(
  "service/api/replicas",
  "service/api/env/A",
  "db/db/shop/schema/jobs",
  "db/db/shop/schema/jobs/index/i",
);
const column = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 3, maxLength: 3 });
const table = fc.record({ id: fc.constant(["1", "2", "3"]), status: column, note: column });

/** Any state with up to three tables of three rows and a few keys. */
export const anyState: fc.Arbitrary<StateNote> = fc.record({
  resources: fc.dictionary(resource, fc.constantFrom("1", "2"), { minKeys: 1, noNullPrototype: true }),
  tables: fc.dictionary(fc.constantFrom("db/db/shop/rows/jobs", "db/db/shop/rows/orders"), table, {
    minKeys: 1,
    noNullPrototype: true,
  }),
  keys: fc.dictionary(
    fc.constantFrom("redis/cache/stock:1", "redis/cache/stock:2", "redis/cache/flag"),
    fc.constantFrom("x", "y"),
    {
      noNullPrototype: true,
    },
  ),
});

function tableFrom(note: TableNote): TableFingerprint {
  const columns = Object.entries(note);
  const rows = (columns[0]?.[1] ?? []).map((_, row) => columns.map(([, values]) => values[row]));
  const orderFree = (values: readonly unknown[]): string =>
    sha256Hex(
      values
        .map((value) => JSON.stringify(value))
        .sort()
        .join(),
    );
  return {
    rows: rows.length,
    sha: orderFree(rows),
    columns: Object.fromEntries(columns.map(([name, values]) => [name, orderFree(values)])),
    held: Object.fromEntries(columns.map(([name, values]) => [name, heldBy(values)])),
    buckets: [`${rows.length}:${orderFree(rows)}`],
  };
}

/** What a column holds; `NULL` is no value. */
function heldBy(values: readonly string[]): ColumnHeld {
  const filled = values.filter((value) => value !== "NULL");
  const slots = new Set(filled.map((value) => Number.parseInt(sha256Hex(value).slice(0, 4), 16) % COLUMN_SLOTS));
  return { filled: filled.length, slots: slots.size };
}
