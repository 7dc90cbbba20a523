import type { Clock } from "../core/clock.ts";

/**
 * The latest instant that is known to have passed, in milliseconds since the epoch: the latest wall clock ever shown, and the
 * monotonic time since. A wall clock that is set back does not bring it back, as long as the process lives.
 */
export function timePassed(clock: Pick<Clock, "epochMs" | "monotonicMs">): () => number {
  let startMs = clock.epochMs() - clock.monotonicMs();
  return () => {
    const monotonicMs = clock.monotonicMs();
    startMs = Math.max(startMs, clock.epochMs() - monotonicMs);
    return startMs + monotonicMs;
  };
}
