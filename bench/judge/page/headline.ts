import { brokenInFull, notShown, percent } from "../check-bounds.ts";
import type { Row } from "../row.ts";
import { shareText } from "../row-line.ts";
import { secondsOf } from "../tally.ts";
import { noEvidence } from "./evidence.ts";
import { type PageRow, part, under } from "./page-rows.ts";

/** The answer for who reads no further. */
export function headline(rows: readonly PageRow[]): string {
  const atBound = under(rows, "at-bound/").filter((found) => noEvidence(rows, found) === undefined);
  const [unsafe, rejected] = [worstLine(atBound, "promote", "unsafe"), worstLine(atBound, "reject", "rejected")];
  const naive = rows.find(({ row }) => row.id === "rivals/p99/naive-t/at-bound" || row.id === "must-fail/naive-t/p99");
  const innocent = rows.find(({ row }) => row.id === "power/none/ours");
  const lines = [
    unsafe,
    rejected,
    innocent === undefined
      ? ""
      : `- A plan without effect, typical noise, four SLOs, defaults and a baseline of 600 s: promoted in ${shareText(innocent.tally.promote, innocent.tally.runs)}, rejected in ${innocent.tally.reject}, median ${secondsOf(innocent.tally).median} s after the plan, settling not counted.`,
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

/** The worst of all rows at the bound: a plan exactly there is wrongly promoted, and wrongly rejected as well. */
function worstLine(atBound: readonly PageRow[], outcome: "promote" | "reject", words: string): string {
  const share = ({ tally }: PageRow): number => tally[outcome] / tally.runs;
  const worst = atBound.toSorted((a, b) => share(b) - share(a))[0];
  if (worst === undefined) return "";
  const where = [1, 2, 3].map((index) => part(worst, index)).join(", ");
  return `- Worst of ${atBound.length} pairs of environment and SLO at the bound: ${shareText(worst.tally[outcome], worst.tally.runs)} ${words} (${where}). Rows share their seeds, so that there is no limit of all together.`;
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
  const open = bounded.flatMap(({ row, tally }) => notShown(row, tally) ?? []);
  const left = bounded.length - missed.length - open.length;
  const parts = [
    `${left === bounded.length ? "all" : left} show it with 99% confidence`,
    ...(missed.length === 0 ? [] : [`**${missed.length} do not keep it**`]),
    ...(open.length === 0 ? [] : [`${open.length} keep it in the share seen and have too few runs to show it`]),
  ];
  return [
    `- ${words}: ${bounded.length} rows measured; ${parts.join(", ")}.${notCounted === 0 ? "" : ` ${notCounted} more are shown and not counted: they decide nothing or repeat another.`}`,
    ...missed.map(({ row, messages }) => `  - \`${row.id}\`: ${messages.join("; ")}`),
  ];
}
