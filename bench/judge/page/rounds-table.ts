import { endings } from "../row-line.ts";
import { secondsOf, type Tally } from "../tally.ts";
import { type PageRow, runsText, section, table, under } from "./page-rows.ts";

/** Rounds beside one before and after, and the control that follows the plan. */
export function roundsTables(rows: readonly PageRow[]): readonly string[] {
  const lines = (prefix: string): readonly (readonly string[])[] =>
    under(rows, prefix).map((found) => [
      found.row.world.name,
      found.row.label,
      endings(found.tally),
      totalText(found.tally),
      runsText(found),
    ]);
  const columns = ["environment", "setting and true effect", "promote / reject / hold", "in all, s", "runs"];
  return [
    section(
      "Switchback: the plan applied and undone again and again",
      "Promotions at the bound are unsafe. Seconds are of the whole run, the time before the plan included; mean (median).",
      table(columns, lines("switchback/")),
    ),
    section(
      "The control that follows the plan",
      "Part of what the plan does to the shadow reaches the control and hides itself. Without effect, the gate costs what it holds more than without it; with hidden harm, every promotion is unsafe.",
      table(columns, lines("interference/")),
    ),
  ];
}

function totalText(tally: Tally): string {
  const before = tally.beforeSeconds / tally.runs;
  const { mean, median } = secondsOf(tally);
  return `${(before + mean).toFixed(0)} (${(before + median).toFixed(0)})`;
}
