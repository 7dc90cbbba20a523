import type { Twin } from "../../mirror/twin.ts";
import type { ActionStep } from "../../plan/action.ts";
import { notLanded, type StepContext, type StepOutcome } from "./step-result.ts";

type SqlStep = Extract<ActionStep, { uses: "sql" }>;

/**
 * Runs the statements, as one transaction unless the step says otherwise, then asks the `landed` query if there is one.
 * The server enforces the time box too: a statement must not go on after we stopped waiting for it.
 */
export async function executeSql(step: SqlStep, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const database = { service: step.with.service };
  const { statements } = step.with;
  const timeoutMs = Math.max(1, Math.ceil(context.timeoutMs));
  const application = `canary-action ${context.actionId}`.replaceAll("'", "");
  if (step.with.transaction) {
    const prologue = `SET LOCAL statement_timeout = ${timeoutMs}; SET LOCAL application_name = '${application}'`;
    await twin.sql(database, [prologue, ...statements].map(terminated).join("\n"));
  } else {
    await untransacted(step, twin, { timeoutMs, application, signal: context.signal });
  }
  const count = `${statements.length} ${statements.length === 1 ? "statement" : "statements"}`;
  if (step.with.landed === undefined)
    return { landed: true, output: `${count} acknowledged`, message: `${count} acknowledged` };
  return (await holds(step.with.landed, step.with.service, twin))
    ? {
        landed: true,
        output: `${count} acknowledged`,
        message: `${count} acknowledged and confirmed by the landed query`,
      }
    : notLanded(`${count} acknowledged, but the landed query does not answer one row that is true`);
}

/** Whether a landed query answers exactly one row whose first column is true. */
export async function holds(query: string, service: string, twin: Twin): Promise<boolean> {
  const rows = await twin.sql({ service }, query);
  return rows.length === 1 && Object.values(rows[0] ?? {})[0] === true;
}

/** One by one on the kept connection, whose settings are put back whatever happens. */
async function untransacted(
  step: SqlStep,
  twin: Twin,
  limits: { readonly timeoutMs: number; readonly application: string; readonly signal: AbortSignal },
): Promise<void> {
  const database = { service: step.with.service };
  const set = (name: string, value: string) => twin.sql(database, `SET ${name} = ${value}`);
  await set("statement_timeout", String(limits.timeoutMs));
  await set("application_name", `'${limits.application}'`);
  try {
    for (const statement of step.with.statements) {
      limits.signal.throwIfAborted();
      await twin.sql(database, statement);
    }
  } finally {
    await twin.sql(database, "RESET statement_timeout");
    await twin.sql(database, "RESET application_name");
  }
}

/** A line break before the semicolon, because a statement may end in a comment. */
function terminated(statement: string): string {
  return `${statement}\n;`;
}
