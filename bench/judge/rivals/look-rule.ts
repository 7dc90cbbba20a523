import type { Bounds } from "../../../src/judge/accepted.ts";
import { sum } from "../../../src/measure/arm-series.ts";
import type { Series } from "../../../src/measure/series.ts";
import { studentQuantile } from "../chances.ts";

// Rules that look at the same block values as the judge, after every block, and leave something out: what they share.

/** What a rule sees at one look. Bounds are on the effect scale; `tau` is the calibrated sd of the bias, 0 for none. */
export interface RuleLook {
  readonly before: Series;
  readonly after: Series;
  readonly bounds: Bounds;
  readonly alpha: number;
  readonly tau: number;
}

/** What a rule says at one look. */
export type LookRule = (look: RuleLook) => "pass" | "fail" | "open";

/** Inside, outside or neither of the bounds. */
export function settle(estimate: number, half: number, { lo, hi }: Bounds): ReturnType<LookRule> {
  if (estimate + half < hi && estimate - half > lo) return "pass";
  return estimate - half > hi || estimate + half < lo ? "fail" : "open";
}

/** Sum of squared block values. */
export function squares({ influence }: Series): number {
  return sum(influence.map((value) => value * value));
}

/** Remembered, because a bisection at every look would take longer than the look. Beyond 1e6 degrees it is the normal. */
export function studentAt(p: number, degrees: number): number {
  const key = `${p} ${degrees}`;
  const known = QUANTILES.get(key) ?? studentQuantile(p, Math.min(degrees, 1e6));
  QUANTILES.set(key, known);
  return known;
}

const QUANTILES = new Map<string, number>();
