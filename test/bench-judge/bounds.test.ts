import { expect, test } from "vitest";
import { agreement } from "../../bench/judge/agreement.ts";
import { chanceOfMoreThan, exactLimits, lowerLimit, upperLimit } from "../../bench/judge/chances.ts";
import {
  brokenInFull,
  brokenInQuick,
  mostCredible,
  notShown,
  QUICK_FALSE_ALARM,
} from "../../bench/judge/check-bounds.ts";
import type { Keeps, Row } from "../../bench/judge/row.ts";
import { ALL_ROWS } from "../../bench/judge/tables/all-rows.ts";
import { NO_RUNS, type Tally } from "../../bench/judge/tally.ts";

const QUICK = ALL_ROWS.filter((row) => row.quickRuns !== undefined && row.keeps !== undefined);
/** As a quick run shares its false alarms among all its bounds. */
const QUICK_CHANCE = QUICK_FALSE_ALARM / QUICK.length;

/** A row of which only the bound matters, and what was counted. */
function given(keeps: Keeps, counts: Partial<Tally>): [Row, Tally] {
  const [row] = ALL_ROWS;
  if (row === undefined) throw new Error("the bench has no rows");
  return [
    { ...row, keeps },
    { ...NO_RUNS, ...counts },
  ];
}

test("exact limits are those of the tables", () => {
  // Clopper & Pearson 1934; 0 of n has the closed form 1 - (1 - level)^(1/n).
  expect(upperLimit(0, 2000, 0.99)).toBeCloseTo(1 - 0.01 ** (1 / 2000), 12);
  expect(exactLimits(5, 20, 0.95).lo).toBeCloseTo(0.08657, 5);
  expect(exactLimits(5, 20, 0.95).hi).toBeCloseTo(0.49105, 5);
  expect(lowerLimit(0, 50, 0.99)).toBe(0);
  expect(upperLimit(50, 50, 0.99)).toBe(1);
  expect(chanceOfMoreThan(1, 3, 0.5)).toBeCloseTo(0.5, 12);
});

test("a full run is held to the share and to its limit", () => {
  const keeps = { outcome: "promote", most: 0.01, limitMost: 0.015 } as const;
  expect(brokenInFull(...given(keeps, { runs: 2000, promote: 12 }))).toEqual([]);
  expect(brokenInFull(...given(keeps, { runs: 2000, promote: 19 }))).toHaveLength(1);
  expect(brokenInFull(...given(keeps, { runs: 2000, promote: 60 }))).toHaveLength(2);
});

test("a bound that the share keeps and the 99% limit does not is not shown, which few runs never do", () => {
  const keeps = { outcome: "promote", most: 0.005 } as const;
  expect(notShown(...given(keeps, { runs: 500, promote: 0 }))).toBe(
    "promote in 0 of 500 runs, at most 0.92%; to show: 0.5%",
  );
  expect(notShown(...given(keeps, { runs: 2000, promote: 0 }))).toBeUndefined();
  expect(notShown(...given(keeps, { runs: 500, promote: 40 }))).toBeUndefined();
  const least = { outcome: "reject", least: 0.99 } as const;
  expect(notShown(...given(least, { runs: 200, reject: 200 }))).toBe(
    "reject in 200 of 200 runs, at least 97.7%; to show: 99%",
  );
  expect(notShown(...given(least, { runs: 1000, reject: 1000 }))).toBeUndefined();
});

test("a limit that fewer runs than planned can not reach is not shown rather than broken", () => {
  const keeps = { outcome: "promote", most: 0.01, limitMost: 0.015 } as const;
  const [row, tally] = given(keeps, { runs: 500, promote: 3 });
  expect(brokenInFull({ ...row, runs: 2000 }, tally)).toEqual([]);
  expect(notShown({ ...row, runs: 2000 }, tally)).toContain("3 of 500 runs, at most 2%");
  expect(brokenInFull({ ...row, runs: 500 }, tally)).toHaveLength(1);
});

test("a quick run notices a judge that promotes nothing, whatever else it keeps", () => {
  const asked = QUICK.filter(({ keeps }) => keeps?.outcome === "promote" && keeps.least !== undefined);
  expect(asked.length).toBeGreaterThanOrEqual(3);
  for (const row of asked.filter(({ keeps }) => keeps?.bites !== true)) {
    const { quickRuns: runs = 0 } = row;
    expect(brokenInQuick(row, { ...NO_RUNS, runs, hold: runs }, QUICK_CHANCE), row.id).toHaveLength(1);
  }
});

test("a row that has to reach something breaks when it does not, and when its median is late", () => {
  const keeps = { outcome: "promote", least: 0.99, medianSecondsMost: 180 } as const;
  expect(brokenInFull(...given(keeps, { runs: 100, promote: 99, afterSeconds: { 170: 60, 600: 40 } }))).toEqual([]);
  expect(brokenInFull(...given(keeps, { runs: 100, promote: 98, afterSeconds: { 190: 100 } }))).toHaveLength(2);
  expect(brokenInQuick(...given(keeps, { runs: 200, promote: 199 }), 1e-4)).toEqual([]);
  expect(brokenInQuick(...given(keeps, { runs: 200, promote: 180 }), 1e-4)).toHaveLength(1);
});

test("a quick run fails a judge that is exactly at every bound less than once in a hundred", () => {
  const falseAlarm = QUICK.flatMap(({ quickRuns = 0, keeps }) => {
    const most = keeps?.most ?? 0;
    return most > 0 ? [chanceOfMoreThan(mostCredible(quickRuns, most, QUICK_CHANCE), quickRuns, most)] : [];
  });
  expect(falseAlarm.length).toBeGreaterThanOrEqual(30);
  expect(falseAlarm.reduce((total, one) => total + one, 0)).toBeLessThanOrEqual(QUICK_FALSE_ALARM);
});

test("the arithmetic that the comment in the code and the bench's documentation give is right", () => {
  expect(QUICK).toHaveLength(39);
  const safety = QUICK.filter(({ id }) => id.startsWith("at-bound/"));
  expect([...new Set(safety.map(({ quickRuns }) => quickRuns))].toSorted()).toEqual([1000, 400, 500]);
  for (const { runs, beyond, noticed } of [
    { runs: 400, beyond: 12, noticed: { 2: 0.06, 3: 0.42 } },
    { runs: 500, beyond: 14, noticed: { 2: 0.08, 3: 0.54 } },
    { runs: 1000, beyond: 23, noticed: { 2: 0.21, 3: 0.89 } },
  ]) {
    expect(mostCredible(runs, 0.01, QUICK_CHANCE)).toBe(beyond);
    for (const [percent, chance] of Object.entries(noticed)) {
      expect(chanceOfMoreThan(beyond, runs, Number(percent) / 100)).toBeCloseTo(chance, 2);
    }
  }
});

test("two studies agree when sampling explains their difference", () => {
  const tally = { ...NO_RUNS, runs: 400, promote: 120 };
  expect(agreement(tally, { promote: 32.2, reject: 67.8, hold: 0, runs: 3000 }).agrees).toBe(true);
  expect(agreement(tally, { promote: 41.8, reject: 58.2, hold: 0, runs: 3000 }).agrees).toBe(false);
  expect(
    agreement({ ...NO_RUNS, runs: 400, promote: 400 }, { promote: 100, reject: 0, hold: 0, runs: 3000 }).agrees,
  ).toBe(true);
});
