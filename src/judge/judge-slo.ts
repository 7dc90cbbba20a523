import type { DeltaRange } from "../core/delta-range.ts";
import { levelUnit, phaseSeries, settledSeries } from "../measure/phase-series.ts";
import type { PhaseSeries, Series } from "../measure/series.ts";
import { deltaUnit } from "../measure/slo.ts";
import { acceptedRange, effectScale, type ResolvedSlo, toDelta } from "./accepted.ts";
import { chooseBlock } from "./block-length.ts";
import { widening } from "./confidence-sequence.ts";
import { limitsFor } from "./judge-limits.ts";
import { noiseOf, powerAfter } from "./planned-power.ts";
import { measureSlo, type SloContext, type SloMeasurement } from "./slo-measurement.ts";
import { type Finding, findState, tooEarly } from "./slo-state.ts";
import type { Derivation, Reason, SloJudgement } from "./verdict.ts";
import { unseenInPhases } from "./within-buckets.ts";

/** Judges one SLO at one look; whatever the data, the answer is defined and says why. */
export function judgeSlo(resolved: ResolvedSlo, look: SloContext): SloJudgement {
  const context = { ...look, limits: limitsFor(resolved.slo.measure, look.limits) };
  const accepted = acceptedRange(resolved);
  if (accepted === undefined) {
    const message = `${resolved.slo.name}: the plan's promise and the operator's limit have no value in common`;
    return withoutData(resolved, resolved.slo.limit, { blockMs: 0, invalid: 0 }, { code: "NO_DATA", message });
  }
  const scale = effectScale(accepted);
  const { store, windows, limits, late } = context;
  const { measure } = resolved.slo;
  const calibration = context.profile?.slos[resolved.slo.name];
  const { blockMs, doublings } = chooseBlock(
    store,
    { measure, scale, baseline: windows.baseline, calibration },
    limits,
  );
  const before = settledSeries(store, { measure, scale, window: windows.baseline, blockMs, late });
  const after = phaseSeries(store, { measure, scale, window: windows.after, blockMs, late });
  if (before.kind === "no-data" || after.kind === "no-data") {
    return unfinished({ resolved, accepted, before, after, blockMs, doublings }, context);
  }
  const measurement = measureSlo({ resolved, accepted, scale, blockMs, before, after }, context);
  const derivation = { ...derivationOf(measurement, context), blockDoublings: doublings };
  const judgement = judgementOf(measurement, findState(measurement, context), derivation);
  const buckets = unseenInPhases(measurement, limits);
  return { ...judgement, ...(buckets === undefined ? {} : { buckets }) };
}

function judgementOf(measured: SloMeasurement, finding: Finding, derivation: Derivation): SloJudgement {
  const { before, after, pass, scale, resolved } = measured;
  const { slo, promised } = resolved;
  return {
    name: slo.name,
    accepted: measured.accepted,
    limit: slo.limit,
    ...(promised === undefined ? {} : { promised }),
    unit: deltaUnit(slo.measure),
    state: finding.state,
    estimate: toDelta(pass.estimate, scale),
    interval: { level: finding.level, lo: toDelta(pass.lo, scale), hi: toDelta(pass.hi, scale) },
    blocks: {
      before: before.influence.length,
      after: after.influence.length,
      invalid: before.invalid + after.invalid,
      blockMs: measured.blockMs,
      effective: pass.effectiveBlocks,
    },
    varianceInflation: pass.varianceInflation,
    blockSd: pass.blockSd,
    biasRemoved: toDelta(pass.biasRemoved, scale),
    minimalDetectable: toDelta(finding.resolvable, scale),
    ...(finding.secondsToDecision === undefined ? {} : { secondsToDecision: finding.secondsToDecision }),
    levels: {
      controlBefore: before.levels.control,
      controlAfter: after.levels.control,
      shadowBefore: before.levels.shadow,
      shadowAfter: after.levels.shadow,
      unit: levelUnit(slo.measure),
    },
    ...(measured.requestTest === undefined ? {} : { requestTest: measured.requestTest }),
    derivation,
    note: finding.note,
    ...(finding.because === undefined ? {} : { because: finding.because }),
  };
}

