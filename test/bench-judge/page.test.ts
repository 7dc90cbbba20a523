import { expect, test } from "vitest";
import { resultsPage } from "../../bench/judge/results-page.ts";
import { FIRST_SEED, type Row } from "../../bench/judge/row.ts";
import { storedRow } from "../../bench/judge/stored-results.ts";
import { ALL_ROWS } from "../../bench/judge/tables/all-rows.ts";
import { NO_RUNS, type Tally } from "../../bench/judge/tally.ts";

const DATE = "2026-11-23";

/** A page of the rows that have a tally. */
function pageOf(tallyOf: (row: Row) => Tally | undefined): string {
  const rows = ALL_ROWS.flatMap((row) => {
    const tally = tallyOf(row);
    return tally === undefined ? [] : [[row.id, storedRow(row, tally, DATE)] as const];
  });
  return resultsPage(ALL_ROWS, {
    schema: "canary.bench-judge/v1",
    firstSeed: FIRST_SEED,
    machine: "2 cores",
    rows: Object.fromEntries(rows),
  });
}

function promoted(promote: number, runs: number): Tally {
  return { ...NO_RUNS, runs, promote, hold: runs - promote, afterSeconds: { 600: runs } };
}

/** Exactly what was published, but for rows that are told otherwise, in percent. */
function asPublished(other: Readonly<Record<string, number>>): string {
  return pageOf((row) => {
    if (row.published === undefined) return undefined;
    return promoted(Math.round(4 * (other[row.id] ?? row.published.promote)), 400);
  });
}

test("a simulator whose rows all agree is not called different", () => {
  const page = asPublished({});
  expect(page).toContain("45 of 45 rows agree, as many as chance explains");
  expect(page).not.toContain("not everywhere as hard");
});

test("four rows that disagree are more than chance explains, and the title says so", () => {
  const page = asPublished({
    "rivals/p99/kayenta-10/at-bound": 89,
    "rivals/p99/kayenta-30/at-bound": 35,
    "rivals/p99/flagger-past/innocent": 73.5,
    "rivals/p99/naive-t/at-bound": 4.25,
  });
  expect(page).toContain(
    "## The simulator is not everywhere as hard as the one that the method was chosen on: 41 of 45",
  );
  expect(page).toContain("0.45 would be expected not to, and P(>=4) is 0.11% by the binomial");
  expect(page).toMatch(/Kayenta-like, 60 s points, 10 min, at the bound: .* \*\*easier\*\* .*Unexplained/);
  expect(page).toMatch(/Flagger-like, absolute threshold.*, none: .* \*\*harder\*\* .*dayWave/);
  expect(page).toMatch(/naive t, peeking, at the bound: .* \*\*easier\*\* .*1\.63%/);
});

test("a rule that must fail is never counted with the safety bounds of the judge", () => {
  const mustFail = pageOf((row) => (row.id.startsWith("must-fail/") ? promoted(row.runs, row.runs) : undefined));
  expect(mustFail).toContain("Safety bounds of the judge that ships (unsafe promotions): not measured yet");
  expect(mustFail).toContain("Rows of a rule that must fail: 3 rows measured; all show");
  const atBound = pageOf((row) => (row.id.startsWith("at-bound/short/") ? promoted(100, row.runs) : undefined));
  expect(atBound).toContain(
    "(unsafe promotions): 8 rows measured; 0 show it with 99% confidence, **8 do not keep it**. 4 more are shown and not counted",
  );
  expect(atBound).toContain("Rows of a rule that must fail: not measured yet");
});

test("groups without any result say that they are not measured yet, and half measured ones how far they are", () => {
  const page = pageOf((row) => (row.id === "target/quiet-2s-profile" ? promoted(row.runs, row.runs) : undefined));
  expect(page).toContain("| `at-bound/default` | **not measured yet** | - |");
  expect(page).toContain("| `target` | 1 of 6 | 0 of 1 |");
});

