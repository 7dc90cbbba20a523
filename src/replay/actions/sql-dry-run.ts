import { messageOf } from "../../core/errors.ts";
import type { SqlRow, Twin } from "../../mirror/twin.ts";
import type { StepOf } from "../../plan/action.ts";
import type { SqlParser } from "../../policy/sql/parse-sql.ts";
import { notLanded, type StepContext, type StepOutcome } from "./step-result.ts";

/**
 * Runs the statements in one transaction that is rolled back, inside the time box; deferred constraints are asked before its
 * end. Nothing of a trial that passes reaches the server's log: an error there would be an effect of the plan.
 */
export async function trySql(step: StepOf<"sql">, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const { service, statements } = step.with;
  const timeout = `SET LOCAL statement_timeout = ${Math.max(1, Math.ceil(context.timeoutMs))}`;
  // A line break before the semicolon, because a statement may end in a comment.
  const text = ["BEGIN", timeout, ...statements, "SET CONSTRAINTS ALL IMMEDIATE", "ROLLBACK"]
    .map((one) => `${one}\n;`)
    .join("\n");
  try {
    await twin.sql({ service }, text);
  } catch (thrown) {
    // The connection is left in the middle of its transaction, so nobody may get it again.
    await twin.disconnect({ service });
    // A lost server is no answer about the statements; the time box tells it from one.
    if (!isRefusal(thrown)) throw thrown;
    return notLanded(`refused in a transaction that was rolled back: ${messageOf(thrown)}`);
  }
  const count = `${statements.length} ${statements.length === 1 ? "statement" : "statements"}`;
  const output = await plansOf(step, twin, context);
  return { landed: true, output, message: `${count} ran in a transaction that was rolled back` };
}

/**
 * What the planner expects of each statement, one line each. Only of steps in which every statement can be planned as things
 * are: one that needs what an earlier one makes would be refused, and that would stand in the server's log.
 */
async function plansOf(step: StepOf<"sql">, twin: Twin, context: StepContext): Promise<string> {
  const { loadSqlParser } = await import("../../policy/sql/parse-sql.ts");
  const parse = await loadSqlParser();
  const { service, statements } = step.with;
  if (!statements.every((text) => explainable(text, parse))) return "";
  const lines: string[] = [];
  for (const [index, text] of statements.entries()) {
    context.signal.throwIfAborted();
    const rows = await twin.sql({ service }, `EXPLAIN (FORMAT JSON) ${text}`);
    lines.push(`statement ${index + 1}: ${planWords(rows)}`);
  }
  return lines.join("\n");
}

/** One statement and no more, since EXPLAIN would plan the first of several and run the others; and none that makes a table. */
function explainable(text: string, parse: SqlParser): boolean {
  const parsed = parse(text);
  if (parsed.kind === "unreadable") return false;
  const [statement, ...more] = parsed.statements;
  if (statement === undefined || more.length > 0) return false;
  if ("SelectStmt" in statement) return statement.SelectStmt.intoClause === undefined;
  return ["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"].some((kind) => kind in statement);
}

function planWords(rows: readonly SqlRow[]): string {
  const answer = rows[0]?.["QUERY PLAN"];
  const plan: unknown = Array.isArray(answer)
    ? (answer[0] as { readonly Plan?: unknown } | undefined)?.Plan
    : undefined;
  if (typeof plan !== "object" || plan === null) return "the planner answered nothing that can be read";
  const member = (name: string): unknown => Object.getOwnPropertyDescriptor(plan, name)?.value;
  const scans = [...JSON.stringify(plan).matchAll(/"Node Type":"([^"]{1,60})"/g)].map(([, name]) => name);
  return `${scans.slice(0, 6).join(" > ")}, cost ${String(member("Total Cost"))}`;
}

/** The server's own errors carry a five-character SQLSTATE. */
function isRefusal(thrown: unknown): boolean {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return false;
  return typeof thrown.code === "string" && /^[0-9A-Z]{5}$/.test(thrown.code);
}
