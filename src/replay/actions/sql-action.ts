import { askReadOnly, isOneTrue } from "../../mirror/ask-read-only.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { ActorWork } from "../../mirror/write-log.ts";
import type { ActionStep } from "../../plan/action.ts";
import { loadSqlParser } from "../../policy/sql/parse-sql.ts";
import { readSql } from "../../policy/sql/read-sql.ts";
import { notLanded, type StepContext, type StepOutcome } from "./step-result.ts";

type SqlStep = Extract<ActionStep, { uses: "sql" }>;

/**
 * Runs the statements under the action's own name, as one transaction unless the step says otherwise, then asks the `landed`
 * query if there is one. What still runs when the time box ends is cancelled at the server, or it would go on unseen.
 */
export async function executeSql(step: SqlStep, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const { service, statements, landed } = step.with;
  const { runId = "rehearsal", actionId, phase = "act", rights = "owner", timeoutMs, onSent } = context;
  await twin.sqlAs(
    { service },
    {
      as: { runId, actionId, phase, rights },
      ...(await boundToItsWords(step)),
      timeoutMs,
      ...(onSent === undefined ? {} : { onSent }),
    },
    context.signal,
  );
  const done = `${statements.length} ${statements.length === 1 ? "statement" : "statements"} acknowledged`;
  if (landed === undefined) return { landed: true, output: "", message: done };
  return (await holds({ query: landed, service, timeoutMs }, twin))
    ? { landed: true, output: "", message: `${done} and confirmed by the landed query` }
    : notLanded(`${done}, but the landed query does not answer one row that is true`);
}

/**
 * What by its words only reads can do no more: it has the tier of a question and no undo, and a call in functional
 * notation, or behind a view, would write all the same.
 */
async function boundToItsWords({
  with: { statements, transaction },
}: SqlStep): Promise<Pick<ActorWork, "statements" | "transaction">> {
  const { gravest } = readSql({ statements }, await loadSqlParser());
  return gravest.effect === "read"
    ? { statements: ["SET TRANSACTION READ ONLY", ...statements], transaction: true }
    : { statements, transaction };
}

/** Whether the `landed` query is answered before anything was done. */
export async function sqlAtTarget(step: SqlStep, twin: Twin): Promise<boolean> {
  const { landed, service } = step.with;
  return landed !== undefined && (await holds({ query: landed, service }, twin));
}

/** Whether a plan's question answers exactly one row whose first column is true. The harness asks it, so it may only read. */
export async function holds(question: Parameters<typeof askReadOnly>[1], twin: Twin): Promise<boolean> {
  return isOneTrue(await askReadOnly(twin, question));
}
