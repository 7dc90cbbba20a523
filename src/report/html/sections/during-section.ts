import { duringWords } from "../../during-words.ts";
import type { RunReport } from "../../run-report.ts";
import { chip, section, table } from "../page-parts.ts";
import { html, type SafeHtml } from "../safe-html.ts";

/** What happened in the seconds in which the plan acted and settled, of which no interval is made. */
export function duringSection(report: RunReport): SafeHtml | undefined {
  const words = duringWords(report);
  if (words === undefined) return undefined;
  return section("during", "While the plan acted and settled", [
    ...(words.alarm === undefined ? [] : [html`<p>${chip("fail", "stopped")} ${words.alarm}</p>`]),
    ...(words.budgets.length === 0
      ? []
      : [
          table({
            caption: "Requests of the shadow beyond the control's, from the first act to the end of settling",
            headings: ["for", "counted", "spent", "allowed", "set by", "result"],
            numeric: [2, 3],
            rows: words.budgets.map(({ about, counted, spent, allowed, by, kept }) => [
              about,
              counted,
              spent,
              allowed,
              by,
              kept ? chip("pass", "kept") : chip("fail", "passed"),
            ]),
          }),
        ]),
  ]);
}
