import type { DeltaRange } from "../core/delta-range.ts";
import type { EffectScale } from "../measure/arm-series.ts";
import type { BlockStore } from "../measure/block-store.ts";
import type { Series } from "../measure/series.ts";
import type { Window } from "../replay/recording.ts";
import { type Bounds, boundsOf, type ResolvedSlo } from "./accepted.ts";
import { type BiasChoice, type CalibrationProfile, chooseBias } from "./calibration.ts";
import { blockNoise, type ConfidenceSequence, confidenceSequence, onePhaseSequence } from "./confidence-sequence.ts";
import type { JudgeLimits } from "./judge-limits.ts";
import { logEvidenceAbove, logEvidenceBelow, mirrored } from "./request-test.ts";
import type { SloJudgement } from "./verdict.ts";

/** Both phases of the run that intervals are made of. */
export interface JudgeWindows {
  readonly baseline: Window;
  readonly after: Window;
}

/** What is the same for every SLO of one look. */
export interface SloContext {
  readonly store: BlockStore;
  readonly windows: JudgeWindows;
  readonly limits: JudgeLimits;
  /** Number of SLOs: the level of each rejection is alpha over it (Bonferroni). */
  readonly sloCount: number;
  readonly restarted: boolean;
  readonly profile?: CalibrationProfile;
}

/** One SLO as measured up to a look, before anything is decided. */
export interface SloMeasurement {
  readonly resolved: ResolvedSlo;
  readonly accepted: DeltaRange;
  readonly scale: EffectScale;
  readonly bounds: Bounds;
  readonly blockMs: number;
  readonly before: Series;
  readonly after: Series;
  readonly choice: BiasChoice;
  /** At the pass level, and at the stricter level of a rejection. */
  readonly pass: ConfidenceSequence;
  readonly fail: ConfidenceSequence;
  readonly requestTest?: NonNullable<SloJudgement["requestTest"]>;
}

/** Intervals of one SLO at both levels from its two phases. */
export function measureSlo(
  base: Pick<SloMeasurement, "resolved" | "accepted" | "scale" | "blockMs" | "before" | "after">,
  context: SloContext,
): SloMeasurement {
  const { before, after, scale, resolved } = base;
  const { alpha, g } = context.limits;
  const choice = chooseBias({
    measure: resolved.slo.measure,
    scale,
    restarted: context.restarted,
    calibration: context.profile?.slos[resolved.slo.name],
    controlLevel: before.levels.control,
    baseline: onePhaseSequence(before, before.floor, { alpha, g }),
    spanSeconds: (middleMs(context.windows.after) - middleMs(context.windows.baseline)) / 1000,
  });
  const phases = { before, after, floor: Math.max(before.floor, after.floor) };
  const noise = blockNoise(phases);
  const bounds = boundsOf(base.accepted);
  const pairs = resolved.slo.measure.kind === "errors" ? after.pairs : undefined;
  return {
    ...base,
    bounds,
    choice,
    pass: confidenceSequence(phases, choice.bias, { alpha, g }, noise),
    fail: confidenceSequence(phases, choice.bias, { alpha: alpha / context.sloCount, g }, noise),
    ...(pairs === undefined ? {} : { requestTest: { ...pairs, ...requestEvidence(pairs, bounds) } }),
  };
}

function middleMs({ fromMs, toMs }: Window): number {
  return (fromMs + toMs) / 2;
}

/** The weaker side counts to pass, the stronger one to fail. */
export function requestEvidence(
  pairs: NonNullable<Series["pairs"]>,
  { lo, hi }: Bounds,
): { readonly logPass: number; readonly logFail: number } {
  const sides = [
    ...(Number.isFinite(hi) ? [{ pairs, bound: hi }] : []),
    ...(Number.isFinite(lo) ? [{ pairs: mirrored(pairs), bound: -lo }] : []),
  ];
  return {
    logPass: Math.min(...sides.map((side) => logEvidenceBelow(side.pairs, side.bound))),
    logFail: Math.max(...sides.map((side) => logEvidenceAbove(side.pairs, side.bound))),
  };
}
