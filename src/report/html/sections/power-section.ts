import { POWER_FROM, POWER_HEADINGS, powerCells } from "../../power-words.ts";
import type { RunReport } from "../../run-report.ts";
import { section, table } from "../page-parts.ts";
import { html, type SafeHtml } from "../safe-html.ts";

/** What the run could be expected to show, as it was said before the plan acted. */
export function powerSection({ power }: RunReport): SafeHtml | undefined {
  const [first] = power ?? [];
  if (power === undefined || first === undefined) return undefined;
  return section("power", "What this run could show", [
    html`<p>Said before the plan acted, ${POWER_FROM[first.from]}; times hold with 80% chance for a plan that changes nothing.</p>`,
    table({
      caption: "Smallest effect told apart from each limit, and the time a decision takes of the time allowed",
      headings: [...POWER_HEADINGS],
      rows: power.map((forecast) => [...powerCells(forecast)]),
    }),
  ]);
}
