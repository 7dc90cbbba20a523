import { describeRange } from "../core/delta-range.ts";
import { CONTRADICTIONS } from "./calibration.ts";
import { explainBaseline, neededText } from "./explain-baseline.ts";
import {
  axisNote,
  capital,
  delta,
  deltaOf,
  type ExplanationLine,
  exact,
  levelText,
  percent,
  unsigned,
} from "./explain-words.ts";
import { duration } from "./forecast.ts";
import type { JudgeLimits } from "./judge-limits.ts";
import { passingRange } from "./passing-margin.ts";
import type { Derivation, SloJudgement } from "./verdict.ts";

/** What is the same for every SLO of one decision. */
export interface ExplainContext {
  readonly limits: Pick<JudgeLimits, "alpha" | "g" | "design" | "baselineSecondsMax" | "observeSecondsMax">;
  /** Number of SLOs judged together. */
  readonly sloCount: number;
}

/**
 * How one SLO came to its state, step by step: asked, measured, cut, left out, corrected, deflated, bounded, answered,
 * and what would have changed the answer. Every number is one of the judgement's own.
 */
export function explainSlo(slo: SloJudgement, context: ExplainContext): readonly ExplanationLine[] {
  const { derivation, baseline } = slo;
  return [
    { topic: "asked", text: askedText(slo) },
    ...(derivation === undefined ? [] : derived(slo, derivation, context)),
    ...(baseline === undefined ? [] : explainBaseline(slo, baseline)),
    { topic: "answer", text: answerText(slo) },
    { topic: "otherwise", text: otherwiseText(slo, context) },
  ];
}

function derived(slo: SloJudgement, derivation: Derivation, context: ExplainContext): readonly ExplanationLine[] {
  return [
    { topic: "measured", text: measuredText(slo, derivation) },
    { topic: "blocks", text: blocksText(slo, derivation) },
    { topic: "left out", text: leftOutText(derivation) },
    { topic: "own difference", text: biasText(slo, derivation) },
    { topic: "noise", text: noiseText(slo, derivation) },
    { topic: "interval", text: intervalText(slo, derivation, context) },
    ...(slo.buckets === undefined ? [] : [{ topic: "buckets", text: bucketsText(slo, slo.buckets) }]),
    { topic: "rejection", text: rejectionText(slo, derivation, context) },
    ...(slo.requestTest === undefined ? [] : [{ topic: "requests", text: requestsText(slo, context) }]),
  ];
}

function askedText(slo: SloJudgement): string {
  const limit = `the operator allows ${describeRange(slo.limit, slo.unit)}`;
  if (slo.promised === undefined) return `${capital(limit)}; the plan promises nothing narrower.`;
  const promised = `the plan promises ${describeRange(slo.promised, slo.unit)}`;
  return `${capital(limit)}, ${promised}; both must hold, so ${describeRange(slo.accepted, slo.unit)} is tested.`;
}

function measuredText(slo: SloJudgement, { estimateBefore, estimateAfter, scale }: Derivation): string {
  const { levels } = slo;
  const level = (value: number): string => levelText(value, levels.unit);
  return (
    `Control ${level(levels.controlBefore)} before the plan and ${level(levels.controlAfter)} after it, ` +
    `shadow ${level(levels.shadowBefore)} and ${level(levels.shadowAfter)}; shadow against control ` +
    `${deltaOf(slo, scale, estimateBefore)} before and ${deltaOf(slo, scale, estimateAfter)} after.`
  );
}

function blocksText({ blocks }: SloJudgement, { design, blockDoublings, observations }: Derivation): string {
  if (design === "switchback") {
    return `${blocks.after} rounds with the plan in force for ${blocks.blockMs / 1000} s, each between two stretches without it; a round gives one value.`;
  }
  const requests =
    observations.after > 0 ? ` with ${observations.before} and ${observations.after} requests or observations` : "";
  const why =
    blockDoublings.length === 0
      ? "the shortest block asked for was long enough"
      : `longer than asked for, because a block of ${blockDoublings.join(", then one of ")}`;
  return `${blocks.before} blocks before and ${blocks.after} after the plan, ${blocks.blockMs / 1000} s each${requests}; ${why}.`;
}

function leftOutText({ design, invalidBlocks }: Derivation): string {
  const { before, after } = invalidBlocks;
  if (design === "switchback") return `${after} rounds that lacked sound data of a twin.`;
  if (before + after === 0) return "No block: every one had sound data of both twins.";
  return `${before} of the blocks before and ${after} of those after the plan lacked sound data of a twin; they are left out on both.`;
}

function biasText(slo: SloJudgement, derivation: Derivation): string {
  const { design, bias, biasKept, estimateBefore, scale, widening } = derivation;
  if (design === "switchback") {
    return `The twins differed by ${deltaOf(slo, scale, estimateBefore)} without the plan; each round is held against the stretches around it, so this difference and slow drift of it are in both and cancel.`;
  }
  const known =
    widening > 0 ? ` The interval is widened by ${exact(widening)} for what a restart or drift may add.` : "";
  if (bias.restart !== undefined) {
    const { sd, rounds } = bias.restart;
    const whence = bias.calibrated ? "calibrated" : "assumed, nobody calibrated it, so this can not pass";
    return `The plan restarts a process, which draws the twins' own difference anew: nothing is taken off; sd ${exact(sd)} over ${rounds} round${rounds === 1 ? "" : "s"} (${whence}).${known}`;
  }
  const seen = deltaOf(slo, scale, estimateBefore);
  const removed = delta(slo, slo.biasRemoved);
  const how =
    bias.tau > 0
      ? `${percent(biasKept)} of it, ${removed}, is believed and was taken off (calibrated sd of the twins' difference ${exact(bias.tau)})`
      : `all of it, ${removed}, was taken off (${unbelieved(bias)}: plain difference in differences)`;
  return `The twins differed by ${seen} before the plan; ${how}.${known}`;
}