function derivationOf(measured: SloMeasurement, context: SloContext): Omit<Derivation, "blockDoublings"> {
  const { before, after, pass, fail, scale, choice } = measured;
  const { alpha } = context.limits;
  const { tau, redrawn, driftSd } = choice.bias;
  const spoken = context.profile?.slos[measured.resolved.slo.name]?.contradicted;
  const contradicted = spoken ?? (choice.contradicted ? "bias" : undefined);
  const blocksBefore = before.influence.length;
  const { minBlocksBefore } = context.limits;
  const samplesMissing =
    blocksBefore < minBlocksBefore
      ? `${blocksBefore} of at least ${minBlocksBefore} blocks before the plan have passed`
      : tooEarly(measured, context);
  return {
    design: "before-after",
    scale,
    estimateBefore: before.estimate,
    estimateAfter: after.estimate,
    biasKept: before.estimate === 0 ? 0 : pass.biasRemoved / before.estimate,
    bias: {
      tau,
      ...(redrawn === undefined ? {} : { restart: redrawn }),
      ...(driftSd === undefined ? {} : { driftSd }),
      calibrated: choice.calibrated,
      ...(contradicted === undefined ? {} : { contradicted }),
    },
    standardError: pass.standardError,
    degrees: pass.degrees,
    critical: pass.critical,
    widening: widening(choice.bias, alpha),
    sdFloored: pass.blockSd <= measured.floor,
    rejectInterval: {
      level: 1 - (2 * alpha) / context.sloCount,
      lo: toDelta(fail.lo, scale),
      hi: toDelta(fail.hi, scale),
    },
    invalidBlocks: { before: before.invalid, after: after.invalid },
    observations: { before: before.observations, after: after.observations },
    ...(samplesMissing === undefined ? {} : { samplesMissing }),
    ...(blocksBefore < minBlocksBefore ? { baselineShort: true } : {}),
  };
}

interface Unfinished {
  readonly resolved: ResolvedSlo;
  readonly accepted: DeltaRange;
  readonly before: PhaseSeries;
  readonly after: PhaseSeries;
  readonly blockMs: number;
  readonly doublings: readonly string[];
}

/** A phase that has not had a whole block yet is not missing, it is to come. */
function unfinished(phases: Unfinished, context: SloContext): SloJudgement {
  const { resolved, accepted, before, after, blockMs } = phases;
  const { name } = resolved.slo;
  const sides = [
    ...(before.kind === "no-data" ? [`before the plan ${before.why}`] : []),
    ...(after.kind === "no-data" ? [`after the plan ${after.why}`] : []),
  ];
  const isToCome = [before, after].every((phase) => phase.kind === "series" || phase.blocks === 0);
  const message = `${name} has no number: ${sides.join("; ")}`;
  const because: Reason = { code: isToCome ? "UNDERPOWERED" : "NO_DATA", subject: name, message };
  const counted = (phase: PhaseSeries): number => (phase.kind === "series" ? phase.influence.length : 0);
  const judgement = withoutData(resolved, accepted, { blockMs, invalid: before.invalid + after.invalid }, because);
  return {
    ...judgement,
    state: isToCome ? "open" : "no-data",
    blocks: { ...judgement.blocks, before: counted(before), after: counted(after) },
    levels: {
      controlBefore: levelOf(before, "control"),
      controlAfter: levelOf(after, "control"),
      shadowBefore: levelOf(before, "shadow"),
      shadowAfter: levelOf(after, "shadow"),
      unit: judgement.levels.unit,
    },
    ...(before.kind === "series" ? shownBefore({ ...phases, before }, context) : {}),
  };
}

/** A phase without blocks has no level; reports say so by its count. */
function levelOf(phase: PhaseSeries, role: "control" | "shadow"): number {
  return phase.kind === "series" ? phase.levels[role] : 0;
}

/** What was measured before the plan stays measured, whatever became of the plan. */
function shownBefore(
  { resolved, before, blockMs, doublings }: Unfinished & { readonly before: Series },
  context: SloContext,
): Pick<SloJudgement, "blockSd" | "varianceInflation" | "minimalDetectable" | "baseline"> {
  const noise = noiseOf(resolved, { before, blockMs }, context);
  const power = powerAfter(resolved, { before, blockMs, noise }, context);
  return {
    blockSd: noise.blockSd,
    varianceInflation: noise.varianceInflation,
    minimalDetectable: power.minimalDetectable,
    baseline: {
      difference: toDelta(before.estimate, before.scale),
      minBlocks: context.limits.minBlocksBefore,
      observations: before.observations,
      blockDoublings: doublings,
      baselineSeconds: power.baselineSeconds,
      observeSeconds: power.observeSeconds,
    },
  };
}

/** The judgement of an SLO of which there is no number, and why. */
export function withoutData(
  resolved: ResolvedSlo,
  accepted: DeltaRange,
  blocks: { readonly blockMs: number; readonly invalid: number },
  because: Reason,
): SloJudgement {
  const { slo, promised } = resolved;
  return {
    name: slo.name,
    accepted,
    limit: slo.limit,
    ...(promised === undefined ? {} : { promised }),
    unit: deltaUnit(slo.measure),
    state: "no-data",
    interval: { level: 0, lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY },
    blocks: { before: 0, after: 0, effective: 0, ...blocks },
    varianceInflation: 1,
    blockSd: 0,
    biasRemoved: 0,
    minimalDetectable: Number.POSITIVE_INFINITY,
    levels: { controlBefore: 0, controlAfter: 0, shadowBefore: 0, shadowAfter: 0, unit: levelUnit(slo.measure) },
    note: because.message,
    because: { subject: slo.name, ...because },
  };
}
