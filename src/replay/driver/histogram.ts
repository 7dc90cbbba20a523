/** Counts of durations in buckets 1.1% wide: quantiles of any number of samples in constant memory. */
export interface Histogram {
  add(valueMs: number): void;
  /** Upper edge of the bucket that holds this quantile, ms; 0 if nothing was added. */
  quantile(q: number): number;
  /** Adds all counts of another. */
  merge(other: Histogram): void;
  clear(): void;
  readonly counts: Uint32Array;
}

const BUCKETS_PER_OCTAVE = 64;
/** One microsecond: below it everything is one bucket. */
const LOWEST_MS = 0.001;
/** 28 octaves above a microsecond are 268 s, longer than any time-out. */
const BUCKETS = 28 * BUCKETS_PER_OCTAVE;

/** An empty histogram. */
export function histogram(): Histogram {
  const counts = new Uint32Array(BUCKETS);
  return {
    counts,
    add: (valueMs) => {
      const bucket = valueMs <= LOWEST_MS ? 0 : Math.floor(Math.log2(valueMs / LOWEST_MS) * BUCKETS_PER_OCTAVE);
      const index = Math.min(BUCKETS - 1, bucket);
      counts[index] = (counts[index] ?? 0) + 1;
    },
    quantile: (q) => quantileOf(counts, q),
    merge: (other) => {
      for (let index = 0; index < BUCKETS; index++) counts[index] = (counts[index] ?? 0) + (other.counts[index] ?? 0);
    },
    clear: () => {
      counts.fill(0);
    },
  };
}

function quantileOf(counts: Uint32Array, q: number): number {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return 0;
  let left = Math.max(1, Math.ceil(q * total));
  for (const [index, count] of counts.entries()) {
    left -= count;
    if (left <= 0) return LOWEST_MS * 2 ** ((index + 1) / BUCKETS_PER_OCTAVE);
  }
  return LOWEST_MS * 2 ** (BUCKETS / BUCKETS_PER_OCTAVE);
}
