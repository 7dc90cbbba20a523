import type { Role } from "../mirror/twin.ts";
import { type Arms, differenceOf, type EffectScale, quantileArm, sum } from "./arm-series.ts";
import type { BlockStore } from "./block-store.ts";
import { bucketBound } from "./metric-keys.ts";
import { counterRates } from "./metric-series.ts";
import type { BlockSample, PooledSample } from "./sample.ts";
import { FLOOR_LOG, type NoSeries, naturalLevel, nothingWhy, type PhaseQuery, type PhaseSeries } from "./series.ts";
import type { Measure } from "./slo.ts";

/** Below the first bound nothing is known; values there are taken as spread over one decade. */
const FIRST_BUCKET_RATIO = 10;

type HistogramQuery = PhaseQuery & { readonly measure: Extract<Measure, { kind: "histogram" }> };

/** Increases of a scraped histogram: per judge block and twin, observations per bucket; undefined where unknown. */
export interface BucketBlocks {
  /** Ascending upper edges, the last one Infinity. */
  readonly bounds: readonly number[];
  readonly blocks: readonly (Arms<readonly number[]> | undefined)[];
}

/** Reads the cumulative buckets of a histogram measure from the store. */
export function histogramBlocks(store: BlockStore, query: HistogramQuery): BucketBlocks {
  const grid = store.grid(query.window, query.blockMs);
  const buckets = store
    .metricKeys()
    .flatMap((key) => {
      const bound = bucketBound(query.measure, key);
      const readings = store.readings(key);
      return bound === undefined || readings === undefined ? [] : [{ bound, readings }];
    })
    .sort((a, b) => a.bound - b.bound)
    .map(({ bound, readings }) => ({
      bound,
      control: counterRates(readings.control, grid),
      shadow: counterRates(readings.shadow, grid),
    }));
  const seconds = grid.blockMs / 1000;
  const countsOf = (role: Role, block: number): readonly number[] | undefined => {
    const cumulative = buckets.map((bucket) => bucket[role][block]);
    if (cumulative.length === 0 || cumulative.includes(undefined)) return undefined;
    return cumulative.map((rate, i) => Math.max(0, (rate ?? 0) - (cumulative[i - 1] ?? 0)) * seconds);
  };
  const blocks = Array.from({ length: grid.count }, (_, block) => {
    const control = countsOf("control", block);
    const shadow = countsOf("shadow", block);
    return control === undefined || shadow === undefined ? undefined : { control, shadow };
  });
  return { bounds: buckets.map((bucket) => bucket.bound), blocks };
}

/** Pooled quantile of bucket increases, the same method as for latencies on coarser bins. */
export function quantileOfBuckets(histogram: BucketBlocks, query: HistogramQuery): PhaseSeries {
  const { bounds, blocks } = histogram;
  const valid = blocks.filter((block) => block !== undefined);
  const invalid = blocks.length - valid.length;
  const none = (why: string): NoSeries => ({ kind: "no-data", why, invalid, blocks: blocks.length });
  if (valid.length === 0) return none(nothingWhy(blocks.length));
  const options = { quantile: query.measure.quantile, scale: query.scale };
  const samples = { control: [] as BlockSample[], shadow: [] as BlockSample[] };
  for (const block of valid) {
    samples.control.push(bucketSample(bounds, block.control));
    samples.shadow.push(bucketSample(bounds, block.shadow));
  }
  const totals = (role: Role): readonly number[] =>
    bounds.map((_, i) => sum(valid.map((block) => block[role][i] ?? 0)));
  const pools = { control: bucketSample(bounds, totals("control")), shadow: bucketSample(bounds, totals("shadow")) };
  const observations = Math.min(pools.control.size, pools.shadow.size);
  if (!(observations > 0)) return none("a twin observed nothing");
  const arms = {
    control: quantileArm(pools.control, samples.control, options),
    shadow: quantileArm(pools.shadow, samples.shadow, options),
  };
  const difference = differenceOf(arms);
  if (!Number.isFinite(difference.estimate) || difference.influence.some((value) => !Number.isFinite(value))) {
    return none("the quantile lies beyond the histogram's last bucket");
  }
  const levels = {
    control: naturalLevel(arms.control.estimate, query.scale),
    shadow: naturalLevel(arms.shadow.estimate, query.scale),
  };
  const oneBucket = (role: Role): boolean => totals(role).filter((count) => count > 0).length <= 1;
  return {
    kind: "series",
    scale: query.scale,
    ...difference,
    arms,
    floor: query.scale === "log" ? FLOOR_LOG : FLOOR_LOG * levels.control,
    levels,
    invalid,
    observations,
    constant: oneBucket("control") && oneBucket("shadow"),
    edges: edgesOf(bounds, query.scale),
  };
}

/** From zero, below which a histogram is taken to count nothing, to what lies above every value. */
function edgesOf(bounds: readonly number[], scale: EffectScale): readonly number[] {
  const edges = [0, ...bounds.filter((bound) => bound > 0 && bound < Infinity), Number.POSITIVE_INFINITY];
  return scale === "log" ? edges.map((edge) => Math.log(edge)) : edges;
}

/** Counts per bucket as a sample, spread evenly on the log axis inside each bucket. */
export function bucketSample(bounds: readonly number[], counts: readonly number[]): BlockSample & PooledSample {
  const size = sum(counts);
  const edge = (i: number): number => Math.log(i < 0 ? (bounds[0] ?? 1) / FIRST_BUCKET_RATIO : (bounds[i] ?? Infinity));
  const above = (ln: number): number => {
    let left = size;
    for (const [i, count] of counts.entries()) {
      if (edge(i) > ln) return left - (count * Math.max(0, ln - edge(i - 1))) / (edge(i) - edge(i - 1));
      left -= count;
    }
    return 0;
  };
  const lnQuantile = (p: number): number => {
    let before = 0;
    for (const [i, count] of counts.entries()) {
      if (count > 0 && before + count >= p * size) {
        return edge(i - 1) + ((edge(i) - edge(i - 1)) * Math.max(0, p * size - before)) / count;
      }
      before += count;
    }
    return Number.POSITIVE_INFINITY;
  };
  return { size, above, lnQuantile };
}
