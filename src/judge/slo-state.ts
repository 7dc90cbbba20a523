import { describeMeasured, describeRange } from "../core/delta-range.ts";
import { deltaUnit } from "../measure/slo.ts";
import { distanceToBound, toDelta } from "./accepted.ts";
import { tailShare } from "./block-length.ts";
import { blocksToResolve, duration, type NoiseModel, resolvableAfter } from "./forecast.ts";
import { JUDGE_RULES } from "./judge-limits.ts";
import type { SloContext, SloMeasurement } from "./slo-measurement.ts";
import type { Reason, ReasonCode, SloJudgement } from "./verdict.ts";

/** What one look makes of one measurement. */
export interface Finding {
  readonly state: SloJudgement["state"];
  /** Confidence of the interval shown: both sides together. */
  readonly level: number;
  /** Distance this run can tell apart at its longest, effect scale. */
  readonly resolvable: number;
  readonly secondsToDecision?: number;
  readonly note: string;
  readonly because?: Reason;
}

/** A day: a decision further away is called out of reach. */
const REACH_SECONDS = 86_400;

/** Decides one SLO at one look: inside, outside, too early, or nothing to decide on (STATISTICS.md 3.3, 3.4, 4). */
export function findState(measured: SloMeasurement, context: SloContext): Finding {
  const forecast = forecastOf(measured, context);
  const common = { level: 1 - 2 * context.limits.alpha, resolvable: forecast.resolvable };
  const outcome = judge(measured, context, forecast);
  if (outcome.state === "pass") return { ...common, ...outcome, note: intervalText(measured) };
  const { code, text } = outcome;
  const name = measured.resolved.slo.name;
  const because: Reason = { code, subject: name, message: `${name}: ${text}` };
  const seconds = outcome.state === "open" ? forecast.secondsToDecision : undefined;
  return {
    ...common,
    state: outcome.state,
    note: text,
    because,
    ...(seconds === undefined ? {} : { secondsToDecision: seconds }),
  };
}

type Outcome =
  | { readonly state: "pass" }
  | { readonly state: "fail" | "open" | "no-data"; readonly code: ReasonCode; readonly text: string };

function judge(measured: SloMeasurement, context: SloContext, forecast: Forecast): Outcome {
  const missing = missingData(measured, context);
  if (missing !== undefined) return missing;
  const early = tooEarly(measured, context);
  if (early !== undefined) return { state: "open", code: "UNDERPOWERED", text: early };
  if (isOutside(measured, context)) {
    return {
      state: "fail",
      code: "SLO_OUTSIDE_RANGE",
      text: `${intervalText(measured)}, outside ${rangeText(measured)}`,
    };
  }
  if (!measured.choice.calibrated) {
    const why = measured.choice.contradicted
      ? "whose own bias is not the one of the profile, as the baseline shows"
      : "whose own bias nobody has calibrated";
    const needed = deltaText(measured, forecast.resolvable).replace("+", "");
    const text = `the plan restarts a process, ${why}: ${intervalText(measured)} cannot pass; a calibration tells how large it is, and if it is as large as is assumed here, a margin of ${needed} would be needed`;
    return { state: "open", code: "BIAS_UNCALIBRATED", text };
  }
  if (isInside(measured, context)) return { state: "pass" };
  return { state: "open", code: "UNDERPOWERED", text: undecidedText(measured, context, forecast) };
}

function missingData(measured: SloMeasurement, context: SloContext): Outcome | undefined {
  const { before, after, blockMs } = measured;
  const none = (text: string): Outcome => ({ state: "no-data", code: "NO_DATA", text });
  const { minBlocksBefore } = context.limits;
  const m = before.influence.length;
  if (m < minBlocksBefore) {
    const long = context.store.grid(context.windows.baseline, blockMs).count;
    const needed = `${minBlocksBefore} of ${blockMs / 1000} s are needed (${duration((minBlocksBefore * blockMs) / 1000)})`;
    if (long >= minBlocksBefore) return none(`only ${m} of ${long} baseline blocks have data of both twins, ${needed}`);
    return { state: "open", code: "UNDERPOWERED", text: `the baseline has ${m} blocks, ${needed}` };
  }
  const n = after.influence.length;
  const lost = after.invalid / (n + after.invalid);
  if (lost > JUDGE_RULES.invalidShareMax) {
    return none(`${after.invalid} of ${n + after.invalid} blocks after the plan lack data of a twin`);
  }
  if (before.constant && after.constant && !isOutside(measured, context)) {
    return none("no value ever changed on either twin, as if the measurement had stopped");
  }
  if (measured.resolved.slo.measure.kind === "errors" && worstControl(measured) > JUDGE_RULES.controlErrorsMax) {
    return none(
      `${percent(worstControl(measured))} of requests fail on the control itself, so nothing can be compared`,
    );
  }
  return undefined;
}

function worstControl({ before, after }: SloMeasurement): number {
  return Math.max(before.levels.control, after.levels.control);
}

