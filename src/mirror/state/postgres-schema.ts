import { maskedValue } from "../../core/redact.ts";
import { resourcePath } from "../../plan/resource-pattern.ts";
import type { ResourcePath } from "../fingerprint.ts";
import type { SqlRow } from "../twin.ts";
import { CATALOGUE_QUERIES_15, catalogueQueries } from "./postgres-catalogue-queries.ts";
import { ORDINARY_USER_QUERIES, SCHEMA_QUERIES, SUPERUSER_QUERIES } from "./postgres-schema-queries.ts";

/** Where a database stands in the resource grammar. */
export interface DatabaseName {
  readonly service: string;
  readonly database: string;
}

/** What a server's catalogue depends on. */
export interface ServerFacts {
  /** Whether the mirror's user may read everything. */
  readonly superuser: boolean;
  /** As `server_version_num`: 150004 is 15.4. */
  readonly version: number;
  /** Names of catalogues, see `CATALOGUES_IN_USE_SQL`. */
  readonly inUse: ReadonlySet<string>;
}

/** Kinds that belong to a table, a view or a materialised view: `schema/<table>/<kind>/<name>`. */
const OF_A_TABLE: ReadonlySet<string> = new Set([
  "column",
  "index",
  "constraint",
  "trigger",
  "policy",
  "rule",
  "grant",
]);

/**
 * One query for the definition of everything in a database: rows of (kind, namespace, parent, name, definition), all text.
 * Names inside definitions are always qualified, so that a changed search_path does not change every one of them. Compiling so
 * long a query, as PostgreSQL would from some 500 tables on, takes longer than running it.
 */
export function schemaSql({ superuser, version, inUse }: ServerFacts): string {
  const queries = [
    ...SCHEMA_QUERIES,
    ...catalogueQueries(inUse),
    ...(version >= 150_000 ? CATALOGUE_QUERIES_15 : []),
    ...(superuser ? SUPERUSER_QUERIES : ORDINARY_USER_QUERIES),
  ];
  return `
  SET LOCAL jit = off;
  SELECT kind, namespace, parent, name, definition
    FROM (${queries.map((query) => `(${query})`).join("\n UNION ALL ")}) AS everything (kind, namespace, parent, name, definition)
   WHERE (SELECT set_config('search_path', 'pg_catalog', true)) IS NOT NULL`;
}

/** Paths and definitions from the rows of `schemaSql`. */
export function schemaResources(name: DatabaseName, rows: readonly SqlRow[]): Readonly<Record<ResourcePath, string>> {
  return Object.fromEntries(
    rows.map((row) => {
      const kind = text(row["kind"]);
      const definition = text(row["definition"]);
      return [
        schemaPath(name, kind, row),
        kind === "setting" ? maskedValue(text(row["name"]), definition) : definition,
      ];
    }),
  );
}

/** `db/<service>/<database>/rows/<table>`. */
export function rowsPath(name: DatabaseName, namespace: string, table: string): ResourcePath {
  return `${databasePath(name)}/rows/${relationSegment(namespace, table)}`;
}

/** `db/<service>/<database>/sequence/<name>`: the last number a sequence handed out. */
export function sequencePath(name: DatabaseName, namespace: string, sequence: string): ResourcePath {
  return `${databasePath(name)}/sequence/${relationSegment(namespace, sequence)}`;
}

/** `db/<service>/<database>`. */
export function databasePath(name: DatabaseName): ResourcePath {
  return resourcePath("db", name.service, name.database);
}

function schemaPath(database: DatabaseName, kind: string, row: SqlRow): ResourcePath {
  const base = `${databasePath(database)}/schema`;
  const namespace = text(row["namespace"]);
  const name = text(row["name"]);
  if (kind === "table") return `${base}/${relationSegment(namespace, name)}`;
  if (!OF_A_TABLE.has(kind)) return `${base}/${kind}/${relationSegment(namespace, name)}`;
  return `${base}/${relationSegment(namespace, text(row["parent"]))}/${resourcePath(kind, name)}`;
}

/** `public` goes without saying; a dot in a name is encoded so that `a.b` is always namespace a, name b. */
function relationSegment(namespace: string, name: string): string {
  const encode = (part: string): string => resourcePath(part).replaceAll(".", "%2E");
  // Things without a namespace (roles, settings, extensions) keep their dots: nothing else could be meant.
  if (namespace === "") return resourcePath(name);
  return namespace === "public" ? encode(name) : `${encode(namespace)}.${encode(name)}`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : value === null || value === undefined ? "" : String(value);
}
