import type { PairBatch } from "../replay/recording.ts";
import { isPossibleTime } from "./pair-log.ts";

/** Follows the numbers of requests: what is missing may still be waiting for its answer. */
export interface Delivery {
  readonly add: (batch: PairBatch) => void;
  /** Every request intended up to here, ms, has its outcome; -Infinity before the first. */
  readonly untilMs: () => number;
  /** Requests whose number was there before, or that are meant for a time before that of an earlier number. */
  readonly misnumbered: () => number;
  /** Requests that have their outcome while an earlier one has none. */
  readonly waiting: () => number;
}

/** Requests that may have their outcome while an earlier one has none; far more than a driver has under way. */
const AHEAD_MAX = 500_000;

/** Nothing delivered yet. */
export function createDelivery(): Delivery {
  const ahead = new Map<number, number>();
  let next = 0;
  let untilMs = Number.NEGATIVE_INFINITY;
  let misnumbered = 0;
  let gaveUp = 0;
  const settle = (intendedMs: number): void => {
    next++;
    if (!isPossibleTime(intendedMs)) return;
    if (intendedMs < untilMs) misnumbered++;
    else untilMs = intendedMs;
  };
  const wait = (sequence: number, intendedMs: number): void => {
    ahead.set(sequence, intendedMs);
    if (ahead.size <= AHEAD_MAX) return;
    // The missing one will never come: nothing behind it counts as complete, and nothing more is remembered.
    gaveUp = ahead.size;
    ahead.clear();
  };
  const one = (sequence: number, intendedMs: number): void => {
    if (sequence === next) settle(intendedMs);
    else if (sequence < next || ahead.has(sequence)) misnumbered++;
    else wait(sequence, intendedMs);
    for (let at = ahead.get(next); at !== undefined; at = ahead.get(next)) {
      ahead.delete(next);
      settle(at);
    }
  };
  return {
    add: (batch) => {
      for (let i = 0; i < batch.size && gaveUp === 0; i++) {
        one(batch.sequence[i] ?? 0, batch.intendedMs[i] ?? Number.NaN);
      }
    },
    untilMs: () => untilMs,
    misnumbered: () => misnumbered,
    waiting: () => ahead.size + gaveUp,
  };
}
