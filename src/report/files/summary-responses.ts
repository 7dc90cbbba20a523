import { fieldWords, responseSummary, routePairs } from "../response-words.ts";
import type { RunReport } from "../run-report.ts";
import { codeSpan, escapeMarkdown, markdownTable } from "./markdown.ts";

const ROWS_MAX = 60;
const MARK = { changed: "❌ ", declared: "✅ ", lasting: "⏸️ ", unclear: "⏸️ ", noise: "" } as const;

/** Answers compared: the summary, and every place that is more than noise; noise folds away. */
export function responsesMarkdown({ responses }: RunReport): string {
  if (responses === undefined) return "";
  const rows = responses.routes.flatMap((route) =>
    route.fields.map((field) => {
      const { path, kinds, counts, example, state, stateWord } = fieldWords(field, route);
      const cells = [codeSpan(route.route), codeSpan(path), kinds, ...counts, escapeMarkdown(example)];
      return { noise: state === "noise", cells: [...cells, `${MARK[state]}${escapeMarkdown(stateWord)}`] };
    }),
  );
  const few = responses.routes.filter(({ enough, pairs }) => !enough && pairs.inForce > 0);
  const parts = [
    `## Answers compared\n\n${escapeMarkdown(`${responseSummary(responses)}.`)}`,
    ...few.map((route) => `- ${codeSpan(route.route)}: ${escapeMarkdown(routePairs(route))}`),
    tableOf(rows.filter(({ noise }) => !noise).map(({ cells }) => cells)),
    folded(tableOf(rows.filter(({ noise }) => noise).map(({ cells }) => cells))),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

const HEADINGS = ["route", "place", "kind", "before", "in force", "after undo", "control → shadow", "result"];

function tableOf(rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const more = rows.length > ROWS_MAX ? `\n\n... and ${rows.length - ROWS_MAX} more in report.json` : "";
  return `${markdownTable(HEADINGS, rows.slice(0, ROWS_MAX))}${more}`;
}

function folded(table: string): string {
  return table === ""
    ? ""
    : `<details><summary>Noise of the twins in their answers</summary>\n\n${table}\n\n</details>`;
}
