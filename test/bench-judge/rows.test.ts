import { expect, test } from "vitest";
import { chosenRows, parseBenchOptions } from "../../bench/judge/bench-options.ts";
import { codeDigest, withoutComments } from "../../bench/judge/code-digest.ts";
import { goal } from "../../bench/judge/goals.ts";
import { resultsPage } from "../../bench/judge/results-page.ts";
import { FIRST_SEED } from "../../bench/judge/row.ts";
import { groupRows, playRun } from "../../bench/judge/row-groups.ts";
import { storedRow } from "../../bench/judge/stored-results.ts";
import { ALL_ROWS } from "../../bench/judge/tables/all-rows.ts";
import { added, NO_RUNS, secondsOf, tallyOf } from "../../bench/judge/tally.ts";
import { limitsFor } from "../../src/judge/judge-limits.ts";

const target = ALL_ROWS.filter((row) => row.id.startsWith("target/"));

test("a row gives the same answer alone and beside the rows that share its requests", () => {
  const rivals = ALL_ROWS.filter((row) => row.id.startsWith("rivals/p99/") && row.id.endsWith("/innocent"));
  const cheap = rivals.filter((row) => row.judge.kind === "rival" && row.judge.afterSeconds <= 900);
  const together = playRun(cheap, 3);
  const alone = cheap.slice(0, 2).flatMap((row) => playRun([row], 3));
  expect(alone).toEqual(together.slice(0, 2));
  expect(together.length).toBe(cheap.length);
});

test("the same run plays out the same way every time", () => {
  const [row] = target;
  expect(row === undefined ? [] : playRun([row], 0)).toEqual(row === undefined ? [] : playRun([row], 0));
});

test("rows of one world, plan and time before share their requests", () => {
  const groups = groupRows(ALL_ROWS, (row) => row.runs);
  expect(groups.flatMap((group) => group.rows).length).toBe(ALL_ROWS.length);
  const ofRow = (part: string) => groups.find((group) => group.rows.some((row) => row.id.includes(part)));
  expect(ofRow("rivals/p99/argo/innocent")).toBe(ofRow("rivals/errors/argo/innocent"));
  expect(ofRow("rivals/p99/argo/innocent")).not.toBe(ofRow("rivals/p99/argo/at-bound"));
});

test("every row of the quick version has a bound, and the run that must fail is among them", () => {
  const quick = ALL_ROWS.filter((row) => row.quickRuns !== undefined);
  expect(quick.filter((row) => row.keeps === undefined).map((row) => row.id)).toEqual([]);
  expect(quick.map((row) => row.id)).toContain("must-fail/naive-t/cpu");
});

test("tallies add up, and their seconds have a mean and quantiles", () => {
  const one = tallyOf([
    { kind: "promote", beforeSeconds: 600, afterSeconds: 60 },
    { kind: "reject", beforeSeconds: 600, afterSeconds: 120 },
  ]);
  const both = added(added(one, NO_RUNS), tallyOf([{ kind: "hold", beforeSeconds: 0, afterSeconds: 60 }]));
  expect(both).toMatchObject({ runs: 3, promote: 1, reject: 1, hold: 1, beforeSeconds: 1200 });
  expect(secondsOf(both)).toEqual({ mean: 80, median: 60, p99: 120 });
});

test("options that nobody knows are refused with the way to the help", () => {
  expect(() => parseBenchOptions(["--fast"])).toThrow(/--fast/);
  expect(() => parseBenchOptions(["--runs", "many"])).toThrow(/whole number/);
  expect(() => chosenRows(ALL_ROWS, parseBenchOptions(["--row", "no such row"]))).toThrow(/no such row/);
  expect(parseBenchOptions(["--quick", "--row", "a", "--row", "b"])).toMatchObject({ quick: true, rows: ["a", "b"] });
});

test("the page shows every kind of row with its count", () => {
  const counts = { ...NO_RUNS, runs: 200, promote: 1, hold: 199, afterSeconds: { 600: 200 } };
  const rows = Object.fromEntries(ALL_ROWS.map((row) => [row.id, storedRow(row, counts, "2026-11-23")]));
  const page = resultsPage(ALL_ROWS, {
    schema: "canary.bench-judge/v1",
    firstSeed: FIRST_SEED,
    machine: "2 cores",
    rows,
  });
  for (const heading of [
    "exact bound",
    "overall verdict",
    "Four SLOs",
    "tuned by hand",
    "must fail",
    "method was chosen on",
  ]) {
    expect(page).toContain(heading);
  }
  expect(page).toContain("1/200 = 0.5%");
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});

test("a row that is counted has as many blocks before the plan as its measure needs", () => {
  const tooShort = ALL_ROWS.filter(({ id, judge, goals, noEvidence }) => {
    if (!id.startsWith("at-bound/") || judge.kind !== "ours" || judge.learned === true) return false;
    const { limits, baselineSeconds } = judge.setting;
    return goals.some((name) => {
      const { measure } = goal(name).slo;
      const blocks = Math.floor(baselineSeconds / limits.blockSeconds);
      return noEvidence === undefined && blocks < limitsFor(measure, limits).minBlocksBefore;
    });
  });
  expect(tooShort.map(({ id }) => id)).toEqual([]);
});

test("every row at a bound has its harmless twin, and no row that is no evidence is in the quick version", () => {
  const ids = new Set(ALL_ROWS.map(({ id }) => id));
  const atBound = ALL_ROWS.filter(({ id }) => /^at-bound\//.test(id));
  expect(atBound.filter(({ id }) => !ids.has(id.replace("at-bound", "harmless")))).toEqual([]);
  expect(ALL_ROWS.filter((row) => row.noEvidence !== undefined && row.quickRuns !== undefined)).toEqual([]);
});

test("a fixed difference of the twins changes nothing without a profile, and something with one", () => {
  const ends = (id: string) => {
    const rows = ALL_ROWS.filter((row) => row.id === id);
    return [0, 1, 2].map((run) => playRun(rows, run));
  };
  expect(ends("at-bound/default/bias-5/p50")).toEqual(ends("at-bound/default/typical/p50"));
  const profiled = ALL_ROWS.filter(({ id }) => /^at-bound\/(profile|short-profile|minutes)\/bias-5\//.test(id));
  expect(profiled.length).toBeGreaterThan(0);
  expect(profiled.filter(({ judge }) => judge.kind === "ours" && !judge.learned && !judge.setting.profile)).toEqual([]);
});

test("the digest of a row's code does not know comments, and tells who judges apart", () => {
  const code = "const a = 1;\nconst b = a * 2; // twice\n";
  const told = "/** Says why. */\nconst a = 1;\n\n// One line,\n/*\n * and more,\n */\nconst b = a * 2; // twice\n";
  expect(withoutComments(told)).toBe(withoutComments(code));
  expect(withoutComments("const a = 2;")).not.toBe(withoutComments("const a = 1;"));
  const digests = ["at-bound/default/iid/p99", "at-bound/minutes/quiet/p99", "rivals/p99/argo/innocent"].map((id) =>
    ALL_ROWS.filter((row) => row.id === id).map(({ judge }) => codeDigest(judge)),
  );
  expect(new Set(digests.flat()).size).toBe(3);
});
