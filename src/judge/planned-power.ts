import { describeDelta } from "../core/delta-range.ts";
import { settledSeries } from "../measure/phase-series.ts";
import type { Series } from "../measure/series.ts";
import { deltaUnit, fallsWithRate } from "../measure/slo.ts";
import type { Window } from "../replay/recording.ts";
import {
  acceptedRange,
  boundsOf,
  distanceToBound,
  effectScale,
  expectedEffect,
  type ResolvedSlo,
  toDelta,
} from "./accepted.ts";
import { calibratedInflation, chooseBlockMs } from "./block-length.ts";
import { unseenPlanned } from "./bucket-doubts.ts";
import { chooseBias } from "./calibration.ts";
import { inflationOf, onePhaseSequence } from "./confidence-sequence.ts";
import {
  blocksBeforeToResolve,
  blocksOnBothSides,
  blocksToResolve,
  duration,
  type NoiseModel,
  resolvableAfter,
} from "./forecast.ts";
import { type JudgeLimits, limitsFor } from "./judge-limits.ts";
import type { LookInput } from "./judge-slos.ts";
import { minimumSeconds } from "./minimum-seconds.ts";
import { trustedProfile } from "./trust-profile.ts";
import type { Reason } from "./verdict.ts";

/** What a run of this length can be expected to tell of one SLO, said before the plan acts. */
export interface PlannedPower {
  readonly name: string;
  readonly blockMs: number;
  /** Baseline that the block length and the noise ask for, s; Infinity when no time would do. */
  readonly baselineSeconds: number;
  /** Observation after the plan until a conforming plan passes with 80% chance, s; Infinity when no time would do. */
  readonly observeSeconds: number;
  /** Distance from a bound told apart at the longest observation, delta scale. */
  readonly minimalDetectable: number;
  /** Present when the SLO can not be decided in the time allowed: what would make it possible. */
  readonly because?: Reason;
  /**
   * Present when the buckets of a histogram are too wide for a pass, and what would do. No reason to end a run: it can be rejected, and
   * with the plan in force the quantile may lie in narrower ones.
   */
  readonly unseen?: string;
}

/** A week; beyond it no time would do. */
const REACH_SECONDS = 7 * 86_400;

/** What a forecast is made from. */
export interface PowerInput extends Omit<LookInput, "windows" | "latched"> {
  readonly baseline: Window;
  /** Requests a second of the whole traffic, for SLOs of which the baseline shows none yet. */
  readonly ratePerSecond?: number;
}

/** Power of every SLO from the baseline alone (STATISTICS.md 4). */
export function powerBySlo(input: PowerInput): readonly PlannedPower[] {
  const trusting = { ...input, ...trustedProfile(input) };
  return input.slos.map((slo) => powerOf(slo, trusting));
}

/**
 * The SLOs that can not be decided within `observeSecondsMax`, each with the time, margin or traffic that would do.
 * Not empty: the run may end here as a hold, before the plan acts under load.
 */
export function plannedPower(input: PowerInput): readonly Reason[] {
  return powerBySlo(input).flatMap((power) => (power.because === undefined ? [] : [power.because]));
}

function powerOf(resolved: ResolvedSlo, input: PowerInput): PlannedPower {
  const { store, baseline } = input;
  const { name, measure } = resolved.slo;
  const limits = limitsFor(measure, input.limits);
  const calibration = input.profile?.slos[name];
  const accepted = acceptedRange(resolved) ?? resolved.slo.limit;
  const scale = effectScale(accepted);
  const blockMs = chooseBlockMs(store, { measure, scale, baseline, calibration }, limits);
  const before = settledSeries(store, { measure, scale, window: baseline, blockMs });
  if (before.kind === "no-data") {
    const message = `${name} has no number: before the plan ${before.why}`;
    const because: Reason = { code: "NO_DATA", subject: name, message };
    const baselineSeconds = (limits.minBlocksBefore * blockMs) / 1000;
    return { name, blockMs, baselineSeconds, observeSeconds: Infinity, minimalDetectable: Infinity, because };
  }
  return powerAfter(resolved, { before, blockMs, noise: noiseOf(resolved, { before, blockMs }, input) }, input);
}

/** Power of one SLO whose baseline is cut into blocks already. */
export function powerAfter(
  resolved: ResolvedSlo,
  { before, blockMs, noise }: { readonly before: Series; readonly blockMs: number; readonly noise: NoiseModel },
  input: Pick<PowerInput, "limits" | "profile" | "ratePerSecond">,
): PlannedPower {
  const { name, measure } = resolved.slo;
  const limits = limitsFor(measure, input.limits);
  const calibration = input.profile?.slos[name];
  const unseen = unseenPlanned(resolved, before);
  const base = {
    name,
    blockMs,
    baselineSeconds: (limits.minBlocksBefore * blockMs) / 1000,
    ...(unseen === undefined ? {} : { unseen }),
  };
  const bounds = boundsOf(acceptedRange(resolved) ?? resolved.slo.limit);
  const distance = distanceToBound(expectedEffect(bounds), bounds);
  const most = Math.max(1, Math.floor((limits.observeSecondsMax * 1000) / blockMs));
  const enough = before.influence.length >= limits.minBlocksBefore;
  const needs = enough ? blocksNeeded(noise, distance, { limits, blockMs }) : undefined;
  const measuredPerSecond = before.observations / ((before.influence.length * blockMs) / 1000);
  const ratePerSecond = measuredPerSecond > 0 ? measuredPerSecond : (input.ratePerSecond ?? 0);
  const least = ratePerSecond > 0 ? minimumSeconds(resolved, ratePerSecond, limits, calibration).afterSeconds : 0;
  const seconds = (count: number): number => (count * blockMs) / 1000;
  const resolvable = enough ? resolvableAfter(noise, most) : Infinity;
  const power = {
    ...base,
    baselineSeconds: seconds(needs?.before ?? limits.minBlocksBefore),
    observeSeconds: Math.max(seconds(needs?.after ?? limits.minBlocksAfter), least),
    minimalDetectable: toDelta(resolvable, before.scale),
  };
  const fits = needs !== undefined && needs.before <= before.influence.length;
  if (fits && power.observeSeconds <= limits.observeSecondsMax) return power;
  const text = enough
    ? shortfall({ power, resolved, limits, before, factor: resolvable / distance })
    : `${name} needs a baseline of ${duration(base.baselineSeconds)} (${limits.minBlocksBefore} blocks of ${blockMs / 1000} s) and at least ${duration(power.observeSeconds)} of observation; the baseline has ${before.influence.length} blocks.`;
  return { ...power, because: { code: "UNDERPOWERED", subject: name, message: text } };
}

