import { covers } from "./resource-pattern.ts";

// What `requires` of an action grants. The grammar is in docs/scopes.md.

/** Privileges on the rows of one table. */
export type RowPrivilege = "select" | "insert" | "update" | "delete";

/** What a scope grants, where it is of a kind that is enforced. */
export type Scope =
  | {
      readonly kind: "rows";
      readonly schema: string;
      /** `*`: every table of the schema. */
      readonly table: string;
      readonly privileges: readonly RowPrivilege[];
    }
  /** `rows`: the rows of every table; `ddl`, `roles`: whatever the database's owner may. */
  | { readonly kind: "database"; readonly database: string; readonly verb: "rows" | "ddl" | "roles" }
  | { readonly kind: "http"; readonly method: string; readonly service: string; readonly path: string };

const SHAPE = /^(postgres|http):([a-z]+)@(.{1,180})$/;
const TABLE = /^([^.*@\s]{1,63})\.([^.*@\s]{1,63}|\*)$/;
const DATABASE = /^[^.*@\s]{1,63}$/;
const PLACE_OF_REQUEST = /^([a-z0-9][a-z0-9_.-]{0,62})(\/.*)$/i;

/** A condition reads the rows that it is about, so whoever may update or delete rows may read them. */
const PRIVILEGES: Readonly<Record<string, readonly RowPrivilege[]>> = {
  select: ["select"],
  insert: ["insert"],
  update: ["select", "update"],
  delete: ["select", "delete"],
  write: ["select", "insert", "update", "delete"],
};
const METHODS: ReadonlySet<string> = new Set(["get", "post", "put", "patch", "delete"]);

/** What a scope means; `words` for a system that nobody enforces here, `malformed` for one that is and that nobody can read. */
export function readScope(text: string): Scope | "words" | "malformed" {
  const [, system, verb = "", place = ""] = SHAPE.exec(text) ?? [];
  if (system === undefined) return /^(?:postgres|http):/.test(text) ? "malformed" : "words";
  return (system === "postgres" ? postgresScope(verb, place) : httpScope(verb, place)) ?? "malformed";
}

/** Those scopes of an action that are enforced. */
export function scopesOf(requires: readonly string[]): readonly Scope[] {
  return requires.map(readScope).filter((scope) => typeof scope !== "string");
}

/** Whether a scope covers a request. The query is no part of the path that scopes are about; a path that climbs is in none. */
export function grantsRequest(
  scope: Scope,
  request: { readonly method: string; readonly service: string; readonly path: string },
): boolean {
  if (scope.kind !== "http") return false;
  const path = request.path.split(/[?#]/, 1)[0] ?? "";
  // What a server may decode into a slash or a dot is not what the pattern's author saw.
  if (/(?:^|\/)\.{1,2}(?:\/|$)|%2e|%2f|%5c|\\/i.test(path)) return false;
  const isTheirs = scope.method === request.method.toLowerCase() && scope.service === request.service;
  return isTheirs && covers(scope.path, path);
}

function postgresScope(verb: string, place: string): Scope | undefined {
  const privileges = Object.hasOwn(PRIVILEGES, verb) ? PRIVILEGES[verb] : undefined;
  const [, schema, table] = TABLE.exec(place) ?? [];
  if (schema !== undefined && table !== undefined)
    return privileges === undefined ? undefined : { kind: "rows", schema, table, privileges };
  if (!DATABASE.test(place)) return undefined;
  if (verb === "write") return { kind: "database", database: place, verb: "rows" };
  return verb === "ddl" || verb === "roles" ? { kind: "database", database: place, verb } : undefined;
}

function httpScope(verb: string, place: string): Scope | undefined {
  const [, service, path] = PLACE_OF_REQUEST.exec(place) ?? [];
  if (service === undefined || path === undefined || !METHODS.has(verb)) return undefined;
  return { kind: "http", method: verb, service, path };
}
