import { invariant } from "../core/invariant.ts";
import { binAtLn, lnAtBin } from "./log-bins.ts";

/** The values of one twin in one block, as far as a pooled quantile needs them. */
export interface BlockSample {
  readonly size: number;
  /** How many values lie above this natural log; fractional where values are known by bin only. */
  readonly above: (ln: number) => number;
}

/** All values of one twin in a phase. */
export interface PooledSample {
  readonly size: number;
  /** Natural log of the type-7 quantile (Hyndman & Fan 1996), 0 <= p <= 1. */
  readonly lnQuantile: (p: number) => number;
}

/**
 * Type-7 quantile of ascending values.
 * @throws InvariantViolation on an empty list
 */
export function quantileOfSorted(ascending: ArrayLike<number>, p: number): number {
  invariant(ascending.length > 0, "a quantile needs values");
  return type7(ascending.length, p, (index) => ascending[index] ?? Number.NaN);
}

/** Exact values of one block, e.g. latencies in ms; all must be positive. */
export function rawBlock(values: readonly number[]): BlockSample & { readonly lns: readonly number[] } {
  const lns = values.map((value) => Math.log(value));
  return { size: lns.length, lns, above: (ln) => lns.reduce((count, value) => count + (value > ln ? 1 : 0), 0) };
}

/** All exact values of several blocks together. */
export function rawPool(blocks: readonly { readonly lns: readonly number[] }[]): PooledSample {
  const ascending = Float64Array.from(blocks.flatMap((block) => block.lns)).sort();
  return { size: ascending.length, lnQuantile: (p) => quantileOfSorted(ascending, p) };
}

/**
 * Values counted per bin, only bins in use, ascending; a stretch of longer lists. `until[i]` is how many values lie in the
 * stretch's bins up to `bins[i]`. Inside a bin they count as if spread evenly.
 */
export interface SparseBins {
  readonly bins: Uint16Array;
  readonly until: Uint32Array;
  readonly from: number;
  readonly to: number;
}

/** A stretch of counted bins as one block. */
export function sparseBlock(stretch: SparseBins): BlockSample {
  const { until, from, to } = stretch;
  return {
    size: to === from ? 0 : (until[to - 1] ?? 0),
    above: (ln) => {
      const { bin, above } = binPart(ln);
      const split = splitAtBin(stretch, bin);
      return split.above + split.within * above;
    },
  };
}

/** The bin that holds a natural log, and the part of its width that lies above it. */
export function binPart(ln: number): { readonly bin: number; readonly above: number } {
  const position = binAtLn(ln);
  const bin = Math.floor(position);
  return { bin, above: 1 - (position - bin) };
}

/** How many values lie in a bin, and how many above it. */
export function splitAtBin({ bins, until, from, to }: SparseBins, bin: number): { above: number; within: number } {
  if (to === from) return { above: 0, within: 0 };
  const at = firstAtLeast(bins, bin, { from, to });
  const first = at === from ? 0 : (until[at - 1] ?? 0);
  const next = at < to && bins[at] === bin ? (until[at] ?? 0) : first;
  return { above: (until[to - 1] ?? 0) - next, within: next - first };
}

/** A stretch of counted bins as one pool. */
export function sparsePool({ bins, until, from, to }: SparseBins): PooledSample {
  const size = to === from ? 0 : (until[to - 1] ?? 0);
  const lnOfRank = (rank: number): number => {
    const at = firstAtLeast(until, rank + 1, { from, to });
    const first = at === from ? 0 : (until[at - 1] ?? 0);
    return lnAtBin((bins[at] ?? 0) + (rank - first + 0.5) / ((until[at] ?? 0) - first));
  };
  return { size, lnQuantile: (p) => type7(size, p, lnOfRank) };
}

/** Values counted per bin; `low` and `high` are the first and last bin in use. */
export interface BinCounts {
  readonly counts: Uint32Array;
  low: number;
  high: number;
  size: number;
}

/** Counts per bin as one pool, as they are now. */
export function binnedPool(bins: BinCounts): PooledSample {
  const { counts, low, high, size } = bins;
  const until = new Float64Array(Math.max(0, high - low + 1));
  let running = 0;
  for (let i = 0; i < until.length; i++) {
    running += counts[low + i] ?? 0;
    until[i] = running;
  }
  const lnOfRank = (rank: number): number => {
    const i = firstAtLeast(until, rank + 1, { from: 0, to: until.length });
    const before = i === 0 ? 0 : (until[i - 1] ?? 0);
    return lnAtBin(low + i + (rank - before + 0.5) / ((until[i] ?? 0) - before));
  };
  return { size, lnQuantile: (p) => type7(size, p, lnOfRank) };
}

function type7(size: number, p: number, valueAt: (rank: number) => number): number {
  const position = (size - 1) * p;
  const rank = Math.floor(position);
  const low = valueAt(rank);
  return position === rank ? low : low + (position - rank) * (valueAt(Math.min(rank + 1, size - 1)) - low);
}

/** Index of the first value >= `least` among ascending ones of a stretch; its end if there is none. */
function firstAtLeast(
  ascending: ArrayLike<number>,
  least: number,
  stretch: { readonly from: number; readonly to: number },
): number {
  let low = stretch.from;
  let high = stretch.to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
