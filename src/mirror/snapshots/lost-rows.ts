import type { Difference, TableFingerprint } from "../fingerprint.ts";

/** `db/<service>/<database>/rows/<table>` has five segments; the sixth is the row. */
const ROW_SEGMENT = 5;

/**
 * How many rows of a table are not what they were. Where rows cannot be told apart one by one, all that may be meant are
 * counted: a loss is never said to be smaller than it is.
 */
export function lostRows(
  differences: readonly Difference[] | undefined,
  table: { readonly before: TableFingerprint | undefined; readonly after: TableFingerprint | undefined },
): number {
  const everything = Math.max(table.before?.rows ?? 0, table.after?.rows ?? 0);
  if (differences === undefined) return everything;
  const byRow = new Map<string, number>();
  for (const { path, before, after } of differences) {
    const row = path.split("/")[ROW_SEGMENT] ?? "";
    if (row === "" || row.startsWith("(")) return everything;
    // Rows without a key come as `<n> rows` of one content.
    const counted = /^(\d+) rows?$/.exec(after ?? before ?? "")?.[1];
    byRow.set(row, row.startsWith("~") && counted !== undefined ? Number(counted) : 1);
  }
  return [...byRow.values()].reduce((sum, rows) => sum + rows, 0);
}
