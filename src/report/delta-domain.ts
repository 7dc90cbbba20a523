import type { SloJudgement } from "../judge/verdict.ts";

/** The stretch of an SLO's delta scale that a picture shows; always finite and `lo < hi`. */
export interface DeltaDomain {
  readonly lo: number;
  readonly hi: number;
}

/**
 * Chooses what part of the scale to draw: no change (0) and both limits with room beside them, the same for a whole run
 * so that the picture stands still while the interval closes.
 * @param reach - how far past the limits, in widths of the accepted range, the picture may grow to show the interval
 */
export function deltaDomain(slo: Pick<SloJudgement, "accepted" | "interval" | "estimate">, reach = 0): DeltaDomain {
  const limits = [slo.accepted.lo, slo.accepted.hi].filter(Number.isFinite);
  const anchors = [0, ...limits];
  const lo = Math.min(...anchors);
  const hi = Math.max(...anchors);
  const span = hi - lo || 0.02;
  const oneSided = limits.length === 1;
  const below = lo - span * (oneSided && slo.accepted.lo === Number.NEGATIVE_INFINITY ? 1 : 0.35);
  const above = hi + span * (oneSided && slo.accepted.hi === Number.POSITIVE_INFINITY ? 1 : 0.35);
  const wanted = [slo.interval.lo, slo.interval.hi, slo.estimate ?? 0].filter(Number.isFinite);
  const margin = span * 0.1;
  return {
    lo: Math.max(below - span * reach, Math.min(below, ...wanted.map((value) => value - margin))),
    hi: Math.min(above + span * reach, Math.max(above, ...wanted.map((value) => value + margin))),
  };
}
