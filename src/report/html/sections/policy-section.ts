import { policyRows } from "../../policy-words.ts";
import type { RunReport } from "../../run-report.ts";
import { code, section, table } from "../page-parts.ts";
import { html, type SafeHtml } from "../safe-html.ts";

/** What policy read of each action, and how its dry run went; nothing in reports of before that. */
export function policySection(report: RunReport): SafeHtml | undefined {
  const rows = policyRows(report);
  if (rows.length === 0) return undefined;
  return section("policy", "What policy read", [
    html`<p class="muted">Read from the words of the plan before anything was raised; the highest tier is the plan's. Dry runs were made on the quiet twin, before each action acted.</p>`,
    table({
      caption: "Tier, way back and dry run of each action",
      headings: ["action", "tier", "what it does", "way back", "dry run"],
      rows: rows.map(([id = "", ...cells]) => [code(id), ...cells]),
    }),
  ]);
}
