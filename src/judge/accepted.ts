import { type DeltaRange, intersect } from "../core/delta-range.ts";
import type { EffectScale } from "../measure/arm-series.ts";
import type { Slo } from "../measure/slo.ts";

/** One operator SLO with what the plan promised of it, if it did. */
export interface ResolvedSlo {
  readonly slo: Slo;
  readonly promised?: DeltaRange;
}

/** Bounds on the effect scale: logs for ratios. */
export interface Bounds {
  readonly lo: number;
  readonly hi: number;
}

/** What is tested: the operator's limit, narrowed by the promise. Undefined if both share nothing. */
export function acceptedRange(resolved: ResolvedSlo): DeltaRange | undefined {
  return resolved.promised === undefined ? resolved.slo.limit : intersect(resolved.slo.limit, resolved.promised);
}

/** The axis on which a range is tested. */
export function effectScale(range: DeltaRange): EffectScale {
  return range.scale === "ratio" ? "log" : "absolute";
}

/** A range on its effect scale. */
export function boundsOf(range: DeltaRange): Bounds {
  return range.scale === "absolute" ? range : { lo: toEffect(range.lo), hi: toEffect(range.hi) };
}

/** An effect as a delta: 0.0953 on the log scale is +10%. */
export function toDelta(effect: number, scale: EffectScale): number {
  return scale === "log" ? Math.expm1(effect) : effect;
}

/** The effect a conforming plan is expected to have, for forecasts: none if allowed, else what was promised. */
export function expectedEffect({ lo, hi }: Bounds): number {
  if (lo < 0 && hi > 0) return 0;
  if (Number.isFinite(lo) && Number.isFinite(hi)) return (lo + hi) / 2;
  // Only "at least" or "at most" was said: half as much again.
  return 1.5 * (Number.isFinite(lo) ? lo : hi);
}

/** How far an effect is from the nearest bound, on the effect scale. */
export function distanceToBound(effect: number, { lo, hi }: Bounds): number {
  return Math.min(Math.abs(effect - lo), Math.abs(hi - effect));
}

/** Steps to which a margin is rounded outwards, at least: a tenth of a percent, a thousandth of a percentage point. */
const STEP = { ratio: 0.001, pp: 0.00001, unit: 0 } as const;

/** Rounded up to three digits, as people are shown it: a bound must lie beyond what it has to hold, not on it. */
export function outwards(value: number, { scale }: DeltaRange, unit: "pp" | ""): number {
  const least = STEP[scale === "ratio" ? "ratio" : unit === "pp" ? "pp" : "unit"];
  const step = Math.max(least, value === 0 ? 1e-9 : 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2));
  return Number(((Math.floor(value / step) + 1) * step).toPrecision(12));
}

function toEffect(ratioDelta: number): number {
  return ratioDelta <= -1 ? Number.NEGATIVE_INFINITY : Math.log1p(ratioDelta);
}
