import { normalQuantile } from "../../../src/judge/normal-quantile.ts";
import { normalTail } from "../chances.ts";
import { rootBetween } from "./root.ts";

// The rank test as the Kayenta-like judge uses it: not for its p-value, but for the range of shifts it would not refuse.

/** Shifts of the experiment against the control that the test accepts, and the one it likes best. */
export interface ShiftInterval {
  readonly lower: number;
  readonly estimate: number;
  readonly upper: number;
}

/** Mann-Whitney U of x with its two-sided asymptotic p, continuity and ties corrected. */
export function mannWhitney(x: readonly number[], y: readonly number[]): { readonly u: number; readonly p: number } {
  const ranks = rankSum(ascending(x), ascending(y), 0);
  const z = standardised(ranks, x.length, y.length) ?? 0;
  return { u: ranks.sum - (x.length * (x.length + 1)) / 2, p: Math.min(1, 2 * normalTail(Math.abs(z))) };
}

/** Interval of the shift at `confidence`; undefined where all values tie and the test has no scale. */
export function shiftInterval(
  experiment: readonly number[],
  control: readonly number[],
  confidence: number,
): ShiftInterval | undefined {
  const x = ascending(experiment);
  const y = ascending(control);
  const leastShift = (x[0] ?? 0) - (y.at(-1) ?? 0);
  const mostShift = (x.at(-1) ?? 0) - (y[0] ?? 0);
  let hasScale = true;
  const zAt = (shift: number): number => {
    const z = standardised(rankSum(x, y, shift), x.length, y.length);
    if (z === undefined) hasScale = false;
    return z ?? 0;
  };
  const shiftWhere = (q: number): number => {
    if (zAt(leastShift) - q <= 0) return leastShift;
    if (zAt(mostShift) - q >= 0) return mostShift;
    return rootBetween((shift) => zAt(shift) - q, leastShift, mostShift);
  };
  const q = -normalQuantile((1 - confidence) / 2);
  const interval = { lower: shiftWhere(q), estimate: middle(zAt, leastShift, mostShift), upper: shiftWhere(-q) };
  return hasScale ? interval : undefined;
}

function middle(zAt: (shift: number) => number, leastShift: number, mostShift: number): number {
  if (zAt(leastShift) === 0) return leastShift;
  if (zAt(mostShift) === 0) return mostShift;
  return rootBetween(zAt, leastShift, mostShift);
}

interface Ranks {
  /** Of the first list in both together, ties sharing their mean rank. */
  readonly sum: number;
  /** Sum over groups of ties of t^3 - t. */
  readonly ties: number;
}

/** Ranks of x - shift among y; both ascending, so one merge suffices. */
function rankSum(x: Float64Array, y: Float64Array, shift: number): Ranks {
  let [i, j, sum, ties] = [0, 0, 0, 0];
  while (i < x.length || j < y.length) {
    const value = Math.min(i < x.length ? at(x, i) - shift : Infinity, j < y.length ? at(y, j) : Infinity);
    const [fromX, before] = [i, i + j];
    while (i < x.length && at(x, i) - shift === value) i++;
    while (j < y.length && at(y, j) === value) j++;
    const group = i + j - before;
    sum += (i - fromX) * (before + (group + 1) / 2);
    ties += group ** 3 - group;
  }
  return { sum, ties };
}

function standardised({ sum, ties }: Ranks, m: number, n: number): number | undefined {
  const distance = sum - (m * (m + 1)) / 2 - (m * n) / 2;
  const sd = Math.sqrt(((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1))));
  return sd > 0 ? (distance - 0.5 * Math.sign(distance)) / sd : undefined;
}

function ascending(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? Number.NaN;
}
