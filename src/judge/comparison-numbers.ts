import { type ArmSeries, differenceOf, sum } from "../measure/arm-series.ts";
import { FLOOR_LOG } from "../measure/series.ts";
import { effectScale, toDelta } from "./accepted.ts";
import type { ComparedNumbers, ComparisonInput } from "./comparison.ts";
import { armsOf, type Cut } from "./comparison-cut.ts";
import {
  type BiasModel,
  type ConfidenceSequence,
  confidenceSequence,
  isShownToLean,
  onePhaseSequence,
  PLAIN_BIAS,
  widening,
} from "./confidence-sequence.ts";
import { isWhole } from "./external-points.ts";
import { JUDGE_RULES } from "./judge-limits.ts";

/**
 * Deflation was measured to hold its level up to about here (blocks with a variance inflation near 6 gave 1.1% instead of
 * 1%, STATISTICS.md 6.5, harsh autocorrelation); beyond it an interval is not believed either way.
 */
const INFLATION_TRUSTED_MAX = 6;

/** One measured comparison before anything is decided. */
export interface Measured {
  readonly cs: ConfidenceSequence;
  readonly numbers: ComparedNumbers;
  /** The stretch before the change disagrees with itself. */
  readonly unstable: boolean;
  /** Blocks still lean on each other beyond what the interval can be trusted to make up for. */
  readonly leaning: boolean;
}

/** What is believed of a difference that both sides have anyway and nobody measured. */
export function biasOf(sd: number): BiasModel {
  return sd === 0 ? PLAIN_BIAS : { tau: 0, redrawn: { sd, rounds: 1 } };
}

/** Interval and everything that made it, from both phases or from the one after the change alone. */
export function measureCut(cut: Cut, input: ComparisonInput): Measured {
  const { limits, limit } = input;
  const scale = effectScale(limit);
  const arms = { before: armsOf(cut.before, scale), after: armsOf(cut.after, scale) };
  const after = differenceOf(arms.after);
  const before = differenceOf(arms.before);
  const hasBefore = before.influence.length > 0;
  const floor = floorOf(cut, input);
  const biasSd = hasBefore ? 0 : assumedBias(input, sum(cut.after.control) / cut.after.control.length);
  const extra = widening(biasOf(biasSd), limits.alpha);
  const cs = hasBefore
    ? confidenceSequence({ before, after, floor }, PLAIN_BIAS, limits)
    : widened(onePhaseSequence(after, floor, { alpha: limits.alpha / 2, g: limits.g }), extra);
  const lean = hasBefore ? [...before.influence, ...after.influence] : after.influence;
  return {
    cs,
    numbers: numbersOf({ cut, cs, biasSd, extra, arms }, input),
    unstable: hasBefore && isUnstable(cut, floor, input),
    leaning: cs.varianceInflation > INFLATION_TRUSTED_MAX && isShownToLean(lean),
  };
}

function widened(cs: ConfidenceSequence, extra: number): ConfidenceSequence {
  return { ...cs, lo: cs.lo - extra, hi: cs.hi + extra };
}

type ArmsOfPhases = Readonly<Record<"before" | "after", ReturnType<typeof armsOf>>>;

function numbersOf(
  made: {
    readonly cut: Cut;
    readonly cs: ConfidenceSequence;
    readonly biasSd: number;
    readonly extra: number;
    readonly arms: ArmsOfPhases;
  },
  { limit, limits }: ComparisonInput,
): ComparedNumbers {
  const { cut, cs, arms } = made;
  const scale = effectScale(limit);
  const delta = (effect: number): number => toDelta(effect, scale);
  const mean = (values: readonly number[]): number | null => (values.length === 0 ? null : sum(values) / values.length);
  return {
    estimate: delta(cs.estimate),
    interval: { level: 1 - 2 * limits.alpha, lo: delta(cs.lo), hi: delta(cs.hi) },
    blocks: {
      before: cut.before.control.length,
      after: cut.after.control.length,
      invalid: cut.before.invalid + cut.after.invalid,
      pointsPerBlock: cut.perBlock,
      ...(cut.blockMs === undefined ? {} : { blockMs: cut.blockMs }),
      effective: cs.effectiveBlocks,
    },
    levels: {
      controlBefore: mean(cut.before.control),
      controlAfter: mean(cut.after.control),
      experimentBefore: mean(cut.before.experiment),
      experimentAfter: mean(cut.after.experiment),
    },
    biasRemoved: delta(cs.biasRemoved),
    biasSd: made.biasSd,
    blockSd: cs.blockSd,
    varianceInflation: cs.varianceInflation,
    standardError: cs.standardError,
    degrees: cs.degrees,
    critical: cs.critical,
    widening: made.extra,
    correlation: correlation(arms),
  };
}

/**
 * Least believable sd of a block: a thousandth on the log scale or of the level; for rates what the smallest rate ever
 * seen does to a block, since a stretch without an error must not look like certainty.
 */
function floorOf(cut: Cut, { limit, unit, points }: ComparisonInput): number {
  if (limit.scale === "ratio") return FLOOR_LOG;
  const { control } = cut.after;
  const level = FLOOR_LOG * Math.abs(sum(control) / control.length);
  if (unit !== "pp") return level;
  let least = Number.POSITIVE_INFINITY;
  for (const point of points.filter(isWhole)) {
    for (const rate of [point.control, point.experiment]) if (rate > 0 && rate < least) least = rate;
  }
  return Math.max(level, Number.isFinite(least) ? least / cut.perBlock : 0);
}

function assumedBias({ limit, unit, biasSd }: ComparisonInput, controlLevel: number): number {
  if (biasSd !== undefined) return limit.scale === "ratio" ? Math.log1p(biasSd) : biasSd;
  const assumed = JUDGE_RULES.uncalibratedBias;
  if (unit === "pp") return assumed.errors;
  return limit.scale === "ratio" ? assumed.log : assumed.absolute * Math.abs(controlLevel);
}

/** The second half of the stretch before the change against the first, as if it were the change: nothing may be found. */
function isUnstable(cut: Cut, floor: number, input: ComparisonInput): boolean {
  const middle = Math.floor(cut.before.control.length / 2);
  const half = (from: number, to: number): ArmSeries =>
    differenceOf(
      armsOf(
        { control: cut.before.control.slice(from, to), experiment: cut.before.experiment.slice(from, to), invalid: 0 },
        effectScale(input.limit),
      ),
    );
  const phases = { before: half(0, middle), after: half(middle, cut.before.control.length), floor };
  const cs = confidenceSequence(phases, PLAIN_BIAS, input.limits);
  return cs.lo > 0 || cs.hi < 0;
}

/** Pearson correlation of both sides' blocks, each phase about its own mean. */
function correlation({ before, after }: ArmsOfPhases): number {
  const control = [...before.control.influence, ...after.control.influence];
  const experiment = [...before.shadow.influence, ...after.shadow.influence];
  const product = sum(control.map((value, i) => value * (experiment[i] ?? 0)));
  const squares = (values: readonly number[]): number => sum(values.map((value) => value * value));
  const size = Math.sqrt(squares(control) * squares(experiment));
  return size > 0 ? product / size : 0;
}
