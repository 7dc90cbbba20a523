import type { BinTally } from "./bin-tally.ts";
import { BIN_COUNT } from "./log-bins.ts";
import { type BinCounts, binPart, type SparseBins, splitAtBin } from "./sample.ts";

/** Latencies of one twin in consecutive blocks, counted per bin, all in two lists: blocks are many and small. */
export interface BinnedBlocks {
  /** Appends a block; empties the tally. */
  readonly push: (tally: BinTally) => void;
  /** The block's own stretch; stays right while further blocks are appended, until then do not keep it. */
  readonly at: (block: number) => SparseBins;
  /** How many values of each of these blocks lie above a natural log, as `sparseBlock` counts them. */
  readonly above: (ln: number, blocks: readonly number[]) => number[];
}

/** Per block, how many values lie in a bin and how many above it. */
interface BinSplit {
  readonly above: number[];
  readonly within: number[];
}

/** Splits that are kept: a quantile's bin seldom changes between looks, and an SLO needs one of them. */
const SPLITS_MAX = 8;

/** No blocks yet. */
export function createBinnedBlocks(): BinnedBlocks {
  let bins = new Uint16Array(256);
  let until = new Uint32Array(256);
  const starts = [0];
  const splits = new Map<number, BinSplit>();
  const at = (block: number): SparseBins => ({ bins, until, from: starts[block] ?? 0, to: starts[block + 1] ?? 0 });
  const splitAt = (bin: number): BinSplit => {
    const split = splits.get(bin) ?? { above: [], within: [] };
    splits.delete(bin);
    splits.set(bin, split);
    for (const oldest of splits.keys()) {
      if (splits.size <= SPLITS_MAX) break;
      splits.delete(oldest);
    }
    for (let block = split.above.length; block < starts.length - 1; block++) {
      const { above, within } = splitAtBin(at(block), bin);
      split.above.push(above);
      split.within.push(within);
    }
    return split;
  };
  return {
    push: (tally) => {
      const from = starts.at(-1) ?? 0;
      const to = from + tally.used();
      if (to > bins.length) {
        const room = Math.max(to, bins.length + (bins.length >> 1));
        const [oldBins, oldUntil] = [bins, until];
        bins = new Uint16Array(room);
        until = new Uint32Array(room);
        bins.set(oldBins);
        until.set(oldUntil);
      }
      let next = from;
      let running = 0;
      tally.drain((bin, count) => {
        running += count;
        bins[next] = bin;
        until[next] = running;
        next++;
      });
      starts.push(to);
    },
    at,
    above: (ln, blocks) => {
      const part = binPart(ln);
      const { above, within } = splitAt(part.bin);
      return blocks.map((block) => (above[block] ?? 0) + (within[block] ?? 0) * part.above);
    },
  };
}

/** Empty counts over all bins. */
export function emptyBinCounts(): BinCounts {
  return { counts: new Uint32Array(BIN_COUNT), low: BIN_COUNT, high: -1, size: 0 };
}

/** Adds a stretch of counted bins to counts over all bins. */
export function addSparse(into: BinCounts, { bins, until, from, to }: SparseBins): void {
  const { counts } = into;
  let before = 0;
  for (let at = from; at < to; at++) {
    const bin = bins[at] ?? 0;
    const running = until[at] ?? 0;
    counts[bin] = (counts[bin] ?? 0) + running - before;
    before = running;
  }
  if (from === to) return;
  into.size += before;
  into.low = Math.min(into.low, bins[from] ?? 0);
  into.high = Math.max(into.high, bins[to - 1] ?? 0);
}
