import type { DeltaRange } from "../core/delta-range.ts";
import { isHeldForLate } from "./late-check.ts";
import { isHeldForReadings } from "./reading-doubts.ts";
import { logEvidenceBelow, mirrored } from "./request-test.ts";
import type { SloJudgement } from "./verdict.ts";

/** Steps to which a margin is rounded outwards, at least: a tenth of a percent, a thousandth of a percentage point. */
const STEP = { ratio: 0.001, pp: 0.00001, unit: 0 } as const;

/**
 * The narrowest range that these very measurements would have kept, on the sides that were asked for: rounded outwards,
 * so that asking for it passes. Undefined where no margin would have passed: too few blocks, no data or readings in doubt, a bias
 * that nobody calibrated.
 * @param alpha - one-sided level of a pass
 */
export function passingRange(slo: SloJudgement, alpha: number): DeltaRange | undefined {
  const { interval, accepted, requestTest, because } = slo;
  if (slo.state === "no-data" || because?.code === "BIAS_UNCALIBRATED" || isHeldForReadings(slo)) return undefined;
  if (slo.derivation === undefined || slo.derivation.samplesMissing !== undefined) return undefined;
  if (!Number.isFinite(interval.lo) || !Number.isFinite(interval.hi)) return undefined;
  const needed = Math.log(1 / alpha);
  const byRequests = (pairs: typeof requestTest): number =>
    pairs === undefined ? Number.NEGATIVE_INFINITY : leastProvenBound(pairs, needed);
  const hi = Math.max(interval.hi, byRequests(requestTest));
  const lo = Math.min(interval.lo, -byRequests(requestTest && { ...requestTest, ...mirrored(requestTest) }));
  const range = {
    lo: Number.isFinite(accepted.lo) ? -outwards(-lo, slo) : accepted.lo,
    hi: Number.isFinite(accepted.hi) ? outwards(hi, slo) : accepted.hi,
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

/** Rounded up to three digits, as people are shown it: a bound must lie beyond the interval, not on it. */
function outwards(value: number, { accepted, unit }: SloJudgement): number {
  const least = STEP[accepted.scale === "ratio" ? "ratio" : unit === "pp" ? "pp" : "unit"];
  const step = Math.max(least, value === 0 ? 1e-9 : 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2));
  return Number(((Math.floor(value / step) + 1) * step).toPrecision(12));
}