/**
 * Blocks on both sides: after this baseline if that is enough or costs less; else with the longer one that the time
 * allowed has room for; else with as many on both sides, however long that is.
 */
function blocksNeeded(
  noise: NoiseModel,
  distance: number,
  options: { readonly limits: JudgeLimits; readonly blockMs: number },
): { readonly before: number; readonly after: number } {
  const { limits, blockMs } = options;
  const blocksIn = (seconds: number): number => Math.floor((seconds * 1000) / blockMs);
  const reach = blocksIn(REACH_SECONDS);
  const after = blocksToResolve(noise, distance, { least: limits.minBlocksAfter, most: reach }) ?? Infinity;
  if ((after * blockMs) / 1000 <= limits.observeSecondsMax) return { before: noise.blocksBefore, after };
  const blocksAfter = blocksIn(limits.observeSecondsMax);
  const range = { least: noise.blocksBefore, most: blocksIn(limits.baselineSecondsMax), blocksAfter };
  const longer = blocksAfter < 1 ? undefined : blocksBeforeToResolve(noise, distance, range);
  if (longer !== undefined) return { before: longer, after: blocksAfter };
  const balanced =
    blocksOnBothSides(noise, distance, { least: limits.minBlocksBefore, most: reach }) ?? Number.POSITIVE_INFINITY;
  if (Number.isFinite(after) && noise.blocksBefore + after <= 2 * balanced) {
    return { before: noise.blocksBefore, after };
  }
  return { before: balanced, after: balanced };
}

/** Noise that a forecast believes after this baseline. */
export function noiseOf(
  resolved: ResolvedSlo,
  { before, blockMs }: { readonly before: Series; readonly blockMs: number },
  input: Pick<LookInput, "limits" | "profile" | "restarted">,
): NoiseModel {
  const { limits } = input;
  const squares = before.influence.reduce((total, value) => total + value * value, 0);
  const m = before.influence.length;
  const asked = {
    measure: resolved.slo.measure,
    scale: before.scale,
    calibration: input.profile?.slos[resolved.slo.name],
    controlLevel: before.levels.control,
    baseline: onePhaseSequence(before, before.floor, limits),
    spanSeconds: (limits.baselineSecondsMax + limits.observeSecondsMax) / 2,
  };
  const restarted = chooseBias({ ...asked, restarted: input.restarted });
  // A restart that nobody calibrated can not pass but may well be rejected: noise alone must not end such a run.
  const { bias } = restarted.calibrated ? restarted : chooseBias({ ...asked, restarted: false });
  return {
    blockSd: Math.max(m > 1 ? Math.sqrt(squares / (m - 1)) : 0, before.floor),
    varianceInflation: inflationOf(
      { before: before.influence, after: [] },
      calibratedInflation(asked.calibration, blockMs),
    ),
    blocksBefore: m,
    bias,
    alpha: limits.alpha,
    g: limits.g,
  };
}

/** What it would take: time, or a margin, or traffic. */
function shortfall(input: {
  readonly power: Omit<PlannedPower, "because">;
  readonly resolved: ResolvedSlo;
  readonly limits: JudgeLimits;
  readonly before: Series;
  /** Distance that can be told apart over the distance that has to be. */
  readonly factor: number;
}): string {
  const { power, resolved, limits, before, factor } = input;
  const { name, measure } = resolved.slo;
  const unit = deltaUnit(measure);
  const margin = describeDelta(power.minimalDetectable, before.scale === "log" ? "ratio" : "absolute", unit);
  const time = Number.isFinite(power.observeSeconds)
    ? `about ${duration(power.baselineSeconds)} of baseline and ${duration(power.observeSeconds)} of observation (${duration(limits.observeSecondsMax)} are allowed)`
    : "more time than any run has";
  const ways = [
    ...(Number.isFinite(power.minimalDetectable) && factor > 1 ? [`a margin of ${margin.replace("+", "")}`] : []),
    ...(fallsWithRate(measure) && Number.isFinite(factor) && factor > 1
      ? [`about ${Math.ceil(factor ** 2)} times the traffic`]
      : []),
  ];
  const instead = ways.length === 0 ? "" : `; ${ways.join(" or ")} would do`;
  return `${name} can not be decided in this run: it needs ${time}${instead}.`;
}
