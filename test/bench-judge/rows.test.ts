import { expect, test } from "vitest";
import { chosenRows, parseBenchOptions } from "../../bench/judge/bench-options.ts";
import { resultsPage } from "../../bench/judge/results-page.ts";
import { FIRST_SEED } from "../../bench/judge/row.ts";
import { groupRows, playRun } from "../../bench/judge/row-groups.ts";
import { storedRow } from "../../bench/judge/stored-results.ts";
import { ALL_ROWS } from "../../bench/judge/tables/all-rows.ts";
import { added, NO_RUNS, secondsOf, tallyOf } from "../../bench/judge/tally.ts";

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
  const now = { date: "2026-11-23", code: "0123456789ab" };
  const rows = Object.fromEntries(ALL_ROWS.map((row) => [row.id, storedRow(row, counts, now)]));
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
