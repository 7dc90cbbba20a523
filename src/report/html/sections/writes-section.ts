import type { RunReport } from "../../run-report.ts";
import { writeWords } from "../../write-words.ts";
import { chip, list, section, table } from "../page-parts.ts";
import { html, type SafeHtml } from "../safe-html.ts";

/** Whose writes were whose while both the plan and the application wrote; nothing for a plan without SQL. */
export function writesSection(report: RunReport): SafeHtml | undefined {
  const words = writeWords(report);
  if (words === undefined) return undefined;
  const title = "Who wrote what under load";
  if ("unavailable" in words) {
    return section("writes", title, [html`<p>${chip("open", "not available")} ${words.unavailable}</p>`]);
  }
  return section("writes", title, [
    html`<p class="muted">Rows committed on the shadow from the plan's first act to the last barrier, told apart by the transactions of each action in the database's own log. What an action causes through the application counts as the application's.</p>`,
    table({
      caption: "Rows written, by action and by the application",
      headings: ["who", "as", "rows", "where", "declared?"],
      numeric: [2],
      rows: words.lines.map(({ who, as, rows, tables, result }) => [
        who,
        as,
        rows,
        tables.join("; "),
        chip(result.tone, result.text),
      ]),
    }),
    ...(words.doubts.length === 0 ? [] : [html`<h3>Not told</h3>`, list(words.doubts)]),
  ]);
}
