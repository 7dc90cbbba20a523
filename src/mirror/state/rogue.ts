import { resourcePath } from "../../plan/resource-pattern.ts";
import type { ResourcePath } from "../fingerprint.ts";
import type { StateSpec } from "../mirror-spec.ts";
import { quoted, relationSql, TABLE_SHAPES_SQL, type TableShape, tableShape } from "./postgres-rows.ts";
import { rowsPath } from "./postgres-schema.ts";
import type { StateSource } from "./store-state.ts";

type PostgresSpec = Extract<StateSpec, { kind: "postgres" }>;
type RedisSpec = Extract<StateSpec, { kind: "redis" }>;

/** Something put into a store that nobody asked for. */
export interface Rogue {
  readonly kind: "row" | "key";
  /** What a comparison of states has to name, or something below it. */
  readonly path: ResourcePath;
  /** Takes it out again. @throws what the store answers */
  remove(): Promise<void>;
}

/** Which stores of a twin get something rogue. */
export interface RogueQuery {
  readonly twin: StateSource;
  readonly stores: readonly StateSpec[];
  /** Tables in the order in which they are tried; those that are not named are left alone. */
  readonly tables: readonly ResourcePath[];
  readonly signal: AbortSignal;
}

const ROGUE_KEY = "canary-rogue-key";

/** The last column of every unique index of every table, with the category of its type: what a copy must not share. */
const UNIQUE_COLUMNS_SQL = `
  SELECT n.nspname::text AS namespace, c.relname::text AS "table", a.attname::text AS "column",
         CASE WHEN t.typname = 'uuid' THEN 'uuid' ELSE t.typcategory::text END AS kind
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[x.indnkeyatts - 1]
    JOIN pg_type t ON t.oid = a.atttypid
   WHERE x.indisunique AND c.relkind = 'r'`;

/** Another value of the same type, by category: far beyond any number that the application hands out next. */
const OTHER_VALUE: Readonly<Record<string, (column: string) => string>> = {
  N: (column) => `${column} + 1000003`,
  S: (column) => `${column} || '-rogue'`,
  uuid: () => "gen_random_uuid()",
};

/**
 * Puts a row into the first table of each database that takes it (a copy of one of its own with other unique values), and a
 * key into each Redis. A store that takes nothing is missing in the answer: checks and triggers of tables may refuse.
 */
export async function plantRogues(query: RogueQuery): Promise<readonly Rogue[]> {
  const planted: Rogue[] = [];
  for (const store of query.stores) {
    query.signal.throwIfAborted();
    const rogue = store.kind === "postgres" ? await plantRow(store, query) : await plantKey(store, query);
    if (rogue !== undefined) planted.push(rogue);
  }
  return planted;
}

async function plantRow(store: PostgresSpec, { twin, tables }: RogueQuery): Promise<Rogue | undefined> {
  const at = { service: store.service };
  const shapes = (await twin.sql(at, TABLE_SHAPES_SQL)).map(tableShape);
  const unique = await twin.sql(at, UNIQUE_COLUMNS_SQL);
  const byPath = new Map(shapes.map((shape) => [rowsPath(store, shape.namespace, shape.table), shape]));
  for (const path of tables) {
    const shape = byPath.get(path);
    if (shape === undefined) continue;
    const others = new Map(
      unique
        .filter((row) => row["namespace"] === shape.namespace && row["table"] === shape.table)
        .map((row) => [String(row["column"]), OTHER_VALUE[String(row["kind"])]] as const),
    );
    // What a table refuses is no trouble of the twin's: the next one is asked.
    const inserted = await twin.sql(at, copyRowSql(shape, others)).catch(() => []);
    const place = inserted[0]?.["place"];
    if (place === undefined) continue;
    // Nothing writes while it is there, so a row keeps its place.
    const text = `DELETE FROM ${relationSql(shape)} WHERE ctid = $1::tid`;
    return { kind: "row", path, remove: async () => void (await twin.sql(at, text, [place])) };
  }
  return undefined;
}

/** A copy of any row, other in what has to be unique; refused where a unique column is of a kind that is not known here. */
function copyRowSql(shape: TableShape, others: ReadonlyMap<string, ((column: string) => string) | undefined>): string {
  const relation = relationSql(shape);
  const values = shape.columns.map((column) => (others.get(column) ?? same)(`t.${quoted(column)}`));
  return (
    `INSERT INTO ${relation} (${shape.columns.map(quoted).join(", ")}) OVERRIDING SYSTEM VALUE ` +
    `SELECT ${values.join(", ")} FROM ${relation} t LIMIT 1 RETURNING ctid::text AS place`
  );
}

const same = (column: string): string => column;

async function plantKey(store: RedisSpec, { twin }: RogueQuery): Promise<Rogue | undefined> {
  const answer = await twin.redis(store, ["SET", ROGUE_KEY, "planted by the rehearsal"]).catch(() => undefined);
  if (answer === undefined || answer === null) return undefined;
  return {
    kind: "key",
    path: resourcePath("redis", store.service, ROGUE_KEY),
    remove: async () => void (await twin.redis(store, ["DEL", ROGUE_KEY])),
  };
}
