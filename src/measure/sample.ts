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

/** Ascending codes of a block (`bin << 2 | state`): 2 bytes a value, counted inside a bin as if spread evenly. */
export function codedBlock(codes: Uint16Array): BlockSample {
  return {
    size: codes.length,
    above: (ln) => {
      const position = binAtLn(ln);
      const bin = Math.floor(position);
      const first = firstAtLeast(codes, bin << 2);
      const next = firstAtLeast(codes, (bin + 1) << 2);
      return codes.length - next + (next - first) * (1 - (position - bin));
    },
  };
}

/** Ascending codes as one pool. */
export function codedPool(codes: Uint16Array): PooledSample {
  const lnOfRank = (rank: number): number => {
    const bin = (codes[rank] ?? 0) >> 2;
    const first = firstAtLeast(codes, bin << 2);
    const next = firstAtLeast(codes, (bin + 1) << 2);
    return lnAtBin(bin + (rank - first + 0.5) / (next - first));
  };
  return { size: codes.length, lnQuantile: (p) => type7(codes.length, p, lnOfRank) };
}

/** Counts per bin as one pool; `counts` may grow later, the pool always reads the present. */
export function binnedPool(counts: Uint32Array, size: number): PooledSample {
  const lnOfRank = (rank: number): number => {
    let before = 0;
    for (let bin = 0; bin < counts.length; bin++) {
      const here = counts[bin] ?? 0;
      if (before + here > rank) return lnAtBin(bin + (rank - before + 0.5) / here);
      before += here;
    }
    return Number.NaN;
  };
  return { size, lnQuantile: (p) => type7(size, p, lnOfRank) };
}

function type7(size: number, p: number, valueAt: (rank: number) => number): number {
  const position = (size - 1) * p;
  const rank = Math.floor(position);
  const low = valueAt(rank);
  return position === rank ? low : low + (position - rank) * (valueAt(Math.min(rank + 1, size - 1)) - low);
}

/** Index of the first code >= `least`; the length if there is none. */
function firstAtLeast(codes: Uint16Array, least: number): number {
  let low = 0;
  let high = codes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((codes[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
