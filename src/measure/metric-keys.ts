import { type Measure, measureKey } from "./slo.ts";

// Readings of one measure share the key `measureKey(measure)`; each bucket of a histogram adds `#le=<bound>`.

const BUCKET = "#le=";

/** Key of one cumulative bucket of a histogram measure; `bound` is the bucket's upper edge, possibly Infinity. */
export function bucketKey(measure: Measure, bound: number): string {
  return `${measureKey(measure)}${BUCKET}${bound === Number.POSITIVE_INFINITY ? "+Inf" : String(bound)}`;
}

/** The upper edge if `key` is a bucket of this measure, else undefined. */
export function bucketBound(measure: Measure, key: string): number | undefined {
  const prefix = measureKey(measure) + BUCKET;
  if (!key.startsWith(prefix)) return undefined;
  const written = key.slice(prefix.length);
  const bound = written === "+Inf" ? Number.POSITIVE_INFINITY : Number(written);
  return Number.isNaN(bound) ? undefined : bound;
}
