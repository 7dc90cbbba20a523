import type { ArmSeries } from "../measure/arm-series.ts";
import { normalQuantile } from "./normal-quantile.ts";

// STATISTICS.md 3.1 and 3.2: an interval that holds at every look at once, from block values before and after the plan.

/** What is known of the twins' own difference, on the effect scale. Zero means: not calibrated. */
export interface BiasModel {
  /** Sd of the bias over restarts of both twins; shrinks the bias measured before the plan. */
  readonly tau: number;
  /** The plan restarts a process: its bias is drawn anew, with this sd, over so many independent rounds. */
  readonly redrawn?: { readonly sd: number; readonly rounds: number };
  /** Sd of slow drift of one twin against the other over a run of this length. */
  readonly driftSd?: number;
}

/** Nothing calibrated: plain difference in differences. */
export const PLAIN_BIAS: BiasModel = { tau: 0 };

/** One-sided level of each bound, and the prior's variance of effect over block sd. */
export interface CsOptions {
  readonly alpha: number;
  readonly g: number;
}

/** An anytime-valid interval and everything that made it. */
export interface ConfidenceSequence {
  readonly estimate: number;
  readonly lo: number;
  readonly hi: number;
  readonly standardError: number;
  /** Sd of one block value. */
  readonly blockSd: number;
  readonly varianceInflation: number;
  readonly effectiveBlocks: number;
  readonly degrees: number;
  /** Critical value; Infinity while there is no information. */
  readonly critical: number;
  /** What was taken off the difference seen after the plan. */
  readonly biasRemoved: number;
}

/**
 * Critical |t| of the Bayes-factor t confidence sequence, `W` of STATISTICS.md 3.1 (Lai 1976; Wang & Ramdas 2024).
 * @param a2 - two-sided level
 */
export function criticalValue(effectiveBlocks: number, degrees: number, g: number, a2: number): number {
  if (!(effectiveBlocks > 0) || !(degrees >= 1)) return Number.POSITIVE_INFINITY;
  const k = 1 + effectiveBlocks * g;
  const r = (Math.sqrt(k) / a2) ** (2 / (degrees + 1));
  return r >= k ? Number.POSITIVE_INFINITY : Math.sqrt((degrees * (r - 1)) / (1 - r / k));
}

/**
 * How many times more variance the mean of autocorrelated block values has than that of independent ones:
 * initial positive sequence (Geyer 1992), never below AR(1), never below 1. Takes centred values of both phases.
 */
export function varianceInflation(before: readonly number[], after: readonly number[]): number {
  const total = squares(before) + squares(after);
  if (!(total > 0)) return 1;
  const count = before.length + after.length;
  const lagMax = Math.min(24, Math.floor(count / 4));
  const r = (lag: number): number => (lagged(before, lag) + lagged(after, lag)) / total + 2 / count;
  const r1 = r(1);
  let tail = 1 + r1;
  for (let k = 1; 2 * k + 1 <= lagMax; k++) {
    const pair = r(2 * k) + r(2 * k + 1);
    if (pair <= 0) break;
    tail += pair;
  }
  const rho = Math.min(0.95, Math.max(0, r1 + (3 * Math.max(0, r1) * 2) / count));
  return Math.max(1, 2 * tail - 1, (1 + rho) / (1 - rho));
}

/** Autocorrelation that so many blocks without a plan showed. */
export interface CalibratedInflation {
  readonly varianceInflation: number;
  readonly count: number;
}

/**
 * Variance inflation of two phases together with what a calibration saw, each weighed by its blocks: sixty blocks alone
 * say 1.3 on average where there is none, because what is below 1 counts as 1. Where this run shows more than chance allows
 * once in ten thousand, the run is believed.
 */
export function inflationOf(
  { before, after }: { readonly before: readonly number[]; readonly after: readonly number[] },
  calibrated: CalibratedInflation | undefined,
): number {
  const seen = varianceInflation(before, after);
  if (calibrated === undefined) return seen;
  const blocks = before.length + after.length;
  // A calibration is no better a witness than the run itself: hours of another day must not outvote it.
  const known = calibrated.varianceInflation;
  const count = Math.min(calibrated.count, blocks);
  const together = (seen * blocks + known * count) / (blocks + count);
  return [before, after].some((values) => isShownToLean(values, 0.9999)) ? Math.max(seen, together) : together;
}

/** Whether centred values of one phase lean on their neighbours beyond chance: lag-one correlation, one-sided, at `level`. */
export function isShownToLean(values: readonly number[], level = 0.99): boolean {
  const total = squares(values);
  if (!(total > 0)) return false;
  // Independent values have a lag-one correlation of about -1/n with a standard deviation of 1/sqrt(n).
  return lagged(values, 1) / total + 1 / values.length > normalQuantile(level) / Math.sqrt(values.length);
}

