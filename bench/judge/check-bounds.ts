import { chanceOfMoreThan, upperLimit } from "./chances.ts";
import type { Keeps, Row } from "./row.ts";
import { secondsOf, type Tally } from "./tally.ts";

/** Chance with which a sound judge may fail a quick run, all its bounds together: one in a thousand. */
export const QUICK_FALSE_ALARM = 0.001;
const LIMIT_LEVEL = 0.99;

/** A bound that did not hold, in words. */
export interface Broken {
  readonly row: Row;
  readonly message: string;
}

/** Runs of a row that ended as its bound speaks of. */
export function counted({ outcome }: Pick<Keeps, "outcome">, tally: Tally): number {
  return tally[outcome];
}

/**
 * A full run is held to the bound itself: the share seen and its exact one-sided 99% limit.
 */
export function brokenInFull(row: Row, tally: Tally): readonly Broken[] {
  const { keeps } = row;
  if (keeps === undefined) return [];
  const count = counted(keeps, tally);
  const share = count / tally.runs;
  const said = `${keeps.outcome} in ${count} of ${tally.runs} runs (${percent(share)})`;
  const limit = upperLimit(count, tally.runs, LIMIT_LEVEL);
  const median = secondsOf(tally).median;
  return [
    ...(keeps.most !== undefined && share > keeps.most ? [`${said}, at most ${percent(keeps.most)} is allowed`] : []),
    ...(keeps.least !== undefined && share < keeps.least ? [`${said}, at least ${percent(keeps.least)} is asked`] : []),
    ...(keeps.limitMost !== undefined && limit > keeps.limitMost
      ? [`${said}, whose 99% upper limit ${percent(limit)} is above ${percent(keeps.limitMost)}`]
      : []),
    ...(keeps.medianSecondsMost !== undefined && median > keeps.medianSecondsMost
      ? [`median ${median} s after the plan (settling not counted), at most ${keeps.medianSecondsMost} s is asked`]
      : []),
  ].map((message) => ({ row, message }));
}

/**
 * A quick run has too few runs to show that a bound is kept; it is made to notice when one is clearly not. A row fails when
 * more runs ended badly than a judge exactly at its bound would show but once in `1 / chance` runs of the bench.
 *
 * The arithmetic, tested: ten bounds of 1% with 1,000 runs each leave 1 in 10,000 to each; a judge at exactly 1% shows more
 * than 24 in 1,000 that rarely, and a judge at 3% shows more than 24 in 85 of 100 rows, so that some row of ten fails nearly
 * always. Seeds are fixed, so the same code always gets the same answer; the chances are those of a change of the code.
 */
export function brokenInQuick(row: Row, tally: Tally, chance: number): readonly Broken[] {
  const { keeps } = row;
  if (keeps === undefined) return [];
  if (keeps.bites === true) return brokenInFull(row, tally);
  const count = counted(keeps, tally);
  const said = `${keeps.outcome} in ${count} of ${tally.runs} runs (${percent(count / tally.runs)})`;
  const broken: Broken[] = [];
  if (keeps.most !== undefined) {
    const most = mostCredible(tally.runs, keeps.most, chance);
    if (count > most)
      broken.push({ row, message: `${said}; at ${percent(keeps.most)} more than ${most} are not credible` });
  }
  if (keeps.least !== undefined) {
    const most = mostCredible(tally.runs, 1 - keeps.least, chance);
    const others = tally.runs - count;
    if (others > most) {
      broken.push({
        row,
        message: `${said}; at ${percent(keeps.least)} fewer than ${tally.runs - most} are not credible`,
      });
    }
  }
  return broken;
}

/** The least number that `runs` trials of chance `p` pass with at most this chance. */
export function mostCredible(runs: number, p: number, chance: number): number {
  let most = Math.floor(runs * p);
  while (chanceOfMoreThan(most, runs, p) > chance) most++;
  return most;
}

/** A share as people read it. */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(share < 0.1 ? 2 : 3))}%`;
}
