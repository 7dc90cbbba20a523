import type { Clock } from "../../src/core/clock.ts";

/** A clock that tests move by hand. */
export interface ManualClock extends Clock {
  advance(durationMs: number): void;
  /** Sleepers that wait for time to pass; none may be left when a test ends. */
  readonly sleeping: number;
}

/** Starts at 0 ms; time passes only through `advance`. */
export function manualClock(startEpochMs = Date.UTC(2026, 0, 1)): ManualClock {
  let nowMs = 0;
  const sleepers = new Set<{ readonly wakeMs: number; readonly wake: () => void }>();
  return {
    monotonicMs: () => nowMs,
    epochMs: () => startEpochMs + nowMs,
    get sleeping() {
      return sleepers.size;
    },
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const sleeper = { wakeMs: nowMs + durationMs, wake: resolve };
        sleepers.add(sleeper);
        signal.addEventListener(
          "abort",
          () => {
            sleepers.delete(sleeper);
            reject(signal.reason);
          },
          { once: true },
        );
      }),
    advance: (durationMs) => {
      nowMs += durationMs;
      for (const sleeper of sleepers) if (sleeper.wakeMs <= nowMs && sleepers.delete(sleeper)) sleeper.wake();
    },
  };
}
