import { upperLimit } from "../chances.ts";
import { brokenInFull, percent } from "../check-bounds.ts";
import { endings, shareText } from "../row-line.ts";
import { type PageRow, part, runsOfAll, runsText, section, table, under } from "./page-rows.ts";

/** Unsafe promotion by environment and SLO, a table for every setting of the judge. */
export function atBoundTables(rows: readonly PageRow[]): readonly string[] {
  const settings = Map.groupBy(under(rows, "at-bound/"), (row) => part(row, 1));
  return [...settings].map(([setting, members]) => {
    const goals = [...new Set(members.map((row) => part(row, 3)))];
    const worlds = Map.groupBy(members, (row) => part(row, 2));
    const lines = [...worlds].map(([world, ofWorld]) => [
      world,
      timeOf(ofWorld),
      runsOfAll(ofWorld),
      ...goals.map((goal) => cell(ofWorld.find((row) => part(row, 3) === goal))),
    ]);
    return section(
      `Unsafe promotion at the exact bound, each SLO by itself: ${setting}`,
      "Promoted runs, their share and its 99% upper limit. To keep: at most 1.0%, limit at most 1.5%.",
      table(["environment", "before + after at most, s", "runs", ...goals], lines),
    );
  });
}

function timeOf(rows: readonly PageRow[]): string {
  const [first] = rows;
  if (first?.row.judge.kind !== "ours") return "";
  const { baselineSeconds, observeSecondsMax, limits } = first.row.judge.setting;
  return `${baselineSeconds} + ${observeSecondsMax}, blocks of ${limits.blockSeconds}`;
}

function cell(found: PageRow | undefined): string {
  if (found === undefined) return "-";
  const { row, tally } = found;
  const { promote, runs } = tally;
  const text = `${promote}/${runs} = ${percent(promote / runs)} (<= ${percent(upperLimit(promote, runs, 0.99))})`;
  return brokenInFull(row, tally).length === 0 ? text : `**${text}**`;
}

/** The verdict over four SLOs. */
export function overallTable(rows: readonly PageRow[]): string {
  const lines = under(rows, "overall/").map((found) => {
    const { row, tally } = found;
    const outcome = row.keeps?.outcome ?? "promote";
    return [
      row.label,
      endings(tally),
      `${outcome}: ${shareText(tally[outcome], tally.runs)}`,
      `at most ${percent(row.keeps?.most ?? 1)}`,
      runsText(found),
    ];
  });
  return section(
    "The overall verdict over four SLOs, typical noise",
    "p99, p50 and CPU +10%, errors +0.1pp; promotion needs all four inside at the same look.",
    table(["true effect", "promote / reject / hold", "what would be wrong", "to keep", "runs"], lines),
  );
}
