import { DEFAULT_JUDGE_LIMITS } from "../../../src/judge/judge-limits.ts";
import { exactLimits } from "../chances.ts";
import { percent } from "../check-bounds.ts";
import { endings, shareText } from "../row-line.ts";
import { secondsOf, type Tally } from "../tally.ts";
import { type PageRow, part, runsOfAll, runsText, section, table, under } from "./page-rows.ts";

const { settleSeconds, restartSettleSeconds } = DEFAULT_JUDGE_LIMITS;

/** What a run takes beside the times that rows with nothing discarded count. */
export const SETTLING_LEFT_OUT =
  `**Settling is not in these times**: the rows begin to judge at once, as they act in no time. A run discards ${settleSeconds} s after the plan's last action ` +
  `(\`settleSeconds\`; ${restartSettleSeconds} s where a process was replaced) and takes that much longer, beside the time in which the plan acts.`;

/** Settings that are to reach a time. */
export function targetTable(rows: readonly PageRow[]): string {
  const lines = under(rows, "target/").map((found) => {
    const { row, tally } = found;
    return [
      row.label,
      endings(tally),
      shareText(tally.promote, tally.runs),
      timeText(tally),
      (tally.beforeSeconds / tally.runs).toFixed(0),
      runsText(found),
    ];
  });
  return section(
    "Time to a verdict, no effect",
    `Seconds to the look that decided, runs that were held included. ${SETTLING_LEFT_OUT}`,
    table(
      ["setting", "promote / reject / hold", "promoted", "after: mean (median, 99 of 100)", "before, s", "runs"],
      lines,
    ),
  );
}

/** Effects down, judges across. */
export function powerTable(rows: readonly PageRow[]): string {
  const members = under(rows, "power/");
  const effects = Map.groupBy(members, (row) => part(row, 1));
  const judges = [...new Map(members.map((row) => [part(row, 2), judgeLabel(row)]))];
  const lines = [...effects.values()].map((ofEffect) => [
    ofEffect[0]?.row.label.split(": ")[0] ?? "",
    ...judges.map(([name]) => {
      const found = ofEffect.find((row) => part(row, 2) === name);
      return found === undefined ? "-" : `${endings(found.tally)}; ${timeText(found.tally)}, ${runsText(found)} runs`;
    }),
  ]);
  return section(
    "Four SLOs, typical noise: how it ends and how long it takes after the plan",
    `promote / reject / hold in percent; mean (median, 99 of 100) seconds. The others take no time before the plan; ours has a baseline of 600 s here. ${SETTLING_LEFT_OUT}`,
    table(["true effect", ...judges.map(([, label]) => label)], lines),
  );
}

function judgeLabel({ row }: PageRow): string {
  return row.label.split(": ").slice(1).join(": ");
}

/** Rules of others, tuned by hand towards as few errors; the counts say how near they came. */
export function equalErrorTable(rows: readonly PageRow[]): string {
  const rules = Map.groupBy(under(rows, "equal-error/"), (row) => part(row, 1));
  const lines = [...rules.values()].map((ofRule) => {
    const tallyOf = (when: string): Tally | undefined => ofRule.find((row) => part(row, 2) === when)?.tally;
    const [atBound, innocent] = [tallyOf("at-bound"), tallyOf("innocent")];
    const range = (count: number, runs: number): string => {
      const { lo, hi } = exactLimits(count, runs, 0.98);
      return `${percent(count / runs)} (${count} of ${runs}, ${percent(lo)} to ${percent(hi)})`;
    };
    return [
      ofRule[0]?.row.label ?? "",
      innocent === undefined ? "-" : timeText(innocent),
      atBound === undefined ? "-" : range(atBound.promote, atBound.runs),
      innocent === undefined ? "-" : range(innocent.reject, innocent.runs),
      runsOfAll(ofRule),
    ];
  });
  return section(
    "The rules of others, tuned by hand towards as few errors: p99 alone, typical noise",
    `Time is after the plan, without effect; ours has a baseline of 600 s before it, the others none. Their settings are right for this noise only. ${SETTLING_LEFT_OUT}`,
    table(["rule", "mean (median, 99 of 100), s", "unsafe at +10%", "false rejection", "runs"], lines),
  );
}

/** Gross harm: how soon the alarm stops it. */
export function alarmTable(rows: readonly PageRow[]): string {
  const lines = under(rows, "alarm/").map((found) => [
    found.row.world.name,
    found.row.label,
    shareText(found.tally.reject, found.tally.runs),
    found.tally.reject === 0 ? "-" : timeText(found.tally),
    runsText(found),
  ]);
  return section(
    "The harm alarm",
    "Stopped: within 20 s of the plan where the plan is gross harm, within all of 180 s where it is not.",
    table(["environment", "plan", "stopped", "mean (median, 99 of 100), s", "runs"], lines),
  );
}

/** What else was tried, and known limits. */
export function studyTable(rows: readonly PageRow[]): string {
  const lines = under(rows, "study/").map((found) => [
    found.row.label,
    found.row.world.name,
    endings(found.tally),
    timeText(found.tally),
    runsText(found),
  ]);
  return section(
    "What else was tried, and what the judge does not control",
    "No bound is claimed here.",
    table(["setting and true effect", "environment", "promote / reject / hold", "after, s", "runs"], lines),
  );
}

/** Rounds instead of one before and after, and a control that follows the plan: every row with its bound, if it has one. */
export function roundsTable(rows: readonly PageRow[]): string {
  const lines = [...under(rows, "switchback/"), ...under(rows, "interference/")].map((found) => {
    const { row, tally } = found;
    const held = row.keeps === undefined ? "-" : shareText(tally[row.keeps.outcome], tally.runs);
    return [part(found, 0), row.world.name, row.label, endings(tally), held, runsText(found)];
  });
  return section(
    "Rounds, and a control that follows the plan",
    "Switchback applies and undoes the plan again and again (decision 0008); interference is a control that suffers with the shadow.",
    table(
      ["study", "environment", "setting and true effect", "promote / reject / hold", "what it is held to", "runs"],
      lines,
    ),
  );
}

function timeText(tally: Tally): string {
  const { mean, median, p99 } = secondsOf(tally);
  return `${mean.toFixed(0)} (${median}, ${p99})`;
}
