import { BIN_COUNT } from "./log-bins.ts";

/** Counts per latency bin that are filled, read in ascending order and emptied again, over and over. */
export interface BinTally {
  readonly add: (bin: number, count: number) => void;
  /** Bins in use. */
  readonly used: () => number;
  /** Tells every bin in use with its count, ascending, and forgets it. */
  readonly drain: (tell: (bin: number, count: number) => void) => void;
}

/** An empty tally; 66 kB, so keep one and reuse it. */
export function createBinTally(): BinTally {
  const counts = new Uint32Array(BIN_COUNT);
  // One bit a bin: draining looks at 512 words instead of 16,384 counts.
  const inUse = new Int32Array(BIN_COUNT >> 5);
  let used = 0;
  return {
    add: (bin, count) => {
      const before = counts[bin] ?? 0;
      if (before === 0) {
        used++;
        inUse[bin >> 5] = (inUse[bin >> 5] ?? 0) | (1 << (bin & 31));
      }
      counts[bin] = before + count;
    },
    used: () => used,
    drain: (tell) => {
      for (let word = 0; word < inUse.length && used > 0; word++) {
        let bits = inUse[word] ?? 0;
        inUse[word] = 0;
        while (bits !== 0) {
          const bin = (word << 5) + 31 - Math.clz32(bits & -bits);
          bits &= bits - 1;
          const count = counts[bin] ?? 0;
          counts[bin] = 0;
          used--;
          tell(bin, count);
        }
      }
    },
  };
}
