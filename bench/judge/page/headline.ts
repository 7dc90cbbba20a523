import { brokenInFull, percent } from "../check-bounds.ts";
import type { Row } from "../row.ts";
import { shareText } from "../row-line.ts";
import { secondsOf } from "../tally.ts";
import { noEvidence } from "./evidence.ts";
import { type PageRow, part, under } from "./page-rows.ts";

/** The answer for who reads no further. */
export function headline(rows: readonly PageRow[]): string {
  const atBound = under(rows, "at-bound/").filter((found) => noEvidence(rows, found) === undefined);
  const worst = atBound.toSorted((a, b) => b.tally.promote / b.tally.runs - a.tally.promote / a.tally.runs)[0];
  const naive = rows.find(({ row }) => row.id === "rivals/p99/naive-t/at-bound" || row.id === "must-fail/naive-t/p99");
  const innocent = rows.find(({ row }) => row.id === "power/none/ours");
  const lines = [
    worst === undefined
      ? ""
      : `- Worst of ${atBound.length} pairs of environment and SLO at the bound: ${shareText(worst.tally.promote, worst.tally.runs)} unsafe (${part(worst, 1)}, ${part(worst, 2)}, ${part(worst, 3)}). Rows share their seeds, so that there is no limit of all together.`,
    innocent === undefined
      ? ""
      : `- A plan without effect, typical noise, four SLOs, defaults: promoted in ${shareText(innocent.tally.promote, innocent.tally.runs)}, rejected in ${innocent.tally.reject}, median ${secondsOf(innocent.tally).median} s after the plan, settling not counted.`,
    naive === undefined
      ? ""
      : `- The run that must fail does: a t-test looked at after every block promotes ${percent(naive.tally.promote / naive.tally.runs)} of the same plans (p99).`,
    ...BOUNDS.flatMap(({ words, has }) =>
      boundLines(
        words,
        rows.filter(({ row }) => has(row)),
        rows,
      ),
    ),
  ];
  return lines.filter((line) => line !== "").join("\n");
}

/** A rule that must fail says something of the bench and nothing of the judge, so it is never counted with the judge's bounds. */
const BOUNDS: readonly { readonly words: string; readonly has: (row: Row) => boolean }[] = [
  { words: "Safety bounds of the judge that ships (unsafe promotions)", has: (row) => isOurs(row) && isSafety(row) },
  {
    words: "Its other goals (false rejections and stops, promotion, speed)",
    has: (row) => isOurs(row) && !isSafety(row),
  },
  { words: "Rows of a rule that must fail", has: (row) => !isOurs(row) },
];

function isOurs({ judge }: Row): boolean {
  return judge.kind !== "rival";
}

function isSafety({ keeps }: Row): boolean {
  return keeps?.outcome === "promote" && keeps.most !== undefined;
}

function boundLines(words: string, rows: readonly PageRow[], every: readonly PageRow[]): readonly string[] {
  const all = rows.filter(({ row }) => row.keeps !== undefined);
  const bounded = all.filter((found) => noEvidence(every, found) === undefined);
  const notCounted = all.length - bounded.length;
  if (bounded.length === 0) return [`- ${words}: not measured yet.`];
  const broken = bounded.map(({ row, tally }) => ({
    row,
    messages: brokenInFull(row, tally).map(({ message }) => message),
  }));
  const missed = broken.filter(({ messages }) => messages.length > 0);
  return [
    `- ${words}: ${bounded.length} rows measured; ${missed.length === 0 ? "all show what they are to show" : `**${missed.length} do not**`}.${notCounted === 0 ? "" : ` ${notCounted} more are shown and not counted: they decide nothing or repeat another.`}`,
    ...missed.map(({ row, messages }) => `  - \`${row.id}\`: ${messages.join("; ")}`),
  ];
}