function unbelieved({ contradicted }: Derivation["bias"]): string {
  return contradicted === undefined
    ? "no calibration"
    : `the calibration is not believed, ${CONTRADICTIONS[contradicted]}`;
}

function noiseText(slo: SloJudgement, { design, scale, sdFloored }: Derivation): string {
  const { blockSd, varianceInflation, blocks } = slo;
  const unit = design === "switchback" ? "round" : "block";
  const axis = scale === "log" ? "on the log scale" : "in the SLO's unit";
  const floor = sdFloored ? ", the least that is believed: they moved less" : "";
  const lean =
    varianceInflation > 1
      ? `${unit}s lean on each other, ${exact(varianceInflation)} of them count as one`
      : `${unit}s do not lean on each other`;
  return `One ${unit} varies with sd ${exact(blockSd)} ${axis}${floor}; ${lean}, which leaves ${exact(blocks.effective)} effective ${unit}s for the difference.`;
}

function intervalText(slo: SloJudgement, derivation: Derivation, { limits }: ExplainContext): string {
  const { critical, standardError, degrees, widening } = derivation;
  if (!Number.isFinite(critical)) return "No interval yet: these blocks carry no information at this level.";
  const half = `${exact(critical)} x ${exact(standardError)}${widening > 0 ? ` + ${exact(widening)}` : ""} = ${exact(critical * standardError + widening)}`;
  return (
    `${delta(slo, slo.estimate ?? Number.NaN)}, and with ${percent(slo.interval.level)} confidence (${percent(limits.alpha)} error on each side, ` +
    `valid at every look) from ${delta(slo, slo.interval.lo)} to ${delta(slo, slo.interval.hi)}; half-width = critical value x standard error = ${half}${axisNote(derivation)}, ` +
    `${exact(degrees)} degrees of freedom, g = ${limits.g}.`
  );
}

function bucketsText(slo: SloJudgement, { where, lo, hi }: NonNullable<SloJudgement["buckets"]>): string {
  return `${capital(where)}; a bucket tells how many values lie in it, not where: wherever the quantile lies in them on either twin, the delta is ${delta(slo, lo)} to ${delta(slo, hi)}, and a pass needs that inside as well.`;
}

function rejectionText(
  slo: SloJudgement,
  { rejectInterval }: Derivation,
  { limits, sloCount }: ExplainContext,
): string {
  const { lo, hi } = rejectInterval;
  const level = `${percent(limits.alpha / sloCount)} error on each side`;
  const share = sloCount === 1 ? level : `${level}, ${percent(limits.alpha)} shared by ${sloCount} SLOs`;
  if (!Number.isFinite(lo)) return `Not possible yet at its level (${share}).`;
  const isOutside = lo > slo.accepted.hi || hi < slo.accepted.lo;
  return `Needs the interval at its own level (${share}) wholly outside: ${delta(slo, lo)} to ${delta(slo, hi)} is ${isOutside ? "" : "not "}wholly outside.`;
}

function requestsText({ requestTest }: SloJudgement, { limits, sloCount }: ExplainContext): string {
  const { shadowOnly = 0, controlOnly = 0, neither = 0, logPass = 0, logFail = 0 } = requestTest ?? {};
  const [pass, fail] = [Math.log(1 / limits.alpha), Math.log(sloCount / limits.alpha)];
  return (
    `${shadowOnly} requests failed on the shadow only, ${controlOnly} on the control only, ${neither} alike; the bet on single requests has log evidence ` +
    `${exact(logPass)} that the limit is kept (${exact(pass)} needed: ${logPass >= pass ? "enough" : "not enough"}) and ${exact(logFail)} that it is broken (${exact(fail)} needed: ${logFail >= fail ? "enough" : "not enough"}). Intervals and bet must agree.`
  );
}

const ANSWERS: Readonly<Record<SloJudgement["state"], string>> = {
  pass: "Holds: the interval lies wholly inside",
  fail: "Broken: the interval lies wholly outside",
  open: "Not decided",
  "no-data": "No data, and no data never passes",
};

function answerText(slo: SloJudgement): string {
  return `${ANSWERS[slo.state]}${slo.note === "" ? "" : `: ${slo.note}`}.`;
}

/** What would have made another answer of the same measurements, or of more of them. */
function otherwiseText(slo: SloJudgement, { limits }: ExplainContext): string {
  if (slo.baseline !== undefined) return neededText(slo, slo.baseline, limits);
  if (slo.derivation === undefined) return "Nothing was measured that a margin could be held against.";
  const range = passingRange(slo, limits.alpha);
  const { samplesMissing: missing, baselineShort } = slo.derivation;
  const margin =
    range === undefined
      ? `No margin would have made these measurements pass${missing === undefined ? "" : `, because ${missing}`}`
      : `These measurements would keep ${describeRange(range, slo.unit)}, and any wider margin`;
  const resolvable = Number.isFinite(slo.minimalDetectable)
    ? `; at the longest observation allowed (${duration(limits.observeSecondsMax)}) this noise tells ${unsigned(slo, slo.minimalDetectable)} apart`
    : "";
  // A baseline that is too short stays so, however long the plan is observed.
  const time =
    slo.secondsToDecision === undefined || baselineShort === true
      ? ""
      : `; about ${duration(slo.secondsToDecision)} more of observation would decide with 80% chance`;
  return `${margin}${slo.state === "pass" ? "" : time}${resolvable}.`;
}
