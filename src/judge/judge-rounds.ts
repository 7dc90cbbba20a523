import { describeMeasured, describeRange } from "../core/delta-range.ts";
import { type EffectScale, sum } from "../measure/arm-series.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { levelUnit } from "../measure/phase-series.ts";
import type { LateRule } from "../measure/series.ts";
import { deltaUnit } from "../measure/slo.ts";
import {
  acceptedRange,
  type Bounds,
  boundsOf,
  distanceToBound,
  effectScale,
  type ResolvedSlo,
  toDelta,
} from "./accepted.ts";
import { tailShare } from "./block-length.ts";
import type { ConfidenceSequence } from "./confidence-sequence.ts";
import { duration } from "./forecast.ts";
import { JUDGE_RULES, type JudgeLimits, type SwitchbackDesign } from "./judge-limits.ts";
import { withoutData } from "./judge-slo.ts";
import { judgeEach } from "./late-check.ts";
import { missingRounds } from "./missing-rounds.ts";
import { roundsDerivation } from "./rounds-derivation.ts";
import { requestEvidence } from "./slo-measurement.ts";
import {
  neverMoved,
  pairsInForce,
  type RoundValue,
  resolvableByRounds,
  roundsInflation,
  roundsSequence,
  roundValues,
  type SwitchbackRound,
} from "./switchback.ts";
import type { Reason, ReasonCode, SloJudgement } from "./verdict.ts";
import { unseenInRounds } from "./within-buckets.ts";

/** Everything a look at a switchback needs: the rounds that are complete, of those that `design` asks for. */
export interface RoundsLook {
  readonly store: BlockStore;
  readonly slos: readonly ResolvedSlo[];
  readonly rounds: readonly SwitchbackRound[];
  readonly design: SwitchbackDesign;
  readonly limits: JudgeLimits;
  readonly restarted: boolean;
  readonly latched?: readonly SloJudgement[];
}

/** Judges every SLO on the rounds so far; may be called after every round. A fail stays, a pass does not. */
export function judgeRounds(look: RoundsLook): readonly SloJudgement[] {
  const without = look.rounds.flatMap(({ before, after }) => [before, after]);
  const phases = { without, inForce: look.rounds.map(({ on }) => on) };
  return judgeEach({ ...look, phases }, (resolved, late) => judgeOne(resolved, look, late));
}

interface Measured {
  readonly resolved: ResolvedSlo;
  readonly look: RoundsLook;
  readonly values: readonly RoundValue[];
  readonly invalid: number;
  readonly scale: EffectScale;
  readonly bounds: Bounds;
  readonly pass: ConfidenceSequence;
  readonly fail: ConfidenceSequence;
  readonly requestTest?: NonNullable<SloJudgement["requestTest"]>;
}

function judgeOne(resolved: ResolvedSlo, look: RoundsLook, late: LateRule): SloJudgement {
  const accepted = acceptedRange(resolved);
  const blockMs = look.design.secondsOn * 1000;
  const { name, measure } = resolved.slo;
  if (accepted === undefined) {
    const message = `${name}: the plan's promise and the operator's limit have no value in common`;
    return withoutData(resolved, resolved.slo.limit, { blockMs, invalid: 0 }, { code: "NO_DATA", message });
  }
  const query = { measure, scale: effectScale(accepted), late };
  const all = roundValues(look.store, query, look.rounds);
  const values = all.filter((value) => value !== undefined);
  const invalid = all.length - values.length;
  if (values.length === 0) {
    const early = all.length === 0;
    const message = `${name} has no number: ${early ? "no round has ended yet" : missingRounds(look.store, query, look.rounds)}`;
    const because: Reason = { code: early ? "UNDERPOWERED" : "NO_DATA", subject: name, message };
    const judgement = withoutData(resolved, accepted, { blockMs, invalid }, because);
    return early ? { ...judgement, state: "open" } : judgement;
  }
  const noise = {
    floor: Math.max(...values.map((value) => value.floor)),
    inflation: roundsInflation(look.restarted),
  };
  const effects = values.map((value) => value.effect);
  const { alpha, g } = look.limits;
  const bounds = boundsOf(accepted);
  const pairs = measure.kind === "errors" ? pairsInForce(values) : undefined;
  return judgementOf({
    resolved,
    look,
    values,
    invalid,
    scale: query.scale,
    bounds,
    pass: roundsSequence(effects, noise, { alpha, g }),
    fail: roundsSequence(effects, noise, { alpha: alpha / look.slos.length, g }),
    ...(pairs === undefined ? {} : { requestTest: { ...pairs, ...requestEvidence(pairs, bounds) } }),
  });
}

