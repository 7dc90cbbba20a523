import type { Clock } from "../../core/clock.ts";
import { LIMITS } from "../../core/limits.ts";

/** How often somebody may ask. */
export interface Rate {
  readonly perSecond: number;
  /** As many may come at once. */
  readonly burst: number;
}

/** Keeps count of who asks how often. */
export interface RateLimit {
  /** Takes one of what `who` has left; answers the seconds to wait where there is none. */
  take(who: string, rate: Rate): { readonly kind: "go" } | { readonly kind: "wait"; readonly seconds: number };
}

/** Token buckets, one each, filled by the monotonic clock. */
export function rateLimit(clock: Pick<Clock, "monotonicMs">): RateLimit {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return {
    take: (who, { perSecond, burst }) => {
      const nowMs = clock.monotonicMs();
      const bucket = buckets.get(who) ?? { tokens: burst, atMs: nowMs };
      const tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond);
      // Put back at the end, so that the first of the map is the one that was quiet longest.
      buckets.delete(who);
      buckets.set(who, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
      forgetQuietest(buckets);
      return tokens >= 1 ? { kind: "go" } : { kind: "wait", seconds: Math.ceil((1 - tokens) / perSecond) };
    },
  };
}

function forgetQuietest(buckets: Map<string, unknown>): void {
  const [quietest] = buckets.keys();
  if (buckets.size > LIMITS.gateRatesMax && quietest !== undefined) buckets.delete(quietest);
}