test("a row with fewer runs than its own number says both", () => {
  const page = pageOf((row) => (row.judge.kind === "ours" ? promoted(1, Math.min(600, row.runs)) : undefined));
  expect(page).toContain("| 600 of 2,000 |");
  expect(page).toContain("| `at-bound/short` | 12 of 12 | 12 of 12 |");
  const full = pageOf((row) => promoted(1, row.runs));
  expect(full).not.toMatch(/\| [\d,]+ of [\d,]+ \|/);
  expect(full).not.toContain("## What is not measured");
});

test("the page names the goals that are missed", () => {
  const page = pageOf(() => undefined);
  for (const miss of ["97% with an ideal profile", "1.1 to 1.3%", "19 of 760", "20 of 750", "3.4%", "98.2%", "0.46%"])
    expect(page).toContain(miss);
});

test("beside an unsafe share stands that of harmless plans, and a row that promotes hardly any is marked and not counted", () => {
  const page = (harmless: number): string =>
    pageOf((row) => {
      if (row.id === "at-bound/short/noisy/p99") return promoted(0, row.runs);
      return row.id === "harmless/short/noisy/p99" ? promoted(harmless, 100) : undefined;
    });
  expect(page(56)).toContain("0/2000 = 0% (<= 0.23%); harmless 56/100 |");
  expect(page(56)).toContain("(unsafe promotions): 1 rows measured; all show");
  expect(page(5)).toContain("harmless 5/100; *decides nothing* |");
  expect(page(5)).toContain("promoted in 5 of 100 runs (5%): noisy/p99.");
  expect(page(5)).toContain("(unsafe promotions): not measured yet");
  expect(page(5)).not.toContain("Worst of");
});

test("rows that repeat others or decide nothing are shown with the reason and left out of the number of pairs", () => {
  const page = pageOf((row) => (row.id.startsWith("at-bound/default/") ? promoted(1, row.runs) : undefined));
  expect(page).toContain("Worst of 38 pairs of environment and SLO");
  expect(page).toContain("1/2000 = 0.05% (<= 0.33%); *repeats another*");
  expect(page).not.toContain("All together");
});

test("the page says how many rows were made by the code beside it", () => {
  const row = ALL_ROWS.find(({ id }) => id === "at-bound/default/iid/p99");
  if (row === undefined) throw new Error("the bench has no such row");
  const now = storedRow(row, promoted(1, 2000), DATE);
  const page = (code: string): string =>
    resultsPage(ALL_ROWS, {
      schema: "canary.bench-judge/v1",
      firstSeed: FIRST_SEED,
      machine: "2 cores",
      rows: { [row.id]: { ...now, code } },
    });
  expect(page(now.code)).toContain("1 of 1 rows (100%) were made by exactly the code beside this page.");
  expect(page("c2fb2d1f53df")).toContain(
    "0 of 1 rows (0%) were made by exactly the code beside this page; the other 1",
  );
});

test("a stored row of another definition is not shown as the row of today", () => {
  const row = ALL_ROWS.find(({ id }) => id === "at-bound/short-profile/bias-5/p99");
  if (row === undefined) throw new Error("the bench has no such row");
  const results = {
    schema: "canary.bench-judge/v1",
    firstSeed: FIRST_SEED,
    machine: "2 cores",
    rows: { [row.id]: { ...storedRow(row, promoted(7, 777), DATE), definition: "0".repeat(12) } },
  } as const;
  expect(resultsPage(ALL_ROWS, results)).not.toContain("7/777");
});

test("every table of times after the plan says that settling is not in them, and how long it is", () => {
  const page = pageOf((row) => promoted(row.runs, row.runs));
  const timed = page
    .split("\n## ")
    .filter((section) => /mean \(median, 99 of 100\)/.test(section) && !/harm alarm/.test(section));
  expect(timed).toHaveLength(3);
  for (const section of timed) expect(section).toContain("**Settling is not in these times**");
  expect(page).toMatch(
    /A run discards 30 s after the plan's last action \(`settleSeconds`; 60 s where a process was replaced\)/,
  );
});
