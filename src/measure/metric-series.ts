import type { Role } from "../mirror/twin.ts";
import type { MetricSample } from "../replay/recording.ts";
import type { Arms } from "./arm-series.ts";

/** Readings of one thing on one twin, ascending in time. */
export interface Readings {
  readonly atMs: readonly number[];
  readonly value: readonly number[];
}

/** Consecutive blocks on the run's axis. */
export interface BlockGrid {
  readonly fromMs: number;
  readonly blockMs: number;
  readonly count: number;
}

/** All readings so far, by key. */
export interface MetricLog {
  readonly add: (sample: MetricSample) => void;
  readonly keys: () => readonly string[];
  readonly readings: (key: string) => Arms<Readings> | undefined;
}

/** Readings further apart than this are a gap, not a straight line; at least this long, else half a block. */
const GAP_MS_MAX = 5000;
/** A block whose counter is known for less than this share of its time is no block. */
const KNOWN_SHARE_MIN = 0.8;
/** A block whose gauge has no more than this share of its usual readings is no block: the few may be the harmless ones. */
const COVERED_SHARE_MIN = 0.5;
/** The first gaps of a log tell the usual one: they are from before anything was done, and later trouble cannot stretch them. */
const USUAL_GAPS = 60;

/** An empty log. A reading that is no number, or that goes back in time, is no reading. */
export function createMetricLog(): MetricLog {
  const byKey = new Map<string, Record<Role, { atMs: number[]; value: number[] }>>();
  const add = ({ atMs, role, key, value }: MetricSample): void => {
    let arms = byKey.get(key);
    if (arms === undefined) {
      arms = { control: { atMs: [], value: [] }, shadow: { atMs: [], value: [] } };
      byKey.set(key, arms);
    }
    const readings = arms[role];
    if (!Number.isFinite(value) || !Number.isFinite(atMs) || atMs <= (readings.atMs.at(-1) ?? -Infinity)) return;
    readings.atMs.push(atMs);
    readings.value.push(value);
  };
  return { add, keys: () => [...byKey.keys()], readings: (key) => byKey.get(key) };
}

/**
 * Increase per second of a cumulative counter in each block; undefined where too little of the block is known.
 * Between two readings the counter grows in a straight line. Where it falls, a replica was removed or restarted: what
 * happened between those two readings is unknown (neither zero nor the whole new value) and left out of the rate.
 */
export function counterRates(readings: Readings, grid: BlockGrid): readonly (number | undefined)[] {
  const increase = new Float64Array(grid.count);
  const knownMs = new Float64Array(grid.count);
  const gapMs = Math.max(GAP_MS_MAX, grid.blockMs / 2);
  const start = Math.max(1, firstAfter(readings.atMs, grid.fromMs));
  const endMs = grid.fromMs + grid.count * grid.blockMs;
  for (let i = start; i < readings.atMs.length; i++) {
    const fromMs = readings.atMs[i - 1] ?? 0;
    const toMs = readings.atMs[i] ?? 0;
    if (fromMs >= endMs) break;
    const grown = (readings.value[i] ?? 0) - (readings.value[i - 1] ?? 0);
    if (grown < 0 || toMs - fromMs > gapMs) continue;
    spread({ fromMs, toMs, grown }, grid, increase, knownMs);
  }
  return Array.from(increase, (grown, block) => {
    const known = knownMs[block] ?? 0;
    return known < KNOWN_SHARE_MIN * grid.blockMs ? undefined : grown / (known / 1000);
  });
}

/** Median of the first gaps between readings, ms; undefined before the second reading. */
export function usualGapMs({ atMs }: Readings): number | undefined {
  const gaps = atMs.slice(1, USUAL_GAPS + 1).map((at, i) => at - (atMs[i] ?? 0));
  return gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)];
}

/**
 * For how much of a window, ms, there is a reading that is no older than `everyMs`. Not their number: readings that were put
 * off while a twin was slow to answer, and then come at once, stand for one moment only.
 */
export function coveredMs(
  { atMs }: Readings,
  window: { readonly fromMs: number; readonly toMs: number },
  everyMs: number,
): number {
  let total = 0;
  for (let i = Math.max(0, firstAfter(atMs, window.fromMs) - 1); i < atMs.length; i++) {
    const at = atMs[i] ?? 0;
    if (at >= window.toMs) break;
    const untilMs = Math.min(at + everyMs, atMs[i + 1] ?? Infinity, window.toMs);
    total += Math.max(0, untilMs - Math.max(at, window.fromMs));
  }
  return total;
}

/**
 * Mean of the readings inside each block; undefined with fewer than 5 per 30 s (at least 2), or with less than half of what
 * `everyMs`, the usual gap between them, leads to expect.
 */
export function gaugeMeans(readings: Readings, grid: BlockGrid, everyMs = 0): readonly (number | undefined)[] {
  const totals = new Float64Array(grid.count);
  const counts = new Uint32Array(grid.count);
  for (let i = firstAfter(readings.atMs, grid.fromMs, "inclusive"); i < readings.atMs.length; i++) {
    const block = Math.floor(((readings.atMs[i] ?? 0) - grid.fromMs) / grid.blockMs);
    if (block >= grid.count) break;
    totals[block] = (totals[block] ?? 0) + (readings.value[i] ?? 0);
    counts[block] = (counts[block] ?? 0) + 1;
  }
  const least = Math.max(2, Math.ceil((5 * grid.blockMs) / 30_000));
  return Array.from(totals, (total, block) => {
    const count = counts[block] ?? 0;
    const fromMs = grid.fromMs + block * grid.blockMs;
    const stretch = { fromMs, toMs: fromMs + grid.blockMs };
    const isCovered = everyMs === 0 || coveredMs(readings, stretch, everyMs) >= COVERED_SHARE_MIN * grid.blockMs;
    return count < least || !isCovered ? undefined : total / count;
  });
}

function spread(
  step: { readonly fromMs: number; readonly toMs: number; readonly grown: number },
  grid: BlockGrid,
  increase: Float64Array,
  knownMs: Float64Array,
): void {
  const first = Math.max(0, Math.floor((step.fromMs - grid.fromMs) / grid.blockMs));
  const last = Math.min(grid.count - 1, Math.floor((step.toMs - grid.fromMs) / grid.blockMs));
  for (let block = first; block <= last; block++) {
    const blockFromMs = grid.fromMs + block * grid.blockMs;
    const sharedMs = Math.min(step.toMs, blockFromMs + grid.blockMs) - Math.max(step.fromMs, blockFromMs);
    if (sharedMs <= 0) continue;
    increase[block] = (increase[block] ?? 0) + (step.grown * sharedMs) / (step.toMs - step.fromMs);
    knownMs[block] = (knownMs[block] ?? 0) + sharedMs;
  }
}

/** Index of the first reading after `ms` (or at it, when inclusive). */
function firstAfter(atMs: readonly number[], ms: number, edge: "exclusive" | "inclusive" = "exclusive"): number {
  let low = 0;
  let high = atMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = atMs[middle] ?? 0;
    if (edge === "inclusive" ? at < ms : at <= ms) low = middle + 1;
    else high = middle;
  }
  return low;
}
