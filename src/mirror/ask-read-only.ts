import type { SqlRow, Twin } from "./twin.ts";

/**
 * Asks a question that must change nothing, whoever wrote it, on the harness's own connection. Words can not show that
 * a question only reads: `products.reprice` may be a column or, in functional notation, a call; a view may call a function
 * that writes. So the server is told: such a transaction writes no table and moves no sequence, and what tries is an error.
 * @param asked.timeoutMs - the server itself ends a question that takes longer; absent: it may take as long as it likes
 * @throws what the server answers
 */
export async function askReadOnly(
  twin: Pick<Twin, "sql">,
  asked: { readonly service: string; readonly query: string; readonly timeoutMs?: number },
): Promise<readonly SqlRow[]> {
  const { service, query, timeoutMs } = asked;
  const settings = [
    ...(timeoutMs === undefined ? [] : [["statement_timeout", String(Math.max(1, Math.ceil(timeoutMs)))]]),
    // Once the transaction has looked at anything, nothing in it can take this back.
    ["transaction_read_only", "on"],
  ].map(([name, value]) => `set_config('${name}', '${value}', true)`);
  // Sent as one text, so as one transaction. A line break before its end, because a query may end in a comment.
  return await twin.sql({ service }, `SELECT ${settings.join(", ")};\n${query}\n`);
}

/** Whether a query answers exactly one row whose first column is true. */
export function isOneTrue(rows: readonly SqlRow[]): boolean {
  return rows.length === 1 && Object.values(rows[0] ?? {})[0] === true;
}
