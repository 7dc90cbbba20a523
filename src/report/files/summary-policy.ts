import { policyRows } from "../policy-words.ts";
import type { RunReport } from "../run-report.ts";
import { codeSpan, escapeMarkdown, markdownTable } from "./markdown.ts";

/** What policy read of each action, and how its dry run went; folded, because the verdict says what came of it. */
export function policyMarkdown(report: RunReport): string {
  const rows = policyRows(report).map(([id = "", ...cells]) => [codeSpan(id), ...cells.map(escapeMarkdown)]);
  if (rows.length === 0) return "";
  const shown = markdownTable(["action", "tier", "what it does", "way back", "dry run"], rows);
  return `<details><summary>What policy read, and the dry runs</summary>\n\n${shown}\n\n</details>`;
}
