import type { Action } from "./plan.ts";

/** Statements that need no more than the right to write rows. */
const WRITES_ROWS = /^(?:INSERT|UPDATE|DELETE|MERGE)\b/i;

/**
 * The least that an action needs at a database: `rows` where it declares nothing but rows there and all its statements, those
 * of its undo included, begin as statements that write rows; else what the mirror's own user may (`owner`).
 */
export function databaseRights(action: Action, service: string): "rows" | "owner" {
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
