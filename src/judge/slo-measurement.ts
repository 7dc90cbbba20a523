import type { DeltaRange } from "../core/delta-range.ts";
import type { EffectScale } from "../measure/arm-series.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { errorFloor } from "../measure/phase-series.ts";
import type { LateRule, Series } from "../measure/series.ts";
import type { Window } from "../replay/recording.ts";
import { type Bounds, boundsOf, type ResolvedSlo } from "./accepted.ts";
import { calibratedInflation } from "./block-length.ts";
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
  /** Seconds in which the driver was late are left out unless told otherwise (`late-check.ts`). */
  readonly late?: LateRule;
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
  /** Least believable sd of a block, from both phases. */
  readonly floor: number;
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
  const calibration = context.profile?.slos[resolved.slo.name];
  const choice = chooseBias({
    measure: resolved.slo.measure,
    scale,
    restarted: context.restarted,
    calibration,
    controlLevel: before.levels.control,
    baseline: onePhaseSequence(before, before.floor, { alpha, g }),
    spanSeconds: (middleMs(context.windows.after) - middleMs(context.windows.baseline)) / 1000,
  });
  const floor = commonFloor(base);
  const phases = { before, after, floor, calibrated: calibratedInflation(calibration, base.blockMs) };
  const noise = blockNoise(phases);
  const bounds = boundsOf(base.accepted);
  const pairs = resolved.slo.measure.kind === "errors" ? after.pairs : undefined;
  return {
    ...base,
    bounds,
    floor,
    choice,
    pass: confidenceSequence(phases, choice.bias, { alpha, g }, noise),
    fail: confidenceSequence(phases, choice.bias, { alpha: alpha / context.sloCount, g }, noise),
    ...(pairs === undefined ? {} : { requestTest: { ...pairs, ...requestEvidence(pairs, bounds, before.pairs) } }),
  };
}

function middleMs({ fromMs, toMs }: Window): number {
  return (fromMs + toMs) / 2;
}

/** Of both phases together where they are counted: a minute without an error is more telling beside another one. */
function commonFloor({ before, after, resolved }: Pick<SloMeasurement, "before" | "after" | "resolved">): number {
  const isErrors = resolved.slo.measure.kind === "errors" && before.pairs !== undefined && after.pairs !== undefined;
  if (!isErrors) return Math.max(before.floor, after.floor);
  const blocks = before.influence.length + after.influence.length;
  return errorFloor([before.pairs, after.pairs], blocks);
}

/**
 * The weaker side counts to pass, the stronger one to fail.
 * @param learned - pairs from before the plan, of which the bets learn
 */
export function requestEvidence(
  pairs: NonNullable<Series["pairs"]>,
  { lo, hi }: Bounds,
  learned?: NonNullable<Series["pairs"]>,
): { readonly logPass: number; readonly logFail: number } {
  const sides = [
    ...(Number.isFinite(hi) ? [{ pairs, learned, bound: hi }] : []),
    ...(Number.isFinite(lo) ? [{ pairs: mirrored(pairs), learned: learned && mirrored(learned), bound: -lo }] : []),
  ];
  return {
    logPass: Math.min(...sides.map((side) => logEvidenceBelow(side.pairs, side.bound, side.learned))),
    logFail: Math.max(...sides.map((side) => logEvidenceAbove(side.pairs, side.bound))),
  };
}
