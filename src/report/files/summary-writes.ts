import type { RunReport } from "../run-report.ts";
import { writeWords } from "../write-words.ts";
import { codeSpan, escapeMarkdown, escapeMarkdownItem, markdownTable } from "./markdown.ts";

/** A plan has at most fifty actions: an act and an undo each, and the application. */
const LINES_MAX = 101;

/** Who wrote what under load, as a section of the summary; empty where no SQL acted. */
export function writesMarkdown(report: RunReport): string {
  const words = writeWords(report);
  if (words === undefined) return "";
  if ("unavailable" in words) return `## Who wrote what under load\n\n⏸️ ${escapeMarkdown(words.unavailable)}`;
  const mark = { pass: "✅ ", fail: "❌ ", plain: "" };
  const rows = words.lines.map(({ who, as, rows: count, tables, result }) => [
    codeSpan(who),
    escapeMarkdown(as),
    count,
    escapeMarkdown(tables.join("; ")),
    `${mark[result.tone]}${escapeMarkdown(result.text)}`,
  ]);
  const doubts = words.doubts.slice(0, LINES_MAX).map((doubt) => `- ⏸️ ${escapeMarkdownItem(doubt)}`);
  const table = markdownTable(["who", "as", "rows", "where", "declared?"], rows.slice(0, LINES_MAX));
  return [`## Who wrote what under load\n\n${table}`, ...(doubts.length === 0 ? [] : ["", ...doubts])].join("\n");
}