/** Effective number of blocks behind the difference of m before and n after, already deflated. */
export function effectiveBlocks(m: number, n: number, blockSd: number, bias: BiasModel): number {
  if (bias.redrawn !== undefined) return n;
  const known = bias.tau > 0 ? m + blockSd ** 2 / bias.tau ** 2 : m;
  return (known * n) / (known + n);
}

/** Half-width that bias redrawn by a restart and drift add, whatever the number of blocks; half of alpha is theirs. */
export function widening(bias: BiasModel, alpha: number): number {
  const restartSd = bias.redrawn === undefined ? 0 : bias.redrawn.sd / Math.sqrt(bias.redrawn.rounds);
  const sd = Math.hypot(restartSd, bias.driftSd ?? 0);
  return sd === 0 ? 0 : normalQuantile(1 - alpha / 2) * sd;
}

/** Two-sided level left to the noise: all of it, or half where bias takes the other half. */
export function noiseLevel(bias: BiasModel, alpha: number): number {
  return bias.redrawn !== undefined || (bias.driftSd ?? 0) > 0 ? alpha : 2 * alpha;
}

/**
 * Both phases of one measure; `floor` is the least believable sd of a block value, `calibrated` what is known of the
 * blocks' autocorrelation beyond these two phases.
 */
export interface TwoPhases {
  readonly before: ArmSeries;
  readonly after: ArmSeries;
  readonly floor: number;
  readonly calibrated?: CalibratedInflation | undefined;
}

/** Noise of the blocks of two phases: the sd of one, and how much more a mean of them varies for leaning on each other. */
export interface BlockNoise {
  readonly blockSd: number;
  readonly varianceInflation: number;
}

/** The noise that an interval at any level is made of: compute it once for several. */
export function blockNoise({ before, after, floor, calibrated }: TwoPhases): BlockNoise {
  const blocks = before.influence.length + after.influence.length;
  const pooled = (squares(before.influence) + squares(after.influence)) / (blocks - 2);
  // A value that is no number says nothing of the noise, and of nothing no narrow interval is made. Two blocks have no degrees.
  const variance = blocks <= 2 ? 0 : Number.isFinite(pooled) ? pooled : Number.POSITIVE_INFINITY;
  return {
    blockSd: Math.sqrt(Math.max(variance, floor ** 2)),
    varianceInflation: inflationOf({ before: before.influence, after: after.influence }, calibrated),
  };
}

/** Difference in differences of two phases with its confidence sequence. */
export function confidenceSequence(
  phases: TwoPhases,
  bias: BiasModel,
  options: CsOptions,
  noise: BlockNoise = blockNoise(phases),
): ConfidenceSequence {
  const { before, after } = phases;
  const { blockSd, varianceInflation: inflation } = noise;
  const blocks = before.influence.length + after.influence.length;
  const m = before.influence.length / inflation;
  const n = after.influence.length / inflation;
  const degrees = blocks > 2 ? m + n - 2 : 0;
  const effective = effectiveBlocks(m, n, blockSd, bias);
  const kept = bias.tau > 0 ? m / (m + blockSd ** 2 / bias.tau ** 2) : 1;
  const biasRemoved = bias.redrawn === undefined ? before.estimate * kept : 0;
  const estimate = after.estimate - biasRemoved;
  const standardError = blockSd / Math.sqrt(effective);
  const critical = criticalValue(effective, degrees, options.g, noiseLevel(bias, options.alpha));
  const half = (critical === Infinity ? Infinity : critical * standardError) + widening(bias, options.alpha);
  return {
    estimate,
    lo: estimate - half,
    hi: estimate + half,
    standardError,
    blockSd,
    varianceInflation: inflation,
    effectiveBlocks: effective,
    degrees,
    critical,
    biasRemoved,
  };
}

/** Confidence sequence of one phase alone: is its estimate different from zero? */
export function onePhaseSequence(phase: ArmSeries, floor: number, options: CsOptions): ConfidenceSequence {
  const count = phase.influence.length;
  const inflation = varianceInflation(phase.influence, []);
  const blockSd = Math.sqrt(Math.max(count > 1 ? squares(phase.influence) / (count - 1) : 0, floor ** 2));
  const effective = count / inflation;
  const standardError = blockSd / Math.sqrt(effective);
  const critical = criticalValue(effective, effective - 1, options.g, 2 * options.alpha);
  const half = critical === Infinity ? Infinity : critical * standardError;
  return {
    estimate: phase.estimate,
    lo: phase.estimate - half,
    hi: phase.estimate + half,
    standardError,
    blockSd,
    varianceInflation: inflation,
    effectiveBlocks: effective,
    degrees: effective - 1,
    critical,
    biasRemoved: 0,
  };
}

function squares(values: readonly number[]): number {
  let total = 0;
  for (let k = 0; k < values.length; k++) total += (values[k] ?? Number.NaN) * (values[k] ?? Number.NaN);
  return total;
}

function lagged(values: readonly number[], lag: number): number {
  let total = 0;
  for (let k = lag; k < values.length; k++) total += (values[k] ?? 0) * (values[k - lag] ?? 0);
  return total;
}
