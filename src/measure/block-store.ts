import type { MetricSample, PairBatch, Window } from "../replay/recording.ts";
import type { Arms } from "./arm-series.ts";
import type { BaseBlock } from "./base-block.ts";
import { createDelivery } from "./delivery.ts";
import { type BlockGrid, createMetricLog, type Readings } from "./metric-series.ts";
import { createPairLog, POSSIBLE_UNTIL_MS } from "./pair-log.ts";
import {
  basesBetween,
  createDigestScratch,
  type GrowingRequestPhase,
  growRequestPhase,
  type RequestPhase,
} from "./request-phase.ts";
import type { LateRule } from "./series.ts";

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
  /** Requests whose number was there before, or that are meant for a time before that of an earlier number. */
  readonly misnumbered: () => number;
  /** Whether a request that may be meant for a time before this, ms, has no outcome while later ones have. */
  readonly hasGapBefore: (ms: number) => boolean;
  /** Judge blocks of a window: whole multiples of base blocks from the first base block inside it. */
  readonly grid: (window: Window, blockMs: number) => BlockGrid;
  /** Requests of one route (undefined: all; a name that is unknown has none) in judge blocks; late seconds are left out unless kept. */
  readonly requests: (route: string | undefined, window: Window, blockMs: number, late?: LateRule) => RequestPhase;
  /** Base blocks that share time with a window: for budgets, where an error at the edge must not be missed. */
  readonly bases: (window: Window) => readonly BaseBlock[];
  readonly metricKeys: () => readonly string[];
  readonly readings: (key: string) => Arms<Readings> | undefined;
  /** Keeps what `build` answers, for what depends on settled requests only: until a pair arrives late or many others were asked. */
  readonly memo: <T>(key: string, build: () => T) => T;
}

/** How a store counts; all in ms. */
export interface BlockStoreOptions {
  readonly routes: readonly string[];
  readonly baseBlockMs?: number;
  /** Latency that a request without an answer counts with, at least: the longest time-out of the traffic. */
  readonly noAnswerMs?: number;
  /** Send lag beyond which a request is late; each twin's own, so that a stagger between them is none. */
  readonly lateAfterMs?: number;
}

/** An empty store. Base blocks are 1 s, no answer counts as 5 s, late is 10 ms unless told otherwise. */
export function createBlockStore(options: BlockStoreOptions): BlockStore {
  const { routes, baseBlockMs = 1000, noAnswerMs = 5000, lateAfterMs = 10 } = options;
  const pairs = createPairLog({ baseBlockMs, noAnswerMs, lateAfterMs, routeCount: routes.length });
  const metrics = createMetricLog();
  const delivery = createDelivery();
  const cache = createCache();
  const scratch = createDigestScratch();

  const grid = (window: Window, blockMs: number): BlockGrid => {
    const { fromMs, toMs } = possible(window);
    const first = Math.ceil(fromMs / baseBlockMs);
    const wholeBases = Math.floor(toMs / baseBlockMs) - first;
    const basesPerBlock = Math.max(1, Math.round(blockMs / baseBlockMs));
    const count = Math.max(0, Math.floor(wholeBases / basesPerBlock));
    return {
      fromMs: Number.isFinite(first) ? first * baseBlockMs : 0,
      blockMs: basesPerBlock * baseBlockMs,
      count: Number.isFinite(count) ? count : 0,
    };
  };
  const requests: BlockStore["requests"] = (route, window, blockMs, late = "left-out") => {
    const blocks = grid(window, blockMs);
    const firstBase = blocks.fromMs / baseBlockMs;
    const basesPerBlock = blocks.blockMs / baseBlockMs;
    cache.consume(firstBase + blocks.count * basesPerBlock);
    const growing = cache.digest(`${late} ${firstBase} ${basesPerBlock} ${route ?? ""}`, () =>
      growRequestPhase(
        pairs.block,
        { firstBase, basesPerBlock },
        { route: route === undefined ? undefined : routes.indexOf(route), late, scratch },
      ),
    );
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
    misnumbered: delivery.misnumbered,
    hasGapBefore: (ms) => delivery.waiting() > 0 && delivery.untilMs() < ms,
    grid,
    requests,
    bases: (window) => {
      const { fromMs, toMs } = possible(window);
      if (!(toMs > fromMs)) return [];
      return basesBetween(pairs.block, Math.floor(fromMs / baseBlockMs), Math.ceil(toMs / baseBlockMs));
    },
    metricKeys: metrics.keys,
    readings: metrics.readings,
    memo: cache.keep,
  };
}

/** The part of a window in which pairs can be: beyond it there is nothing to count, block by block without end. */
function possible({ fromMs, toMs }: Window): Window {
  return { fromMs: Math.max(0, fromMs), toMs: Math.min(toMs, POSSIBLE_UNTIL_MS) };
}

/**
 * Answers about windows that are kept: every length of block of the baseline and its halves, of 50 SLOs. A baseline that
 * grows by a second asks about a new window at every look; without an end to it, two hours would fill gigabytes.
 */
const ANSWERS_MAX = 400;

/** Digests of settled base blocks, and what was answered from them; a pair that lands among them empties both. */
function createCache() {
  const digests = new Map<string, GrowingRequestPhase>();
  const answers = new Map<string, unknown>();
  let consumedUntil = Number.NEGATIVE_INFINITY;
  return {
    consume: (untilBase: number): void => {
      consumedUntil = Math.max(consumedUntil, untilBase);
    },
    touch: (lowestBase: number): void => {
      if (lowestBase >= consumedUntil) return;
      digests.clear();
      answers.clear();
    },
    digest: (key: string, build: () => GrowingRequestPhase): GrowingRequestPhase => {
      const digest = digests.get(key) ?? build();
      digests.set(key, digest);
      return digest;
    },
    /** Keeps those that were asked for last. */
    keep: <T>(key: string, build: () => T): T => {
      const answer = answers.has(key) ? (answers.get(key) as T) : build();
      answers.delete(key);
      answers.set(key, answer);
      for (const oldest of answers.keys()) {
        if (answers.size <= ANSWERS_MAX) break;
        answers.delete(oldest);
      }
      return answer;
    },
  };
}
