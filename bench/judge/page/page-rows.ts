import type { Row } from "../row.ts";
import type { StoredResults, StoredRow } from "../stored-results.ts";
import type { Tally } from "../tally.ts";

/** A row of the tables with what was measured. */
export interface PageRow {
  readonly row: Row;
  readonly stored: StoredRow;
  readonly tally: Tally;
}

/** Rows that have been measured, in the order of the bench. */
export function pageRows(all: readonly Row[], results: StoredResults): readonly PageRow[] {
  return all.flatMap((row) => {
    const stored = results.rows[row.id];
    return stored === undefined ? [] : [{ row, stored, tally: stored.tally }];
  });
}

/** Rows whose id starts so. */
export function under(rows: readonly PageRow[], prefix: string): readonly PageRow[] {
  return rows.filter(({ row }) => row.id.startsWith(prefix));
}

/** One part of an id, counted from 0: `at-bound/default/iid/p99` has four. */
export function part({ row }: PageRow, index: number): string {
  return row.id.split("/")[index] ?? "";
}

/** A table in Markdown; nothing when it has no line. */
export function table(heads: readonly string[], lines: readonly (readonly string[])[]): string {
  if (lines.length === 0) return "";
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [row(heads), row(heads.map(() => "---")), ...lines.map(row)].join("\n");
}

/** A heading, what the table says in words, and the table; nothing when the table is empty. */
export function section(heading: string, words: string, body: string): string {
  return body === "" ? "" : `## ${heading}\n\n${words}\n\n${body}`;
}
