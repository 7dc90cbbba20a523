import type { Twin } from "../../mirror/twin.ts";
import type { ActionStep } from "../../plan/action.ts";
import { notLanded, type StepContext, type StepOutcome } from "./step-result.ts";

type SqlStep = Extract<ActionStep, { uses: "sql" }>;

/**
 * Runs the statements, as one transaction unless the step says otherwise, then asks the `landed` query if there is one.
 * What still runs when the time box ends is cancelled at the server, or it would go on unseen.
 */
export async function executeSql(step: SqlStep, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const { service, statements, landed } = step.with;
  const timeoutMs = Math.max(1, Math.ceil(context.timeoutMs));
  const name = `canary-action ${context.actionId}`.replaceAll("'", "");
  const prologue = `SET LOCAL statement_timeout = ${timeoutMs}; SET LOCAL application_name = '${name}'`;
  const texts = step.with.transaction ? [[prologue, ...statements].map(terminated).join("\n")] : statements;
  for (const text of texts) {
    context.signal.throwIfAborted();
    await cancellable(service, text, twin, context.signal);
  }
  const done = `${statements.length} ${statements.length === 1 ? "statement" : "statements"} acknowledged`;
  if (landed === undefined) return { landed: true, output: "", message: done };
  return (await holds(landed, service, twin))
    ? { landed: true, output: "", message: `${done} and confirmed by the landed query` }
    : notLanded(`${done}, but the landed query does not answer one row that is true`);
}

/** Whether a landed query answers exactly one row whose first column is true. */
export async function holds(query: string, service: string, twin: Twin): Promise<boolean> {
  const rows = await twin.sql({ service }, query);
  return rows.length === 1 && Object.values(rows[0] ?? {})[0] === true;
}

/** A twin's `sql` takes no signal, so an abort asks the server, over another connection, to cancel the statement. */
async function cancellable(service: string, text: string, twin: Twin, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const cancel = (): void => {
    // The statement itself then fails with the reason; if even this cannot be asked, the wait ends by the time box.
    twin.sql({ service }, CANCEL_SQL, [text]).catch(() => undefined);
  };
  signal.addEventListener("abort", cancel, { once: true, signal: ended.signal });
  try {
    await twin.sql({ service }, text);
  } finally {
    ended.abort();
  }
}

/** Servers keep only the beginning of a long statement, so it is compared as far as it was kept. */
const CANCEL_SQL = `
  SELECT pg_cancel_backend(pid) FROM pg_stat_activity
   WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid() AND usename = current_user
     AND query <> '' AND starts_with($1, query)`;

/** A line break before the semicolon, because a statement may end in a comment. */
function terminated(statement: string): string {
  return `${statement}\n;`;
}
