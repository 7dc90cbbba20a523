import { invariant } from "../../core/invariant.ts";
import type { TrafficSpec } from "../traffic-spec.ts";

/** An endless list of instants, ms from the start of the traffic, ascending; drawn one by one, so hours need no memory. */
export interface Arrivals {
  next(): number;
}

/**
 * Arrivals at `ratePerSecond`: a Poisson process, even spacing, or a Poisson process whose rate climbs first.
 * Method: a unit-rate process mapped through the inverse of the expected count (time change).
 */
export function startArrivals(options: {
  readonly kind: TrafficSpec["arrivals"];
  readonly ratePerSecond: number;
  readonly random: () => number;
}): Arrivals {
  const { kind, ratePerSecond, random } = options;
  invariant(ratePerSecond > 0, "arrivals need a rate");
  let expectedCount = 0;
  const toMs =
    kind.kind === "ramp"
      ? rampInstantMs(kind, ratePerSecond)
      : (count: number): number => (count / ratePerSecond) * 1000;
  return {
    next: () => {
      // `1 - random()` keeps the logarithm away from zero.
      expectedCount += kind.kind === "constant" ? 1 : -Math.log(1 - random());
      return toMs(expectedCount);
    },
  };
}

/** The instant at which a rate climbing linearly, then constant, has brought `count` arrivals on average. */
function rampInstantMs(
  ramp: { readonly fromRatePerSecond: number; readonly overSeconds: number },
  ratePerSecond: number,
): (count: number) => number {
  const { fromRatePerSecond, overSeconds } = ramp;
  const slope = (ratePerSecond - fromRatePerSecond) / overSeconds;
  const countOnRamp = ((fromRatePerSecond + ratePerSecond) / 2) * overSeconds;
  return (count) => {
    if (count >= countOnRamp) return (overSeconds + (count - countOnRamp) / ratePerSecond) * 1000;
    // Root of slope/2 t^2 + from t = count in the form that stays exact when the slope is near zero.
    const root = Math.sqrt(Math.max(0, fromRatePerSecond * fromRatePerSecond + 2 * slope * count));
    return ((2 * count) / (fromRatePerSecond + root)) * 1000;
  };
}

/**
 * Instants of a recording, scaled so that their mean rate is `ratePerSecond`, for ever: after the last one it starts
 * again, one mean gap later.
 * @param offsetsMs - ascending, from the recording's start
 */
export function recordedArrivals(offsetsMs: Float64Array, ratePerSecond: number): Arrivals {
  invariant(offsetsMs.length > 0, "a recording without requests has no pace");
  const roundMs = (offsetsMs.length / ratePerSecond) * 1000;
  const firstMs = offsetsMs[0] ?? 0;
  const spanMs = (offsetsMs.at(-1) ?? 0) - firstMs;
  // n instants span n - 1 gaps; the n-th gap separates the rounds.
  const scale = spanMs > 0 ? (roundMs * (offsetsMs.length - 1)) / offsetsMs.length / spanMs : 0;
  let taken = 0;
  return {
    next: () => {
      const index = taken % offsetsMs.length;
      const round = Math.floor(taken / offsetsMs.length);
      taken += 1;
      return round * roundMs + ((offsetsMs[index] ?? 0) - firstMs) * scale;
    },
  };
}
