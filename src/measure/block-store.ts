import type { MetricSample, PairBatch, Window } from "../replay/recording.ts";
import type { Arms } from "./arm-series.ts";
import { type BlockGrid, createMetricLog, type Readings } from "./metric-series.ts";
import { type BaseBlock, createPairLog } from "./pair-log.ts";
import { basesBetween, type GrowingRequestPhase, growRequestPhase, type RequestPhase } from "./request-phase.ts";

/** Everything measured so far, in base blocks of intended time; the only thing in this folder that changes. */
export interface BlockStore {
  readonly routes: readonly string[];
  readonly baseBlockMs: number;
  readonly addPairs: (batch: PairBatch) => void;
  readonly addMetric: (sample: MetricSample) => void;
  /**
   * Every request intended up to here, ms, has its outcome (request numbers without a gap). Looking further would
   * miss the slow answers and be too kind. -Infinity before the first.
   */
  readonly deliveredUntilMs: () => number;
  /** Pairs whose intended time cannot be. */
  readonly malformed: () => number;
  /** Judge blocks of a window: whole multiples of base blocks from the first base block inside it. */
  readonly grid: (window: Window, blockMs: number) => BlockGrid;
  /** Requests of one route (undefined: all; a name that is unknown has none) in judge blocks. */
  readonly requests: (route: string | undefined, window: Window, blockMs: number) => RequestPhase;
  /** Base blocks that share time with a window: for budgets, where an error at the edge must not be missed. */
  readonly bases: (window: Window) => readonly BaseBlock[];
  readonly metricKeys: () => readonly string[];
  readonly readings: (key: string) => Arms<Readings> | undefined;
  /** Keeps what `build` answers until a pair arrives late, for what depends on settled requests only. */
  readonly memo: <T>(key: string, build: () => T) => T;
}

/** How a store counts; all in ms. */
export interface BlockStoreOptions {
  readonly routes: readonly string[];
  readonly baseBlockMs?: number;
  /** Latency that a request without an answer counts with, at least: the longest time-out of the traffic. */
  readonly noAnswerMs?: number;
  /** Send lag beyond which a request is late; add the traffic's stagger. */
  readonly lateAfterMs?: number;
}

/** An empty store. Base blocks are 1 s, no answer counts as 5 s, late is 10 ms unless told otherwise. */
export function createBlockStore(options: BlockStoreOptions): BlockStore {
  const { routes, baseBlockMs = 1000, noAnswerMs = 5000, lateAfterMs = 10 } = options;
  const pairs = createPairLog({ baseBlockMs, noAnswerMs, lateAfterMs, routeCount: routes.length });
  const metrics = createMetricLog();
  const delivery = trackDelivery();
  const cache = createCache();

  const grid = (window: Window, blockMs: number): BlockGrid => {
    const first = Math.ceil(window.fromMs / baseBlockMs);
    const wholeBases = Math.floor(window.toMs / baseBlockMs) - first;
    const basesPerBlock = Math.max(1, Math.round(blockMs / baseBlockMs));
    const count = Math.max(0, Math.floor(wholeBases / basesPerBlock));
    return {
      fromMs: first * baseBlockMs,
      blockMs: basesPerBlock * baseBlockMs,
      count: Number.isFinite(count) ? count : 0,
    };
  };
  const requests = (route: string | undefined, window: Window, blockMs: number): RequestPhase => {
    const blocks = grid(window, blockMs);
    const firstBase = blocks.fromMs / baseBlockMs;
    const basesPerBlock = blocks.blockMs / baseBlockMs;
    cache.consume(firstBase + blocks.count * basesPerBlock);
    const growing = cache.keep(`requests ${route ?? ""} ${firstBase} ${basesPerBlock}`, () =>
      growRequestPhase(
        pairs.blocks,
        { firstBase, basesPerBlock },
        route === undefined ? undefined : routes.indexOf(route),
      ),
    ) as GrowingRequestPhase;
    return growing.upTo(blocks.count);
  };
  return {
    routes,
    baseBlockMs,
    addPairs: (batch) => {
      cache.touch(pairs.add(batch));
      delivery.add(batch);
    },
    addMetric: metrics.add,
    deliveredUntilMs: delivery.untilMs,
    malformed: pairs.malformed,
    grid,
    requests,
    bases: ({ fromMs, toMs }) =>
      toMs > fromMs ? basesBetween(pairs.blocks, Math.floor(fromMs / baseBlockMs), Math.ceil(toMs / baseBlockMs)) : [],
    metricKeys: metrics.keys,
    readings: metrics.readings,
    memo: cache.keep,
  };
}

/** Digests of settled base blocks; a pair that lands among them empties it. */
function createCache() {
  const kept = new Map<string, unknown>();
  let consumedUntil = Number.NEGATIVE_INFINITY;
  return {
    consume: (untilBase: number): void => {
      consumedUntil = Math.max(consumedUntil, untilBase);
    },
    touch: (lowestBase: number): void => {
      if (lowestBase < consumedUntil) kept.clear();
    },
    keep: <T>(key: string, build: () => T): T => {
      if (!kept.has(key)) kept.set(key, build());
      return kept.get(key) as T;
    },
  };
}

/** Follows the request numbers: what is missing may still be waiting for its answer. */
function trackDelivery() {
  const ahead = new Map<number, number>();
  let next = 0;
  let untilMs = Number.NEGATIVE_INFINITY;
  const settle = (intendedMs: number): void => {
    next++;
    if (intendedMs > untilMs) untilMs = intendedMs;
  };
  const add = (batch: PairBatch): void => {
    for (let i = 0; i < batch.size; i++) {
      const sequence = batch.sequence[i] ?? 0;
      const intendedMs = batch.intendedMs[i] ?? Number.NaN;
      if (sequence === next) settle(intendedMs);
      else if (sequence > next) ahead.set(sequence, intendedMs);
      while (ahead.size > 0 && ahead.has(next)) {
        const waiting = next;
        settle(ahead.get(waiting) ?? Number.NaN);
        ahead.delete(waiting);
      }
    }
  };
  return { add, untilMs: () => untilMs };
}
