import type { EffectScale } from "../measure/arm-series.ts";
import type { Measure } from "../measure/slo.ts";
import { type BiasModel, PLAIN_BIAS } from "./confidence-sequence.ts";
import { JUDGE_RULES } from "./judge-limits.ts";

/** What a calibration learned of one SLO, on its effect scale (upper confidence limits, never optimistic). */
export interface SloCalibration {
  /** Sd of the twins' bias over restarts of both. */
  readonly tau?: number;
  /** Sd of the bias after a restart of one twin, and how many rounds are averaged. */
  readonly restart?: { readonly sd: number; readonly rounds: number };
  /** Sd of drift between the twins over a run of the planned length, or over `driftSeconds` where that is given. */
  readonly driftSd?: number;
  /** Seconds between the middles of what was compared to learn `driftSd`; a run that spans more is widened by as much. */
  readonly driftSeconds?: number;
  /** Noise by block length, ascending: which blocks stand alone is seen in many minutes without a plan, not in one. */
  readonly blocks?: readonly CalibratedBlock[];
  /** Its windows were long enough to show slow noise, so that it may vouch for short blocks. */
  readonly vouches?: boolean;
  /** The baseline of the run speaks against it, by its bias or by its noise; what is left of it can only widen. */
  readonly contradicted?: "bias" | "noise";
}

/** Why a calibration is not believed, in a clause. */
export const CONTRADICTIONS: Readonly<Record<NonNullable<SloCalibration["contradicted"]>, string>> = {
  bias: "the baseline of this run has the twins further apart than the calibration allows",
  noise: "the baseline of this run is noisier than the calibration was",
};

/** Blocks of one length over all windows of a calibration. */
export interface CalibratedBlock {
  readonly blockMs: number;
  /** Sd of one block's value. */
  readonly sd: number;
  readonly varianceInflation: number;
  readonly count: number;
}

/** Noise and bias of one mirror on one machine, learned without a plan; by SLO name. */
export interface CalibrationProfile {
  readonly slos: Readonly<Record<string, SloCalibration>>;
}

/**
 * What no profile can talk the judge out of. A profile is trusted only as far as the run itself does not speak against
 * it, so one that lies can hide at most `contradictionZ` standard errors of the run's own baseline
 * (docs/decisions/0007-calibration-profiles.md).
 */
export const CALIBRATION_RULES = {
  /** A bias of error rates is never believed to be smaller, in absolute rate: 0.01pp. */
  tauErrorsMin: 0.0001,
  /** Baseline bias beyond so many standard deviations of what the profile allows: the profile is not about these twins. */
  contradictionZ: 2.5758,
} as const;

/** How the bias is treated, and whether it may be relied on to pass. */
export interface BiasChoice {
  readonly bias: BiasModel;
  /** False: a restart drew the bias anew and nobody knows how large; the model is a pessimist's and can only reject. */
  readonly calibrated: boolean;
  /** The baseline of this run speaks against the profile, which was then not used. */
  readonly contradicted: boolean;
}

/** What the choice depends on. */
export interface BiasQuestion {
  readonly measure: Measure;
  readonly scale: EffectScale;
  readonly restarted: boolean;
  readonly calibration: SloCalibration | undefined;
  readonly controlLevel: number;
  /** Difference of the twins before the plan with its standard error, effect scale; holds the profile to the truth. */
  readonly baseline?: { readonly estimate: number; readonly standardError: number };
  /** Seconds from the middle of the baseline to the middle of what is judged. */
  readonly spanSeconds?: number;
}

/** Chooses the bias model of one SLO (STATISTICS.md 3.2 and 4, instance bias). */
export function chooseBias(question: BiasQuestion): BiasChoice {
  const contradicted = question.calibration?.contradicted !== undefined || isContradicted(question);
  const calibration = contradicted ? undefined : question.calibration;
  const tau = believed(calibration?.tau ?? 0, question);
  // Drift only widens: what speaks against a profile is no reason to take that back.
  const driftSd = driftOf(question.calibration, question.spanSeconds);
  const base: BiasModel = { ...PLAIN_BIAS, tau, ...(driftSd === undefined ? {} : { driftSd }) };
  if (!question.restarted) return { bias: base, calibrated: true, contradicted };
  const restart = calibration?.restart;
  if (restart === undefined) {
    return { bias: { ...base, redrawn: { sd: pessimisticSd(question), rounds: 1 } }, calibrated: false, contradicted };
  }
  // One twin drawn anew beside one that stays differ no less than two that were both drawn.
  const sd = Math.max(believed(restart.sd, question), leastBias(question), tau);
  return { bias: { ...base, redrawn: { ...restart, sd } }, calibrated: true, contradicted };
}

/** The smallest sd of a bias that is believed, whatever a profile says; effect scale. */
export function leastBias({
  measure,
  scale,
  controlLevel,
}: Pick<BiasQuestion, "measure" | "scale" | "controlLevel">): number {
  if (measure.kind === "errors") return CALIBRATION_RULES.tauErrorsMin;
  return scale === "log" ? JUDGE_RULES.tauRatioMin : JUDGE_RULES.tauRatioMin * Math.abs(controlLevel);
}

/** Zero stays zero: it means that nothing was calibrated. */
function believed(sd: number, question: BiasQuestion): number {
  return sd > 0 ? Math.max(sd, leastBias(question)) : 0;
}

/** Whether the bias of the baseline is beyond what the profile allows. Written so that numbers that are none contradict. */
export function isContradicted(
  question: Pick<BiasQuestion, "measure" | "scale" | "controlLevel" | "calibration" | "baseline">,
): boolean {
  const { baseline, calibration } = question;
  const claimed = Math.max(calibration?.tau ?? 0, calibration?.restart?.sd ?? 0);
  if (baseline === undefined || claimed === 0) return false;
  const sd = Math.max(claimed, leastBias(question));
  return !(Math.abs(baseline.estimate) <= CALIBRATION_RULES.contradictionZ * Math.hypot(sd, baseline.standardError));
}

/** A random walk, the drift of STATISTICS.md 5: it grows with the root of time. */
function driftOf(calibration: SloCalibration | undefined, spanSeconds: number | undefined): number | undefined {
  if (calibration?.driftSd === undefined) return undefined;
  const { driftSd, driftSeconds } = calibration;
  if (driftSeconds === undefined || spanSeconds === undefined) return driftSd;
  return driftSd * Math.sqrt(Math.max(1, spanSeconds / driftSeconds));
}

function pessimisticSd(question: BiasQuestion): number {
  const assumed = JUDGE_RULES.uncalibratedBias;
  if (question.measure.kind === "errors") return assumed.errors;
  return question.scale === "log" ? assumed.log : assumed.absolute * Math.abs(question.controlLevel);
}
