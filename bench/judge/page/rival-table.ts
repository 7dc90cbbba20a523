import { agreement } from "../agreement.ts";
import { exactLimits } from "../chances.ts";
import { percent } from "../check-bounds.ts";
import { endings } from "../row-line.ts";
import { type PageRow, part, section, table, under } from "./page-rows.ts";

/** The simulator against the published one, rule by rule. */
export function rivalTable(rows: readonly PageRow[]): string {
  const members = under(rows, "rivals/");
  const lines = members.flatMap((found) => {
    const { row, tally } = found;
    if (row.published === undefined) return [];
    const { lo, hi, agrees } = agreement(tally, row.published);
    const { promote, reject, hold } = row.published;
    return [
      [
        part(found, 1),
        row.label,
        part(found, 3) === "innocent" ? "none" : "at the bound",
        endings(tally),
        `${percent(lo)} to ${percent(hi)}`,
        [promote, reject, hold].map((share) => percent(share / 100)).join(" / "),
        agrees ? "yes" : "**no**",
      ],
    ];
  });
  const agreeing = lines.filter((line) => line.at(-1) === "yes").length;
  return section(
    "The simulator is as hard as the one that the method was chosen on",
    `The rules of others, written anew, in the typical world: ours (${members[0]?.tally.runs ?? 0} runs a row) beside what was published (1,500 to 3,000 runs). ` +
      `The interval is the exact 99% one of our share of promotions; *agrees* when the difference of both shares is within what sampling explains 99 times in 100. ${agreeing} of ${lines.length} agree; with all of them equal, ${Math.max(1, Math.round(lines.length / 100))} would be expected not to.`,
    table(
      ["SLO", "rule", "true effect", "ours: promote / reject / hold", "99% interval", "published", "agrees"],
      lines,
    ),
  );
}

/** The rule that must fail: a bench that cannot tell it from a sound one tells nothing. */
export function mustFailTable(rows: readonly PageRow[]): string {
  const members = [
    ...under(rows, "must-fail/"),
    ...under(rows, "rivals/").filter(({ row }) => row.keeps !== undefined),
  ];
  const lines = members.map((found) => {
    const { row, tally } = found;
    const { lo } = exactLimits(tally.promote, tally.runs, 0.98);
    return [
      row.goals.join(", "),
      row.label,
      `${tally.promote} of ${tally.runs} = ${percent(tally.promote / tally.runs)} (at least ${percent(lo)})`,
      `at least ${percent(row.keeps?.least ?? 0)}`,
    ];
  });
  return section(
    "The rule that must fail",
    "Student's t on the same block values, looked at after every block as if each look were the only one, the plan at its bound. The bench fails when this rule does not.",
    table(["SLO", "rule", "unsafe", "to show"], lines),
  );
}
