import type { ResourcePath, TableFingerprint } from "../fingerprint.ts";
import type { StateSpec } from "../mirror-spec.ts";
import type { SqlRow } from "../twin.ts";
import { hashTableSql, TABLE_SHAPES_SQL, type TableShape, tableFingerprint, tableShape } from "./postgres-rows.ts";
import { rowsPath, schemaResources, schemaSql, sequencePath } from "./postgres-schema.ts";
import type { StateSource, StoreState } from "./store-state.ts";

type PostgresSpec = Extract<StateSpec, { kind: "postgres" }>;

const SUPERUSER_SQL = `SELECT rolsuper::text AS yes FROM pg_roles WHERE rolname = current_user`;
const SEQUENCES_SQL = `SELECT schemaname::text AS namespace, sequencename::text AS name, coalesce(last_value::text, 'unused') AS value FROM pg_sequences`;

/**
 * Schema, rows and sequences of one database. 60,000 rows of seven columns take about 0.06 s, the schema 0.1 s.
 * @throws CanaryError MIRROR_UNAVAILABLE when the database cannot be read
 */
export async function readPostgres(source: StateSource, store: PostgresSpec, signal: AbortSignal): Promise<StoreState> {
  const query = async (text: string): Promise<readonly SqlRow[]> => {
    signal.throwIfAborted();
    return await source.sql({ service: store.service }, text);
  };
  const superuser = (await query(SUPERUSER_SQL))[0]?.["yes"] === "true";
  const resources = schemaResources(store, await query(schemaSql({ superuser })));
  const sequences = (await query(SEQUENCES_SQL)).map(
    (row) => [sequencePath(store, String(row["namespace"]), String(row["name"])), String(row["value"])] as const,
  );
  const tables: Record<ResourcePath, TableFingerprint> = {};
  for (const shape of (await query(TABLE_SHAPES_SQL)).map(tableShape)) {
    tables[rowsPath(store, shape.namespace, shape.table)] = tableFingerprint(shape, await query(hashTableSql(shape)));
  }
  return { resources, tables, keys: {}, sequences: Object.fromEntries(sequences), expiring: {} };
}

/** The shape of the table behind a `db/.../rows/<table>` path as it is now; `undefined` if there is no such table. */
export async function shapeOfTable(
  source: StateSource,
  store: PostgresSpec,
  path: ResourcePath,
): Promise<TableShape | undefined> {
  const shapes = (await source.sql({ service: store.service }, TABLE_SHAPES_SQL)).map(tableShape);
  return shapes.find((shape) => rowsPath(store, shape.namespace, shape.table) === path);
}