function judgementOf(measured: Measured): SloJudgement {
  const { resolved, look, values, pass, invalid, scale } = measured;
  const accepted = acceptedRange(resolved) ?? resolved.slo.limit;
  const mean = (pick: (value: RoundValue) => number): number => sum(values.map(pick)) / values.length;
  const off = (role: "control" | "shadow"): number =>
    mean((value) => (value.off[0].levels[role] + value.off[1].levels[role]) / 2);
  const outcome = outcomeOf(measured);
  const buckets = unseenInRounds(measured);
  const { promised, slo } = resolved;
  const noise = { sd: pass.blockSd, inflation: pass.varianceInflation };
  const seconds = outcome.state === "open" ? secondsToDecision(measured) : undefined;
  return {
    name: slo.name,
    accepted,
    limit: slo.limit,
    ...(promised === undefined ? {} : { promised }),
    unit: deltaUnit(slo.measure),
    state: outcome.state,
    estimate: toDelta(pass.estimate, scale),
    interval: { level: 1 - 2 * look.limits.alpha, lo: toDelta(pass.lo, scale), hi: toDelta(pass.hi, scale) },
    blocks: {
      before: values.length,
      after: values.length,
      invalid,
      blockMs: look.design.secondsOn * 1000,
      effective: pass.effectiveBlocks,
    },
    varianceInflation: pass.varianceInflation,
    blockSd: pass.blockSd,
    biasRemoved: toDelta(mean((value) => value.on.estimate) - pass.estimate, scale),
    minimalDetectable: toDelta(resolvableByRounds(look.design.rounds, noise, look.limits), scale),
    ...(seconds === undefined ? {} : { secondsToDecision: seconds }),
    levels: {
      controlBefore: off("control"),
      controlAfter: mean((value) => value.on.levels.control),
      shadowBefore: off("shadow"),
      shadowAfter: mean((value) => value.on.levels.shadow),
      unit: levelUnit(slo.measure),
    },
    ...(measured.requestTest === undefined ? {} : { requestTest: measured.requestTest }),
    ...(buckets === undefined ? {} : { buckets }),
    derivation: roundsDerivation({
      ...measured,
      rejectLevel: 1 - (2 * look.limits.alpha) / look.slos.length,
      missing: tooFewBeyond(measured),
    }),
    note: outcome.text,
    ...(outcome.state === "pass"
      ? {}
      : { because: { code: outcome.code, subject: slo.name, message: `${slo.name}: ${outcome.text}` } }),
  };
}

type Outcome =
  | { readonly state: "pass"; readonly text: string }
  | { readonly state: "fail" | "open" | "no-data"; readonly code: ReasonCode; readonly text: string };

