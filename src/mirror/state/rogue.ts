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
/** Far beyond any key that the application hands out next. */
const KEY_STEP = 1_000_003;

/**
 * Puts a row into the first table of each database that takes it (a copy of one of its own under a new key), and a key into
 * each Redis. A store that takes nothing is missing in the answer: unique columns and rules of tables may refuse.
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
  const byPath = new Map(shapes.map((shape) => [rowsPath(store, shape.namespace, shape.table), shape]));
  for (const path of tables) {
    const shape = byPath.get(path);
    const [key] = shape?.primaryKey ?? [];
    if (shape === undefined || key === undefined || shape.primaryKey.length > 1) continue;
    // What a table refuses is no trouble of the twin's: the next one is asked.
    const inserted = await twin.sql(at, copyRowSql(shape, key)).catch(() => []);
    const value = inserted[0]?.["key"];
    if (value === undefined) continue;
    const text = `DELETE FROM ${relationSql(shape)} WHERE ${quoted(key)}::text = $1`;
    return { kind: "row", path, remove: async () => void (await twin.sql(at, text, [value])) };
  }
  return undefined;
}

/** A copy of the row with the greatest key under a number that is far beyond it; fails where the key is no number. */
function copyRowSql(shape: TableShape, key: string): string {
  const relation = relationSql(shape);
  const values = shape.columns.map((column) =>
    column === key ? `t.${quoted(key)} + ${KEY_STEP}` : `t.${quoted(column)}`,
  );
  return (
    `INSERT INTO ${relation} (${shape.columns.map(quoted).join(", ")}) OVERRIDING SYSTEM VALUE ` +
    `SELECT ${values.join(", ")} FROM ${relation} t ORDER BY t.${quoted(key)} DESC LIMIT 1 ` +
    `RETURNING ${quoted(key)}::text AS key`
  );
}

async function plantKey(store: RedisSpec, { twin }: RogueQuery): Promise<Rogue | undefined> {
  const answer = await twin.redis(store, ["SET", ROGUE_KEY, "planted by the rehearsal"]).catch(() => undefined);
  if (answer === undefined || answer === null) return undefined;
  return {
    kind: "key",
    path: resourcePath("redis", store.service, ROGUE_KEY),
    remove: async () => void (await twin.redis(store, ["DEL", ROGUE_KEY])),
  };
}
