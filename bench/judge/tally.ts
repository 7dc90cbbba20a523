import type { RunDecision } from "./row.ts";

/** What became of the runs of one row so far; plain data, so that it crosses threads and fits in a file. */
export interface Tally {
  readonly runs: number;
  readonly promote: number;
  readonly reject: number;
  readonly hold: number;
  /** Seconds before the plan, all runs together. */
  readonly beforeSeconds: number;
  /** How many runs took so many seconds after the plan. */
  readonly afterSeconds: Readonly<Record<string, number>>;
}

/** No run yet. */
export const NO_RUNS: Tally = { runs: 0, promote: 0, reject: 0, hold: 0, beforeSeconds: 0, afterSeconds: {} };

/** Counts decisions. */
export function tallyOf(decisions: readonly RunDecision[]): Tally {
  const counted = (kind: RunDecision["kind"]): number => decisions.filter((one) => one.kind === kind).length;
  const afterSeconds: Record<string, number> = {};
  for (const { afterSeconds: seconds } of decisions) afterSeconds[seconds] = (afterSeconds[seconds] ?? 0) + 1;
  return {
    runs: decisions.length,
    promote: counted("promote"),
    reject: counted("reject"),
    hold: counted("hold"),
    beforeSeconds: decisions.reduce((total, one) => total + one.beforeSeconds, 0),
    afterSeconds,
  };
}

/** Runs of both. */
export function added(a: Tally, b: Tally): Tally {
  const afterSeconds: Record<string, number> = { ...a.afterSeconds };
  for (const [seconds, runs] of Object.entries(b.afterSeconds))
    afterSeconds[seconds] = (afterSeconds[seconds] ?? 0) + runs;
  return {
    runs: a.runs + b.runs,
    promote: a.promote + b.promote,
    reject: a.reject + b.reject,
    hold: a.hold + b.hold,
    beforeSeconds: a.beforeSeconds + b.beforeSeconds,
    afterSeconds,
  };
}

/** Mean and quantiles of the seconds after the plan. */
export function secondsOf({ afterSeconds, runs }: Tally): {
  readonly mean: number;
  readonly median: number;
  readonly p99: number;
} {
  const ascending = Object.entries(afterSeconds)
    .map(([seconds, count]) => ({ seconds: Number(seconds), count }))
    .toSorted((a, b) => a.seconds - b.seconds);
  const quantile = (share: number): number => {
    let seen = 0;
    for (const { seconds, count } of ascending) {
      seen += count;
      if (seen >= share * runs) return seconds;
    }
    return Number.NaN;
  };
  const total = ascending.reduce((sum, { seconds, count }) => sum + seconds * count, 0);
  return { mean: total / runs, median: quantile(0.5), p99: quantile(0.99) };
}