function outcomeOf(measured: Measured): Outcome {
  const { values, invalid, look, pass, bounds } = measured;
  const count = values.length;
  if (count + invalid >= JUDGE_RULES.roundsMin && invalid / (count + invalid) > JUDGE_RULES.invalidShareMax) {
    const query = { measure: measured.resolved.slo.measure, scale: measured.scale };
    return { state: "no-data", code: "NO_DATA", text: missingRounds(look.store, query, look.rounds) };
  }
  // Error rates may well be zero in every stretch; any other level that is the same in all of them was not measured.
  const isStill = measured.resolved.slo.measure.kind !== "errors" && neverMoved(values);
  if (isStill && !isOutside(measured)) {
    const text = "no value ever changed on either twin, as if the measurement had stopped";
    return { state: "no-data", code: "NO_DATA", text };
  }
  if (count < JUDGE_RULES.roundsMin) {
    const text = `${count} of at least ${JUDGE_RULES.roundsMin} rounds have passed`;
    return { state: "open", code: "UNDERPOWERED", text };
  }
  const early = tooFewBeyond(measured);
  if (early !== undefined) return { state: "open", code: "UNDERPOWERED", text: early };
  if (isOutside(measured)) {
    const text = `${intervalText(measured)}, outside ${rangeText(measured)}`;
    return { state: "fail", code: "SLO_OUTSIDE_RANGE", text };
  }
  const { requestTest } = measured;
  const inRange = pass.lo > bounds.lo && pass.hi < bounds.hi;
  const sure = requestTest === undefined || requestTest.logPass >= Math.log(1 / look.limits.alpha);
  if (inRange && sure) return { state: "pass", text: intervalText(measured) };
  return { state: "open", code: "UNDERPOWERED", text: undecidedText(measured, inRange) };
}

function tooFewBeyond({ resolved, values }: Measured): string | undefined {
  const tail = tailShare(resolved.slo.measure);
  if (tail === undefined) return undefined;
  const seen = sum(values.map((value) => value.on.observations)) * tail;
  if (seen >= JUDGE_RULES.exceedancesMin) return undefined;
  return `${Math.floor(seen)} of at least ${JUDGE_RULES.exceedancesMin} requests beyond the quantile were seen with the plan in force`;
}

function isOutside({ fail, bounds, requestTest, look, values }: Measured): boolean {
  if (values.length < JUDGE_RULES.roundsMin || !(fail.lo > bounds.hi || fail.hi < bounds.lo)) return false;
  return requestTest === undefined || requestTest.logFail >= Math.log(look.slos.length / look.limits.alpha);
}

/** Seconds of the rounds that are missing until a decision, with 80% chance; undefined if `design.rounds` are too few. */
function secondsToDecision({ pass, bounds, look, values }: Measured): number | undefined {
  const { design, limits } = look;
  const distance = distanceToBound(pass.estimate, bounds);
  const noise = { sd: pass.blockSd, inflation: pass.varianceInflation };
  for (let count = Math.max(values.length + 1, JUDGE_RULES.roundsMin); count <= design.rounds; count++) {
    if (resolvableByRounds(count, noise, limits) <= distance) return (count - values.length) * roundSeconds(design);
  }
  return undefined;
}

/** Seconds of one round by its design; what acting and undoing take comes on top. */
export function roundSeconds(design: SwitchbackDesign): number {
  return design.secondsOn + design.secondsOff + 2 * design.settleSeconds;
}

function undecidedText(measured: Measured, inRange: boolean): string {
  const { look, pass } = measured;
  const straddles = inRange
    ? `${intervalText(measured)} keeps ${rangeText(measured)}, but too few requests were seen to be sure`
    : `${intervalText(measured)} does not settle ${rangeText(measured)}`;
  const noise = { sd: pass.blockSd, inflation: pass.varianceInflation };
  const smallest = deltaText(measured, resolvableByRounds(look.design.rounds, noise, look.limits)).replace("+", "");
  const seconds = duration(look.design.rounds * roundSeconds(look.design));
  return `${straddles}; ${look.design.rounds} rounds (${seconds}) are asked for and tell ${smallest} apart`;
}

function intervalText(measured: Measured): string {
  const { pass } = measured;
  return `${deltaText(measured, pass.estimate)} (interval ${deltaText(measured, pass.lo)} to ${deltaText(measured, pass.hi)})`;
}

function deltaText({ resolved }: Measured, effect: number): string {
  const accepted = acceptedRange(resolved) ?? resolved.slo.limit;
  return describeMeasured(toDelta(effect, effectScale(accepted)), accepted.scale, deltaUnit(resolved.slo.measure));
}

function rangeText({ resolved }: Measured): string {
  const accepted = acceptedRange(resolved) ?? resolved.slo.limit;
  return `the accepted ${describeRange(accepted, deltaUnit(resolved.slo.measure))}`;
}