/** Which of the least samples after the plan has not been seen yet, in words; undefined when all have. */
export function tooEarly({ after, resolved }: SloMeasurement, context: SloContext): string | undefined {
  const n = after.influence.length;
  const { minBlocksAfter } = context.limits;
  if (n < minBlocksAfter) return `${n} of at least ${minBlocksAfter} blocks after the plan have passed`;
  const tail = tailShare(resolved.slo.measure);
  const seen = Math.floor(after.observations * (tail ?? 1));
  if (tail === undefined || after.observations * tail >= JUDGE_RULES.exceedancesMin) return undefined;
  return `${seen} of at least ${JUDGE_RULES.exceedancesMin} requests beyond the quantile were seen after the plan`;
}

function isInside({ pass, bounds, requestTest }: SloMeasurement, { limits }: SloContext): boolean {
  if (!(pass.lo > bounds.lo && pass.hi < bounds.hi)) return false;
  return requestTest === undefined || requestTest.logPass >= Math.log(1 / limits.alpha);
}

function isOutside({ fail, bounds, requestTest }: SloMeasurement, { limits, sloCount }: SloContext): boolean {
  if (!(fail.lo > bounds.hi || fail.hi < bounds.lo)) return false;
  return requestTest === undefined || requestTest.logFail >= Math.log(sloCount / limits.alpha);
}

interface Forecast {
  readonly resolvable: number;
  readonly secondsToDecision?: number;
  /** Seconds of observation a decision would take in all, if it is within a day. */
  readonly secondsInAll?: number;
}

function forecastOf(measured: SloMeasurement, context: SloContext): Forecast {
  const { blockMs, pass, bounds, before, after, choice } = measured;
  const { alpha, g, observeSecondsMax, minBlocksAfter } = context.limits;
  const inside = pass.estimate > bounds.lo && pass.estimate < bounds.hi;
  const noise: NoiseModel = {
    blockSd: pass.blockSd,
    varianceInflation: pass.varianceInflation,
    blocksBefore: before.influence.length,
    bias: choice.bias,
    alpha: inside ? alpha : alpha / context.sloCount,
    g,
  };
  const most = Math.max(1, Math.floor((observeSecondsMax * 1000) / blockMs));
  const resolvable = resolvableAfter({ ...noise, alpha }, most);
  const distance = distanceToBound(pass.estimate, bounds);
  const reach = Math.floor((REACH_SECONDS * 1000) / blockMs);
  const byNoise = blocksToResolve(noise, distance, { least: minBlocksAfter, most: reach });
  if (byNoise === undefined) return { resolvable };
  const now = after.influence.length;
  const blocks = Math.max(byNoise, now + 1, blocksForSamples(measured, context));
  const secondsInAll = (blocks * blockMs) / 1000;
  if (blocks > most) return { resolvable, secondsInAll };
  return { resolvable, secondsInAll, secondsToDecision: ((blocks - now) * blockMs) / 1000 };
}

/** Blocks until the fixed sample rules are met at the present pace. */
function blocksForSamples({ after, resolved, requestTest }: SloMeasurement, { limits }: SloContext): number {
  const n = after.influence.length;
  const tail = tailShare(resolved.slo.measure);
  if (tail !== undefined) {
    return Math.ceil((JUDGE_RULES.exceedancesMin / Math.max(after.observations * tail, 1e-9)) * n);
  }
  if (requestTest === undefined) return 0;
  // Evidence grows about in proportion to the pairs.
  const target = Math.log(1 / limits.alpha);
  const evidence = Math.max(requestTest.logPass, requestTest.logFail);
  return evidence > 0 ? Math.ceil((target / evidence) * n) : 2 * n;
}

function undecidedText(measured: SloMeasurement, context: SloContext, forecast: Forecast): string {
  const { observeSecondsMax } = context.limits;
  const inRange = measured.pass.lo > measured.bounds.lo && measured.pass.hi < measured.bounds.hi;
  const straddles =
    inRange && measured.requestTest !== undefined
      ? `${intervalText(measured)} keeps ${rangeText(measured)}, but too few requests were seen to be sure`
      : `${intervalText(measured)} does not settle ${rangeText(measured)}`;
  const smallest = deltaText(measured, forecast.resolvable).replace("+", "");
  const needs =
    forecast.secondsInAll === undefined
      ? "after a baseline of this length no observation would"
      : `a decision takes about ${duration(forecast.secondsInAll)} of observation`;
  return `${straddles}; ${needs}, ${duration(observeSecondsMax)} are allowed and tell ${smallest} apart`;
}

/** `+3.1% (98% interval -1% to +7.3%)`. */
function intervalText(measured: SloMeasurement): string {
  const { pass } = measured;
  return `${deltaText(measured, pass.estimate)} (interval ${deltaText(measured, pass.lo)} to ${deltaText(measured, pass.hi)})`;
}

function deltaText({ scale, accepted, resolved }: SloMeasurement, effect: number): string {
  return describeMeasured(toDelta(effect, scale), accepted.scale, deltaUnit(resolved.slo.measure));
}

function rangeText({ accepted, resolved }: SloMeasurement): string {
  return `the accepted ${describeRange(accepted, deltaUnit(resolved.slo.measure))}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))}%`;
}
