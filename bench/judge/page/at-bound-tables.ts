import { upperLimit } from "../chances.ts";
import { brokenInFull, percent } from "../check-bounds.ts";
import { endings, shareText } from "../row-line.ts";
import { harmlessOf, noEvidence } from "./evidence.ts";
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
      ...goals.map((goal) =>
        cell(
          rows,
          ofWorld.find((row) => part(row, 3) === goal),
        ),
      ),
    ]);
    return section(
      `Unsafe promotion at the exact bound, each SLO by itself: ${setting}`,
      "Promoted runs, their share and its 99% upper limit; how many were rejected, which is wrong at the bound too; then, where it was measured, how many plans without effect the same setting promotes. To keep: at most 1.0%, limit at most 1.5%.",
      [table(["environment", "before + after at most, s", "runs", ...goals], lines), ...marksOf(rows, members)].join(
        "\n\n",
      ),
    );
  });
}

function timeOf(rows: readonly PageRow[]): string {
  const [first] = rows;
  if (first?.row.judge.kind !== "ours") return "";
  const { baselineSeconds, observeSecondsMax, limits } = first.row.judge.setting;
  return `${baselineSeconds} + ${observeSecondsMax}, blocks of ${limits.blockSeconds}`;
}

function cell(rows: readonly PageRow[], found: PageRow | undefined): string {
  if (found === undefined) return "-";
  const { row, tally } = found;
  const { promote, reject, runs } = tally;
  const text = `${promote}/${runs} = ${percent(promote / runs)} (<= ${percent(upperLimit(promote, runs, 0.99))})`;
  const harmless = harmlessOf(rows, found)?.tally;
  const mark = noEvidence(rows, found)?.mark;
  return [
    brokenInFull(row, tally).length === 0 ? text : `**${text}**`,
    ...(reject === 0 ? [] : [`rejected ${reject}`]),
    ...(harmless === undefined ? [] : [`harmless ${harmless.promote}/${harmless.runs}`]),
    ...(mark === undefined ? [] : [`*${mark}*`]),
  ].join("; ");
}

/** Under the table: what its marks mean, one line for rows that share a reason. */
function marksOf(rows: readonly PageRow[], members: readonly PageRow[]): readonly string[] {
  const marked = members.flatMap((found) => {
    const known = noEvidence(rows, found);
    return known === undefined ? [] : [{ name: `${part(found, 2)}/${part(found, 3)}`, ...known }];
  });
  const reasons = Map.groupBy(marked, ({ mark, why }) => `*${mark[0]?.toUpperCase()}${mark.slice(1)}*, because ${why}`);
  const lines = [...reasons].map(([reason, alike]) => `- ${reason}: ${alike.map(({ name }) => name).join(", ")}.`);
  return lines.length === 0 ? [] : [lines.join("\n")];
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
