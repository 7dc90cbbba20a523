import type { Row } from "../row.ts";
import { definitionOf, type StoredResults, type StoredRow } from "../stored-results.ts";
import type { Tally } from "../tally.ts";

/** A row of the tables with what was measured. */
export interface PageRow {
  readonly row: Row;
  readonly stored: StoredRow;
  readonly tally: Tally;
}

/** Rows that have been measured as they are defined now, in the order of the bench. */
export function pageRows(all: readonly Row[], results: StoredResults): readonly PageRow[] {
  return all.flatMap((row) => {
    const stored = results.rows[row.id];
    return stored === undefined || stored.definition !== definitionOf(row)
      ? []
      : [{ row, stored, tally: stored.tally }];
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

/** How many runs a row has, and how many it was to have where they were fewer: `600 of 2,000`. */
export function runsText({ row, tally }: PageRow): string {
  const played = tally.runs.toLocaleString("en");
  return tally.runs < row.runs ? `${played} of ${row.runs.toLocaleString("en")}` : played;
}

/** Share of the runs of several rows that were played, as `runsText`: one entry where all have the same. */
export function runsOfAll(rows: readonly PageRow[]): string {
  return [...new Set(rows.map(runsText))].join("; ");
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
