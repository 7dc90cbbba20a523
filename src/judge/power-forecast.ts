import { type DeltaRange, describeDelta } from "../core/delta-range.ts";
import { deltaUnit, fallsWithRate } from "../measure/slo.ts";
import {
  acceptedRange,
  boundsOf,
  distanceToBound,
  effectScale,
  expectedEffect,
  type ResolvedSlo,
  toDelta,
} from "./accepted.ts";
import { baselineAsked } from "./baseline-length.ts";
import { chooseBias, type SloCalibration } from "./calibration.ts";
import { widening } from "./confidence-sequence.ts";
import { blocksToResolve, type NoiseModel, resolvableAfter } from "./forecast.ts";
import { type JudgeLimits, limitsFor } from "./judge-limits.ts";
import { type MinimumSeconds, pairsNeeded } from "./minimum-seconds.ts";
import type { PlannedPower } from "./planned-power.ts";
import type { LearnedSlo } from "./profile.ts";
import { noiseAt, plannedBlockMs } from "./profile-noise.ts";
import { sampleRules } from "./sample-rules.ts";

/** What a run can be expected to tell of one SLO; JSON-shaped: null where nobody knows or no time would do. */
export interface PowerForecast {
  readonly name: string;
  /** Where the noise is known from: `rate` means that only the fixed sample rules were asked. */
  readonly from: "rate" | "profile" | "baseline";
  readonly accepted: DeltaRange;
  readonly unit: "pp" | "";
  /** Distance from what a conforming plan is expected to do to the nearest limit, delta scale. */
  readonly margin: number;
  /** Smallest distance from a limit that is told apart in the time allowed, 80% chance; delta scale. */
  readonly smallest: number | null;
  /** Baseline and observation until a conforming plan passes, 80% chance, s. */
  readonly baselineSeconds: number | null;
  readonly observeSeconds: number | null;
  readonly allowed: { readonly baselineSeconds: number; readonly observeSeconds: number };
  /** Error rates: pairs of requests without an error that the exact test needs. */
  readonly cleanPairs?: number;
  readonly possible: boolean;
  /** What limits it, or which time, margin or rate would make it possible. */
  readonly advice: string;
}

/** What a forecast before the run is made from. */
export interface ForecastInput {
  readonly limits: JudgeLimits;
  /** Requests a second of what the SLO measures; Infinity where it measures no requests. */
  readonly ratePerSecond: number;
  /** The plan replaces a process: its bias is drawn anew (STATISTICS.md 3.2). */
  readonly restarted: boolean;
  /** What a profile knows of the SLO, and what the judge believes of it. */
  readonly learned?: LearnedSlo;
  readonly calibration?: SloCalibration;
}

/** Power of one SLO before anything is raised: from the profile if there is one, else from the rate alone. */
export function forecastBefore(resolved: ResolvedSlo, input: ForecastInput): PowerForecast {
  const { limits, learned } = input;
  const { least, text, outOfReach } = sampleRules(resolved, input);
  const common = commonOf(resolved, limits);
  if (learned === undefined || outOfReach !== undefined) {
    const uncalibrated = input.restarted ? `${UNCALIBRATED}; ` : "";
    return {
      ...common,
      from: "rate",
      smallest: null,
      baselineSeconds: finite(baselineAsked(least.beforeSeconds, limits)),
      observeSeconds: finite(least.afterSeconds),
      possible: outOfReach === undefined && !input.restarted,
      advice: outOfReach ?? `${uncalibrated}${text} at least; the noise is not known yet`,
    };
  }
  return fromProfile(resolved, { ...input, learned }, least);
}

const UNCALIBRATED =
  "the plan replaces a process, whose own bias nobody has calibrated: it can be rejected, not promoted";

function fromProfile(
  resolved: ResolvedSlo,
  input: ForecastInput & { readonly learned: LearnedSlo },
  least: MinimumSeconds,
): PowerForecast {
  const { limits, learned, restarted } = input;
  const { bias, calibrated } = biasOf(resolved, input);
  const blockMs = plannedBlockMs(resolved.slo.measure, input, limits);
  const noise: NoiseModel = { ...noiseAt(learned, blockMs), blocksBefore: 0, bias, alpha: limits.alpha, g: limits.g };
  const common = commonOf(resolved, limits);
  const distance = distanceOf(resolved);
  const seconds = (blocks: number): number => (blocks * blockMs) / 1000;
  const plan = shortestPlan(noise, distance, { limits: limitsFor(resolved.slo.measure, limits), blockMs });
  const most = Math.max(1, Math.floor((limits.observeSecondsMax * 1000) / blockMs));
  const smallest = resolvableAfter({ ...noise, blocksBefore: plan.before }, most);
  const observeSeconds = Math.max(plan.after === undefined ? Infinity : seconds(plan.after), least.afterSeconds);
  const inTime = observeSeconds <= limits.observeSecondsMax;
  const scale = learned.scale;
  const say = (effect: number): string =>
    describeDelta(toDelta(effect, scale), common.accepted.scale, common.unit).replace("+", "");
  const floor = widening(bias, limits.alpha);
  return {
    ...common,
    from: "profile",
    smallest: finite(toDelta(smallest, scale)),
    baselineSeconds: baselineAsked(seconds(plan.before), limits),
    observeSeconds: finite(observeSeconds),
    possible: inTime && calibrated,
    advice:
      !calibrated && restarted
        ? UNCALIBRATED
        : inTime
          ? `decided by ${plan.after !== undefined && seconds(plan.after) >= least.afterSeconds ? "the noise" : least.rule}`
          : floor >= distance
            ? `the bias ${restarted ? "that a restart draws anew" : "that drifts"} alone takes ${say(floor)}: no time or rate would do, a margin of ${say(smallest)} would`
            : `a margin of ${say(smallest)} would do${faster(resolved, learned.ratePerSecond, (smallest / distance) ** 2)}`,
  };
}

