import type { DeltaRange } from "../core/delta-range.ts";
import { outwards } from "./accepted.ts";
import { unseenSides } from "./bucket-doubts.ts";
import { isHeldForLate } from "./late-check.ts";
import { isHeldForReadings } from "./reading-doubts.ts";
import { logEvidenceBelow, mirrored } from "./request-test.ts";
import type { SloJudgement } from "./verdict.ts";

/** Of what is no histogram. */
const NOTHING_UNSEEN = { lo: Number.POSITIVE_INFINITY, hi: Number.NEGATIVE_INFINITY };

/**
 * The narrowest range that these very measurements would have kept, on the sides that were asked for: rounded outwards,
 * so that asking for it passes. Undefined where no margin would have passed: too few blocks, no data or readings in doubt, a bias
 * that nobody calibrated, buckets of a histogram that tell nothing.
 * @param alpha - one-sided level of a pass
 */
export function passingRange(slo: SloJudgement, alpha: number): DeltaRange | undefined {
  const { interval, accepted, requestTest, because, buckets = NOTHING_UNSEEN, unit } = slo;
  if (slo.state === "no-data" || because?.code === "BIAS_UNCALIBRATED" || isHeldForReadings(slo)) return undefined;
  if (slo.derivation === undefined || slo.derivation.samplesMissing !== undefined) return undefined;
  if (!Number.isFinite(interval.lo) || !Number.isFinite(interval.hi)) return undefined;
  if (Object.values(unseenSides(buckets, accepted)).some((side) => !Number.isFinite(side))) return undefined;
  const needed = Math.log(1 / alpha);
  const byRequests = (pairs: typeof requestTest): number =>
    pairs === undefined ? Number.NEGATIVE_INFINITY : leastProvenBound(pairs, needed);
  const hi = Math.max(interval.hi, buckets.hi, byRequests(requestTest));
  const lo = Math.min(
    interval.lo,
    buckets.lo,
    -byRequests(requestTest && { ...requestTest, ...mirrored(requestTest) }),
  );
  const range = {
    lo: Number.isFinite(accepted.lo) ? -outwards(-lo, accepted, unit) : accepted.lo,
    hi: Number.isFinite(accepted.hi) ? outwards(hi, accepted, unit) : accepted.hi,
  };
  // The numbers are those with late seconds; of those without it is known that they keep what was asked for.
  const known = isHeldForLate(slo) ? accepted : range;
  return { scale: accepted.scale, lo: Math.min(range.lo, known.lo), hi: Math.max(range.hi, known.hi) };
}

/** Smallest rate difference below which the pairs prove the truth to lie; found by bisection, evidence grows with it. */
function leastProvenBound(pairs: NonNullable<SloJudgement["requestTest"]>, needed: number): number {
  const proven = (bound: number): boolean => logEvidenceBelow(pairs, bound) >= needed;
  let [low, high] = [-1, 1];
  if (!proven(high)) return Number.POSITIVE_INFINITY;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (proven(middle)) high = middle;
    else low = middle;
  }
  return high;
}
