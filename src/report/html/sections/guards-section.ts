import { type GuardRow, guardRows } from "../../guard-words.ts";
import type { RunReport } from "../../run-report.ts";
import { chip, section, table } from "../page-parts.ts";
import type { SafeHtml } from "../safe-html.ts";

/** Triggers and safeguards: what watched the plan, and what it saw. */
export function guardsSection(report: RunReport): SafeHtml | undefined {
  const rows = guardRows(report);
  if (rows.length === 0) return undefined;
  return section("guards", "What watched the plan", [
    table({
      caption: "Triggers and safeguards of the scenario; times are those of the timeline",
      headings: ["name", "kind", "rule", "looks", "last seen", "broken at", "result"],
      rows: rows.map((row) => [row.name, row.kind, row.rule, row.checks, row.seen, row.at, chipOf(row)]),
    }),
  ]);
}

function chipOf({ state }: GuardRow): SafeHtml {
  return chip(({ kept: "pass", broken: "fail", "not reached": "open" } as const)[state], state);
}
