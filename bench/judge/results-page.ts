import { atBoundTables, overallTable } from "./page/at-bound-tables.ts";
import { DEPARTURES, madeBy } from "./page/departures.ts";
import { headline } from "./page/headline.ts";
import { coverage, KNOWN_MISSES } from "./page/known-gaps.ts";
import { pageRows } from "./page/page-rows.ts";
import { mustFailTable, rivalTable } from "./page/rival-table.ts";
import { roundsTables } from "./page/rounds-table.ts";
import { alarmTable, equalErrorTable, powerTable, roundsTable, studyTable, targetTable } from "./page/time-tables.ts";
import type { Row } from "./row.ts";
import type { StoredResults } from "./stored-results.ts";

/** RESULTS.md: every number with its count and its limit. */
export function resultsPage(all: readonly Row[], results: StoredResults): string {
  const rows = pageRows(all, results);
  const dates = [...new Set(rows.map((row) => row.stored.date))].toSorted();
  const runs = rows.reduce((total, { tally }) => total + tally.runs, 0);
  const sections = [
    "# How often the judge is wrong, and how long it takes",
    `Written by \`npm run bench:judge\`; do not edit. ${dates.join(" and ")}, ${runs.toLocaleString("en")} judged runs in ${rows.length} row${rows.length === 1 ? "" : "s"}, ` +
      `run i of every row has seed ${results.firstSeed} + i. Machine: ${results.machine}. ` +
      "Counts are in [results.json](results.json). The same judge on real twins, with harm of known size planted in them: [real-twins](../real-twins/RESULTS.md).",
    "Every run is two minutes to two hours of requests, one by one, at two simulated twins (`simulator/`, after STATISTICS.md 5), judged by the product's own functions. " +
      "*Unsafe* means promoted although the plan is exactly at the bound, the hardest place there is; the judge looks after every block and may stop at any of them. " +
      `\`at most\` is the exact one-sided 99% upper limit (Clopper and Pearson). Percentages are promote / reject / hold.`,
    madeBy(rows),
    headline(rows),
    coverage(all, rows),
    KNOWN_MISSES,
    DEPARTURES,
    ...atBoundTables(rows),
    overallTable(rows),
    targetTable(rows),
    powerTable(rows),
    equalErrorTable(rows),
    alarmTable(rows),
    ...roundsTables(rows),
    studyTable(rows),
    roundsTable(rows),
    mustFailTable(rows),
    rivalTable(rows),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}