/**
 * Why an SLO can not pass whatever is measured: the bias that a restart draws anew is larger than the margin. Undefined
 * where it is not, or where nobody calibrated it.
 */
export function widerThanMargin(resolved: ResolvedSlo, input: ForecastInput): string | undefined {
  if (input.learned === undefined || !input.restarted) return undefined;
  const { bias, calibrated } = biasOf(resolved, { ...input, learned: input.learned });
  if (!calibrated || widening(bias, input.limits.alpha) < distanceOf(resolved)) return undefined;
  return forecastBefore(resolved, input).advice;
}

/** The forecast that the measured baseline gives, in the same form. */
export function forecastAfterBaseline(
  resolved: ResolvedSlo,
  power: PlannedPower,
  options: { readonly limits: JudgeLimits; readonly restartUncalibrated: boolean },
): PowerForecast {
  const { because, minimalDetectable, baselineSeconds, observeSeconds, unseen } = power;
  return {
    ...commonOf(resolved, options.limits),
    from: "baseline",
    smallest: finite(minimalDetectable),
    baselineSeconds: finite(baselineAsked(baselineSeconds, options.limits)),
    observeSeconds: finite(observeSeconds),
    possible: because === undefined && unseen === undefined && !options.restartUncalibrated,
    advice:
      because?.message ??
      unseen ??
      (options.restartUncalibrated ? UNCALIBRATED : "as the noise of the baseline has it"),
  };
}

/** What every forecast of an SLO says, however it was made. */
export function commonOf(
  resolved: ResolvedSlo,
  limits: JudgeLimits,
): Pick<PowerForecast, "name" | "accepted" | "unit" | "margin" | "allowed" | "cleanPairs"> {
  const accepted = acceptedRange(resolved) ?? resolved.slo.limit;
  const pairs = resolved.slo.measure.kind === "errors" ? pairsNeeded(resolved, limits.alpha) : 0;
  return {
    name: resolved.slo.name,
    accepted,
    unit: deltaUnit(resolved.slo.measure),
    margin: toDelta(distanceOf(resolved), effectScale(accepted)),
    allowed: { baselineSeconds: limits.baselineSecondsMax, observeSeconds: limits.observeSecondsMax },
    ...(pairs > 0 && Number.isFinite(pairs) ? { cleanPairs: pairs } : {}),
  };
}

function distanceOf(resolved: ResolvedSlo): number {
  const bounds = boundsOf(acceptedRange(resolved) ?? resolved.slo.limit);
  return distanceToBound(expectedEffect(bounds), bounds);
}

function biasOf(
  resolved: ResolvedSlo,
  { restarted, learned, calibration, limits }: ForecastInput & { readonly learned: LearnedSlo },
): ReturnType<typeof chooseBias> {
  const { measure } = resolved.slo;
  const { scale, controlLevel } = learned;
  const spanSeconds = (limits.baselineSecondsMax + limits.observeSecondsMax) / 2;
  return chooseBias({ measure, scale, restarted, calibration, controlLevel, spanSeconds });
}

/**
 * Least baseline and observation together that resolve the distance within what is allowed; where nothing does, the
 * longest baseline and what it would take after it.
 */
function shortestPlan(
  noise: NoiseModel,
  distance: number,
  options: { readonly limits: JudgeLimits; readonly blockMs: number },
): { readonly before: number; readonly after: number | undefined } {
  const { limits, blockMs } = options;
  const least = limits.minBlocksAfter;
  const longest = Math.max(limits.minBlocksBefore, Math.floor((limits.baselineSecondsMax * 1000) / blockMs));
  const allowed = Math.floor((limits.observeSecondsMax * 1000) / blockMs);
  const afterFor = (before: number, most: number): number | undefined =>
    blocksToResolve({ ...noise, blocksBefore: before }, distance, { least, most });
  let best: { before: number; after: number } | undefined;
  for (let before = limits.minBlocksBefore; before <= longest; before++) {
    const after = afterFor(before, allowed);
    if (after !== undefined && (best === undefined || before + after < best.before + best.after))
      best = { before, after };
  }
  return best ?? { before: longest, after: afterFor(longest, Math.floor((REACH_SECONDS * 1000) / blockMs)) };
}

/** A day; beyond it no time would do. */
const REACH_SECONDS = 86_400;

/** A higher rate, where it lowers the noise. */
function faster({ slo }: ResolvedSlo, ratePerSecond: number, factor: number): string {
  if (!fallsWithRate(slo.measure) || !Number.isFinite(factor) || !Number.isFinite(ratePerSecond)) return "";
  return `, or about ${Math.ceil(Number((ratePerSecond * factor).toPrecision(2)))} requests a second`;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
