import { upperLimit } from "../chances.ts";
import { brokenInFull, percent } from "../check-bounds.ts";
import { shareText } from "../row-line.ts";
import { secondsOf } from "../tally.ts";
import { type PageRow, part, under } from "./page-rows.ts";

/** The answer for who reads no further. */
export function headline(rows: readonly PageRow[]): string {
  const atBound = under(rows, "at-bound/");
  const bounded = rows.filter(({ row }) => row.keeps !== undefined);
  const broken = bounded.flatMap(({ row, tally }) => brokenInFull(row, tally));
  const worst = atBound.toSorted((a, b) => b.tally.promote / b.tally.runs - a.tally.promote / a.tally.runs)[0];
  const naive = rows.find(({ row }) => row.id === "rivals/p99/naive-t/at-bound" || row.id === "must-fail/naive-t/p99");
  const innocent = rows.find(({ row }) => row.id === "power/none/ours");
  const lines = [
    worst === undefined
      ? ""
      : `- Worst of ${atBound.length} pairs of environment and SLO at the bound: ${shareText(worst.tally.promote, worst.tally.runs)} unsafe (${part(worst, 2)}, ${part(worst, 3)}).${pooled(atBound)}`,
    innocent === undefined
      ? ""
      : `- A plan without effect, typical noise, four SLOs, defaults: promoted in ${shareText(innocent.tally.promote, innocent.tally.runs)}, rejected in ${innocent.tally.reject}, median ${secondsOf(innocent.tally).median} s after the plan.`,
    naive === undefined
      ? ""
      : `- The run that must fail does: a t-test looked at after every block promotes ${percent(naive.tally.promote / naive.tally.runs)} of the same plans (p99).`,
    `- Rows with a bound to keep: ${bounded.length}; ${broken.length === 0 ? "all keep it" : `**${broken.length} do not**`}.`,
    ...broken.map(({ row, message }) => `  - \`${row.id}\`: ${message}`),
  ];
  return lines.filter((line) => line !== "").join("\n");
}

function pooled(rows: readonly PageRow[]): string {
  const runs = rows.reduce((total, { tally }) => total + tally.runs, 0);
  const unsafe = rows.reduce((total, { tally }) => total + tally.promote, 0);
  return ` All together ${unsafe} of ${runs.toLocaleString("en")} (${percent(unsafe / runs)}, at most ${percent(upperLimit(unsafe, runs, 0.99))} if they were independent).`;
}
