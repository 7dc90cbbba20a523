import { chanceOfMoreThan, lowerLimit, upperLimit } from "./chances.ts";
import type { Keeps, Row } from "./row.ts";
import { secondsOf, type Tally } from "./tally.ts";

/** Chance with which a judge that is exactly at every one of its bounds fails a quick run: one in a hundred. */
export const QUICK_FALSE_ALARM = 0.01;
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

/** A full run is held to the bound itself: the share seen and, when it has all its runs, its exact one-sided 99% limit. */
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
    ...(keeps.limitMost !== undefined && limit > keeps.limitMost && tally.runs >= row.runs
      ? [`${said}, whose 99% upper limit ${percent(limit)} is above ${percent(keeps.limitMost)}`]
      : []),
    ...(keeps.medianSecondsMost !== undefined && median > keeps.medianSecondsMost
      ? [`median ${median} s after the plan (settling not counted), at most ${keeps.medianSecondsMost} s is asked`]
      : []),
  ].map((message) => ({ row, message }));
}

/**
 * What is not shown by a bound that is kept by the share seen: its exact one-sided 99% limit lies beyond, as it does with few runs
 * even where nothing went wrong. Undefined where it is shown, and where it is broken.
 */
export function notShown(row: Row, tally: Tally): string | undefined {
  const { keeps } = row;
  if (keeps === undefined || brokenInFull(row, tally).length > 0) return undefined;
  const count = counted(keeps, tally);
  const said = `${keeps.outcome} in ${count} of ${tally.runs} runs`;
  const upper = upperLimit(count, tally.runs, LIMIT_LEVEL);
  const lower = lowerLimit(count, tally.runs, LIMIT_LEVEL);
  const most = keeps.limitMost ?? keeps.most;
  if (most !== undefined && upper > most) return `${said}, at most ${percent(upper)}; to show: ${percent(most)}`;
  if (keeps.least === undefined || lower >= keeps.least) return undefined;
  return `${said}, at least ${percent(lower)}; to show: ${percent(keeps.least)}`;
}

/**
 * A quick run has too few runs to show that a bound is kept; it is made to notice when one is clearly not. A row fails when
 * more runs ended badly than a judge exactly at its bound would show but once in `1 / chance` runs of the bench.
 *
 * The arithmetic, tested, with 39 bounds in the quick version: a row of 400 runs breaks beyond 12 (3%), one of 500 beyond 14
 * (2.8%), one of 1,000 beyond 23 (2.3%). A judge that is unsafe in 3% of the runs of a single row is noticed in 42, 54 and 89
 * of 100 changes, one in 2% in 6, 8 and 21. So a quick run notices a judge that is broken, and not one that is a little worse
 * than it may be in one place: that is what the full run is for. What errs in several rows at once is noticed more often, by how
 * much nobody can say, since rows share their seeds. These chances are those of a change of the code: the same code always gets
 * the same answer.
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
