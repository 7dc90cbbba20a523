import type { EffectScale } from "../measure/arm-series.ts";
import type { Measure } from "../measure/slo.ts";
import { type BiasModel, PLAIN_BIAS } from "./confidence-sequence.ts";
import { JUDGE_RULES } from "./judge-limits.ts";

/** What a calibration learned of one SLO, on its effect scale (upper confidence limits, never optimistic). */
export interface SloCalibration {
  /** Sd of the twins' bias over restarts of both. */
  readonly tau?: number;
  /** Sd of the bias that a restart of one twin draws anew, and how many rounds are averaged. */
  readonly restart?: { readonly sd: number; readonly rounds: number };
  /** Sd of drift between the twins over a run of the planned length. */
  readonly driftSd?: number;
}

/** Noise and bias of one mirror on one machine, learned without a plan; by SLO name. */
export interface CalibrationProfile {
  readonly slos: Readonly<Record<string, SloCalibration>>;
}

/** How the bias is treated, and whether it may be relied on to pass. */
export interface BiasChoice {
  readonly bias: BiasModel;
  /** False: a restart drew the bias anew and nobody knows how large; the model is a pessimist's and can only reject. */
  readonly calibrated: boolean;
}

/** Chooses the bias model of one SLO (STATISTICS.md 3.2 and 4, instance bias). */
export function chooseBias(options: {
  readonly measure: Measure;
  readonly scale: EffectScale;
  readonly restarted: boolean;
  readonly calibration: SloCalibration | undefined;
  readonly controlLevel: number;
}): BiasChoice {
  const { scale, calibration } = options;
  const tau = calibration?.tau ?? 0;
  const least = scale === "log" ? JUDGE_RULES.tauRatioMin : 0;
  const base: BiasModel = {
    ...PLAIN_BIAS,
    tau: tau > 0 ? Math.max(tau, least) : 0,
    ...(calibration?.driftSd === undefined ? {} : { driftSd: calibration.driftSd }),
  };
  if (!options.restarted) return { bias: base, calibrated: true };
  const restart = calibration?.restart;
  if (restart !== undefined) return { bias: { ...base, redrawn: restart }, calibrated: true };
  return { bias: { ...base, redrawn: { sd: pessimisticSd(options), rounds: 1 } }, calibrated: false };
}

function pessimisticSd(options: {
  readonly measure: Measure;
  readonly scale: EffectScale;
  readonly controlLevel: number;
}): number {
  const assumed = JUDGE_RULES.uncalibratedBias;
  if (options.measure.kind === "errors") return assumed.errors;
  return options.scale === "log" ? assumed.log : assumed.absolute * Math.abs(options.controlLevel);
}
