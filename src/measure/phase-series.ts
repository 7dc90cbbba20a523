import { differenceOf, type EffectScale, meanArm, ratioArm, sum } from "./arm-series.ts";
import type { BlockStore } from "./block-store.ts";
import { histogramBlocks, quantileOfBuckets } from "./bucket-phase.ts";
import { quantilePhase } from "./latency-phase.ts";
import { counterRates, gaugeMeans, type Readings, usualGapMs } from "./metric-series.ts";
import { FLOOR_LOG, type NoSeries, nothingWhy, type PairCounts, type PhaseQuery, type PhaseSeries } from "./series.ts";
import { type Measure, measureKey } from "./slo.ts";

/** The series of one measure in one phase (STATISTICS.md 2); never throws, whatever the data. */
export function phaseSeries(store: BlockStore, query: PhaseQuery): PhaseSeries {
  const { measure } = query;
  switch (measure.kind) {
    case "latency":
      return quantilePhase(store, { ...query, measure });
    case "errors":
      return errorPhase(store, { ...query, measure });
    case "served":
    case "cpu":
    case "memory":
    case "counter":
    case "gauge":
    case "sql":
      return ratioPhase(query.scale, blockRatios(store, query));
    case "histogram":
      return quantileOfBuckets(histogramBlocks(store, { ...query, measure }), { ...query, measure });
  }
}

/** Measures that need nothing but requests, which are settled once they are delivered. */
function isOfRequests(measure: Measure): boolean {
  return measure.kind === "latency" || measure.kind === "errors" || measure.kind === "served";
}

/** `phaseSeries` of a window that is over, computed once (again only when a request arrives late). */
export function settledSeries(store: BlockStore, query: PhaseQuery): PhaseSeries {
  const { measure, scale, window, blockMs, late = "left-out" } = query;
  if (!isOfRequests(measure)) return phaseSeries(store, query);
  const key = `series ${measureKey(measure)} ${scale} ${window.fromMs} ${window.toMs} ${blockMs} ${late}`;
  return store.memo(key, () => phaseSeries(store, query));
}

/** Unit of `levels` as people read it. */
export function levelUnit(measure: Measure): string {
  switch (measure.kind) {
    case "latency":
      return "ms";
    case "errors":
      return "fraction";
    case "served":
    case "counter":
      return "per second";
    case "cpu":
      return "CPU s per request";
    case "memory":
      return "bytes";
    case "gauge":
    case "sql":
    case "histogram":
      return "";
  }
}

/** One value of each twin per block as top over bottom; undefined where a twin has none. */
export interface BlockRatio {
  readonly control: number;
  readonly shadow: number;
  readonly bottom: number;
}

/** Top and bottom of every ratio measure by block (also for drawing the level over time). */
export function blockRatios(store: BlockStore, query: PhaseQuery): readonly (BlockRatio | undefined)[] {
  const { measure, window, blockMs, late } = query;
  const grid = store.grid(window, blockMs);
  if (measure.kind === "served") {
    return store
      .requests(measure.route, window, blockMs, late)
      .blocks.map((block) => (block.valid ? { ...block.ok, bottom: grid.blockMs / 1000 } : undefined));
  }
  const readings = store.readings(measureKey(measure));
  if (readings === undefined) return Array.from({ length: grid.count }, () => undefined);
  const isCumulative = measure.kind === "counter" || measure.kind === "cpu";
  const everyMs = usualGapMs(readings.control);
  const perBlock = (of: Readings) => (isCumulative ? counterRates(of, grid) : gaugeMeans(of, grid, everyMs));
  const control = perBlock(readings.control);
  const shadow = perBlock(readings.shadow);
  const requests = measure.kind === "cpu" ? store.requests(undefined, window, blockMs, late).blocks : undefined;
  return control.map((controlRate, block) => {
    const shadowRate = shadow[block];
    if (controlRate === undefined || shadowRate === undefined) return undefined;
    if (measure.kind !== "cpu") return { control: controlRate, shadow: shadowRate, bottom: 1 };
    const load = requests?.[block];
    if (load === undefined || !load.valid) return undefined;
    const seconds = grid.blockMs / 1000;
    return { control: controlRate * seconds, shadow: shadowRate * seconds, bottom: load.size };
  });
}

function ratioPhase(scale: EffectScale, blocks: readonly (BlockRatio | undefined)[]): PhaseSeries {
  const valid = blocks.filter((block) => block !== undefined);
  const invalid = blocks.length - valid.length;
  const none = (why: string): NoSeries => ({ kind: "no-data", why, invalid, blocks: blocks.length });
  if (valid.length === 0) return none(nothingWhy(blocks.length));
  const bottoms = valid.map((block) => block.bottom);
  const tops = { control: valid.map((block) => block.control), shadow: valid.map((block) => block.shadow) };
  const level = { control: sum(tops.control) / sum(bottoms), shadow: sum(tops.shadow) / sum(bottoms) };
  if (scale === "log" && !(level.control > 0 && level.shadow >= 0)) {
    return none(`the control shows ${level.control}, of which nothing is a percentage; give the limit in units`);
  }
  const options = { scale, zeroAs: level.control };
  const arms = {
    control: ratioArm(tops.control, bottoms, options),
    shadow: ratioArm(tops.shadow, bottoms, options),
  };
  return {
    kind: "series",
    scale,
    ...differenceOf(arms),
    arms,
    floor: scale === "log" ? FLOOR_LOG : FLOOR_LOG * Math.abs(level.control),
    levels: level,
    invalid,
    observations: 0,
    constant: isConstant(tops.control) && isConstant(tops.shadow),
  };
}

function errorPhase(
  store: BlockStore,
  query: PhaseQuery & { readonly measure: Extract<Measure, { kind: "errors" }> },
): PhaseSeries {
  const { blocks, valid } = store.requests(query.measure.route, query.window, query.blockMs, query.late);
  const { failing, pairs, size: requests } = valid;
  const count = valid.places.length;
  const invalid = blocks.length - count;
  if (count === 0) return { kind: "no-data", why: nothingWhy(blocks.length), invalid, blocks: blocks.length };
  const arms = { control: meanArm(failing.control), shadow: meanArm(failing.shadow) };
  return {
    kind: "series",
    scale: "absolute",
    ...differenceOf(arms),
    arms,
    floor: errorFloor([pairs], count),
    levels: { control: (requests - valid.ok.control) / requests, shadow: (requests - valid.ok.shadow) / requests },
    invalid,
    observations: requests,
    pairs,
    constant: false,
  };
}

/**
 * Least believable sd of one block's error rate: that of the failures of one twin seen so far and three more, spread over
 * the blocks (rule of three), so that clean blocks do not look like certainty however time is cut (docs/decisions/0006).
 */
export function errorFloor(phases: readonly PairCounts[], blocks: number): number {
  const discordant = sum(phases.map(({ shadowOnly, controlOnly }) => shadowOnly + controlOnly));
  const requests = discordant + sum(phases.map(({ neither }) => neither));
  return Math.sqrt((discordant + 3) / blocks) / (requests / blocks);
}

function isConstant(values: readonly number[]): boolean {
  return values.every((value) => value === values[0]);
}
