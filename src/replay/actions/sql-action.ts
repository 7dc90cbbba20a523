import type { Twin } from "../../mirror/twin.ts";
import type { ActionStep } from "../../plan/action.ts";
import { notLanded, type StepContext, type StepOutcome } from "./step-result.ts";

type SqlStep = Extract<ActionStep, { uses: "sql" }>;

/**
 * Runs the statements under the action's own name, as one transaction unless the step says otherwise, then asks the `landed`
 * query if there is one. What still runs when the time box ends is cancelled at the server, or it would go on unseen.
 */
export async function executeSql(step: SqlStep, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const { service, statements, landed, transaction } = step.with;
  const { runId = "rehearsal", actionId, phase = "act", rights = "owner", timeoutMs } = context;
  await twin.sqlAs(
    { service },
    { as: { runId, actionId, phase, rights }, statements, transaction, timeoutMs },
    context.signal,
  );
  const done = `${statements.length} ${statements.length === 1 ? "statement" : "statements"} acknowledged`;
  if (landed === undefined) return { landed: true, output: "", message: done };
  return (await holds(landed, service, twin))
    ? { landed: true, output: "", message: `${done} and confirmed by the landed query` }
    : notLanded(`${done}, but the landed query does not answer one row that is true`);
}

/** Whether the `landed` query is answered before anything was done. */
export async function sqlAtTarget(step: SqlStep, twin: Twin): Promise<boolean> {
  return step.with.landed !== undefined && (await holds(step.with.landed, step.with.service, twin));
}

/** Whether a landed query answers exactly one row whose first column is true. The harness asks it, not the action. */
export async function holds(query: string, service: string, twin: Twin): Promise<boolean> {
  const rows = await twin.sql({ service }, query);
  return rows.length === 1 && Object.values(rows[0] ?? {})[0] === true;
}
