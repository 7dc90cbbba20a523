import type { Action } from "./plan.ts";
import { type RowPrivilege, scopesOf } from "./scope.ts";

/** Statements that need no more than the right to write rows. */
const WRITES_ROWS = /^(?:INSERT|UPDATE|DELETE|MERGE)\b/i;

/** Privileges on one table, or on every table of a schema (`*`). */
export interface TableGrant {
  readonly schema: string;
  readonly table: string;
  readonly privileges: readonly RowPrivilege[];
}

/**
 * What an action may do at a database. `owner`: whatever the mirror's own user may; `rows`: read and write the rows of every table;
 * else the privileges that are listed, and nothing where none are.
 */
export type DatabaseRights = "rows" | "owner" | { readonly tables: readonly TableGrant[] };

/**
 * What an action may do at the database of a service: what its `requires` grants (docs/scopes.md), and of that no more than it needs.
 * Without a scope for PostgreSQL it may do nothing.
 */
export function databaseRights(action: Action, service: string): DatabaseRights {
  const scopes = scopesOf(action.requires);
  const granted = scopes.flatMap((scope) => (scope.kind === "database" ? [scope.verb] : []));
  if (granted.some((verb) => verb !== "rows")) return neededRights(action, service);
  if (granted.length > 0) return "rows";
  return {
    tables: scopes.flatMap((scope) =>
      scope.kind === "rows" ? [{ schema: scope.schema, table: scope.table, privileges: scope.privileges }] : [],
    ),
  };
}

/**
 * The least that an action needs: `rows` where it declares nothing but rows there and all its statements, those of its undo
 * included, begin as statements that write rows; else what the mirror's own user may (`owner`).
 */
function neededRights(action: Action, service: string): "rows" | "owner" {
  const steps = action.rollback === undefined ? [action.step] : [action.step, action.rollback];
  const statements = steps.flatMap((step) => (step.uses === "sql" ? step.with.statements : []));
  const declaresMore = action.changes.some((pattern) => reachesBeyondRows(pattern, service));
  return declaresMore || !statements.every(writesRows) ? "owner" : "rows";
}

/** Whether a pattern may match something of the service's databases that is no row: `db/<service>/<database>/<part>/…`. */
function reachesBeyondRows(pattern: string, service: string): boolean {
  const parts = pattern.split("/");
  const deep = parts.indexOf("**");
  const head = deep < 0 ? parts : parts.slice(0, deep);
  const [kind = "*", at = "*", , part = "*"] = head;
  const elsewhere = (kind !== "db" && !kind.includes("*")) || (at !== service && !at.includes("*"));
  return !elsewhere && part !== "rows";
}

/** Several statements in one text are not looked into. */
function writesRows(statement: string): boolean {
  const plain = statement.replace(/^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, "");
  return WRITES_ROWS.test(plain) && !plain.replace(/[;\s]+$/, "").includes(";");
}
