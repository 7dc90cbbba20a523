import { messageOf } from "../../core/errors.ts";
import type { SqlRow, Twin } from "../../mirror/twin.ts";
import type { StepOf } from "../../plan/action.ts";
import type { SqlParser } from "../../policy/sql/parse-sql.ts";
import { notLanded, type StepContext, type StepOutcome } from "./step-result.ts";

/** The SQLSTATE by which our own end of the transaction is told from a refusal of the server. */
const ROLLED_BACK = "CAN01";

/**
 * The last statement of a dry run: an error that takes everything before it back, whatever became of the connection.
 * Deferred constraints are asked first, because they would be asked at the end.
 */
const TAKE_BACK = `SET CONSTRAINTS ALL IMMEDIATE
;
DO $canary$ BEGIN RAISE EXCEPTION USING ERRCODE = '${ROLLED_BACK}', MESSAGE = 'canary dry run'; END $canary$
;`;

/** Runs the statements in one transaction that is rolled back, inside the time box; the planner's view goes into the output. */
export async function trySql(step: StepOf<"sql">, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const { service, statements } = step.with;
  const prologue = `SET LOCAL statement_timeout = ${Math.max(1, Math.ceil(context.timeoutMs))}`;
  // A line break before the semicolon, because a statement may end in a comment.
  const text = [...[prologue, ...statements].map((one) => `${one}\n;`), TAKE_BACK].join("\n");
  const planned = await plansOf(step, twin, context);
  try {
    await twin.sql({ service }, text);
  } catch (thrown) {
    if (codeOf(thrown) === ROLLED_BACK) {
      const count = `${statements.length} ${statements.length === 1 ? "statement" : "statements"}`;
      return { landed: true, output: planned, message: `${count} ran in a transaction that was rolled back` };
    }
    // A lost server is no answer about the statements; the time box tells it from one.
    if (codeOf(thrown) === undefined || thrown instanceof Error === false) throw thrown;
    return notLanded(`refused in a transaction that was rolled back: ${messageOf(thrown)}`, planned);
  }
  return notLanded("the transaction was not rolled back as it should have been");
}

/**
 * What the planner expects of each statement that it can plan, one line each. A statement that needs what an earlier one makes
 * can not be planned by itself, which says nothing against it.
 */
async function plansOf(step: StepOf<"sql">, twin: Twin, context: StepContext): Promise<string> {
  const { loadSqlParser } = await import("../../policy/sql/parse-sql.ts");
  const parse = await loadSqlParser();
  const lines: string[] = [];
  for (const [index, text] of step.with.statements.entries()) {
    if (!explainable(text, parse)) continue;
    context.signal.throwIfAborted();
    const line = await twin
      .sql({ service: step.with.service }, `EXPLAIN (FORMAT JSON) ${text}`)
      .then(planWords, (thrown: unknown) => `could not be planned by itself: ${messageOf(thrown)}`);
    lines.push(`statement ${index + 1}: ${line}`);
  }
  return lines.join("\n");
}

/** One statement and no more: EXPLAIN would plan the first of several and run the others. */
function explainable(text: string, parse: SqlParser): boolean {
  const parsed = parse(text);
  if (parsed.kind === "unreadable") return false;
  const [statement, ...more] = parsed.statements;
  return (
    statement !== undefined &&
    more.length === 0 &&
    ["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"].some((kind) => kind in statement)
  );
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

function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" && /^[0-9A-Z]{5}$/.test(thrown.code) ? thrown.code : undefined;
}
