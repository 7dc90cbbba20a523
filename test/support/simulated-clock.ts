import type { Clock } from "../../src/core/clock.ts";
import { InvariantViolation } from "../../src/core/invariant.ts";

/** Time that moves by itself: whenever nothing else is left to do, it is the next sleeper's instant. */
export interface SimulatedClock extends Clock {
  /** Sleepers of the code under test that still wait; none may be left when a run has ended. */
  readonly sleeping: number;
  /** The world does something at an instant, ms; instants that never come do not count as sleepers. */
  at(instantMs: number, happen: () => void): void;
  /** The wall clock is set, forth or back; no duration may notice. */
  jump(byMs: number): void;
  /** Time stops for good. */
  stop(): void;
}

interface Sleeper {
  readonly wakeMs: number;
  readonly owner: "run" | "world";
  readonly wake: () => void;
}

/** Longer than any simulated run lasts: whoever still waits then waits for something that never comes. */
const END_OF_TIME_MS = 6 * 60 * 60_000;

/**
 * Starts at 0 ms. One sleeper is woken per turn of the event loop, in order of instants and then of falling asleep, so
 * that everything a wake-up causes has happened before time moves again: the same world always takes the same course.
 */
export function simulatedClock(startEpochMs = Date.UTC(2026, 0, 1)): SimulatedClock {
  const sleepers: Sleeper[] = [];
  let nowMs = 0;
  let jumpedMs = 0;
  let turning = false;
  let stopped = false;

  const turn = (): void => {
    turning = false;
    const next = stopped ? undefined : sleepers.shift();
    if (next === undefined) return;
    nowMs = next.wakeMs;
    next.wake();
    keepTurning();
  };
  const keepTurning = (): void => {
    if (turning || stopped || sleepers.length === 0) return;
    turning = true;
    setImmediate(turn);
  };
  const add = (sleeper: Sleeper): void => {
    const place = sleepers.findIndex((other) => other.wakeMs > sleeper.wakeMs);
    sleepers.splice(place === -1 ? sleepers.length : place, 0, sleeper);
    keepTurning();
  };
  const remove = (sleeper: Sleeper): void => {
    const place = sleepers.indexOf(sleeper);
    if (place >= 0) sleepers.splice(place, 1);
  };
  return {
    monotonicMs: () => nowMs,
    epochMs: () => startEpochMs + nowMs + jumpedMs,
    get sleeping() {
      return sleepers.filter((sleeper) => sleeper.owner === "run").length;
    },
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        if (nowMs > END_OF_TIME_MS) return reject(new InvariantViolation("a simulated run never ends"));
        const onAbort = (): void => {
          remove(sleeper);
          reject(signal.reason);
        };
        const wake = (): void => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        };
        const sleeper: Sleeper = { wakeMs: nowMs + Math.max(0, durationMs), owner: "run", wake };
        signal.addEventListener("abort", onAbort, { once: true });
        add(sleeper);
      }),
    at: (instantMs, happen) => add({ wakeMs: Math.max(nowMs, instantMs), owner: "world", wake: happen }),
    jump: (byMs) => {
      jumpedMs += byMs;
    },
    stop: () => {
      stopped = true;
    },
  };
}

/** A signal that never aborts, for what cannot be stopped. */
export const NEVER = new AbortController().signal;
