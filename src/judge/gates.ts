import { describeDelta, describeMeasured } from "../core/delta-range.ts";
import { sum } from "../measure/arm-series.ts";
import { settledSeries } from "../measure/phase-series.ts";
import type { PhaseSeries, Series } from "../measure/series.ts";
import { deltaUnit } from "../measure/slo.ts";
import { workByRoute } from "../measure/work.ts";
import type { Window } from "../replay/recording.ts";
import { acceptedRange, boundsOf, effectScale, type ResolvedSlo, toDelta } from "./accepted.ts";
import { chooseBlockMs } from "./block-length.ts";
import { comparedWindows } from "./compared-windows.ts";
import { confidenceSequence, onePhaseSequence, PLAIN_BIAS } from "./confidence-sequence.ts";
import { GATE_LEVEL_SHARE } from "./gate-level.ts";
import { type ControlShift, controlShift, worseDirection } from "./interference.ts";
import { JUDGE_RULES } from "./judge-limits.ts";
import type { LookInput } from "./judge-slos.ts";
import { lateGate } from "./late-gate.ts";
import { rateGate } from "./rate-gate.ts";
import { roundsDisturbed } from "./rounds-gate.ts";
import { measureSlo } from "./slo-measurement.ts";
import type { SwitchbackRound } from "./switchback.ts";
import { trustedProfile } from "./trust-profile.ts";
import type { Reason } from "./verdict.ts";

/** Fewer blocks say nothing of the environment; the SLO itself then holds for want of them. */
const BLOCKS_FOR_GATES = 6;

/** What the gates look at beside the SLOs; `after` is absent while there is only a baseline. */
export interface GateInput extends Omit<LookInput, "windows" | "latched"> {
  /** `recovery` is the time after the undo: a control that follows the plan goes back with it. */
  readonly windows: { readonly baseline: Window; readonly after?: Window; readonly recovery?: Window };
  /** Of a switchback: twins that differ or wander are in both sides of every round, and need no gate of their own. */
  readonly rounds?: readonly SwitchbackRound[];
  /** Twins that share cores disturb each other by far the most; on cores of their own the bar is higher. */
  readonly cores: "pinned" | "shared";
}

/**
 * What the environment itself gives reason to doubt (STATISTICS.md 4): impossible data, one-sided loss, a control that
 * fails, twins that differ or wander before the plan, a control that moves with the plan. Each one is a hold.
 */
export function environmentGates(input: GateInput): readonly Reason[] {
  if (input.rounds !== undefined)
    return [...trafficGates(input), ...roundsDisturbed({ ...input, rounds: input.rounds })];
  const believing = { ...input, ...trustedProfile({ ...input, baseline: input.windows.baseline }) };
  return [...trafficGates(input), ...input.slos.flatMap((resolved) => sloGates(resolved, believing))];
}

function trafficGates({ store, windows, rounds }: GateInput): readonly Reason[] {
  const phases = [windows.baseline, ...(windows.after === undefined ? [] : [windows.after])];
  const reasons: Reason[] = [...recordingGates(store, phases)];
  for (const [i, window] of phases.entries()) {
    const when = i === 0 ? "before" : "after";
    const work = workByRoute(store, window);
    const requests = sum(work.map((route) => route.requests));
    if (requests === 0) {
      reasons.push({ code: "NO_DATA", message: `No request was sent ${when} the plan.` });
      continue;
    }
    const failing = 1 - sum(work.map((route) => route.controlOk)) / requests;
    if (failing > JUDGE_RULES.controlErrorsMax) {
      const message = `${percent(failing)} of the control's requests failed ${when} the plan: there is no sound twin to compare with.`;
      reasons.push({ code: "ENVIRONMENT_UNSTABLE", message });
    }
  }
  const compared = comparedWindows(windows, rounds);
  reasons.push(...lateGate(store, compared), ...rateGate(store, compared));
  return [...reasons, ...phases.flatMap((window) => lossGate(store, window)).slice(0, 1)];
}

/** A recording that can not be what a driver saw: nothing that is counted from it is worth anything. */
function recordingGates(store: GateInput["store"], phases: readonly Window[]): readonly Reason[] {
  const bases = phases.flatMap((window) => store.bases(window));
  const malformed = store.malformed() + sum(bases.map((base) => base.malformed));
  const problems = [
    ...(malformed > 0 ? [`${malformed} requests carry times or outcomes that can not be`] : []),
    ...(store.misnumbered() > 0 ? [`${store.misnumbered()} requests stand twice or out of order in time`] : []),
    ...(phases.some(({ toMs }) => store.hasGapBefore(toMs)) ? ["requests are missing that were sent"] : []),
  ];
  if (problems.length === 0) return [];
  return [{ code: "NO_DATA", message: `The recording is not to be trusted: ${problems.join("; ")}.` }];
}

/**
 * Requests that the driver could not send for want of room: telemetry that is missing, not an answer. Each phase by
 * itself, or a long baseline would hide what a short observation lost.
 */
function lossGate(store: GateInput["store"], window: Window): readonly Reason[] {
  const work = workByRoute(store, window);
  const size = sum(work.map((route) => route.requests));
  const control = sum(work.map((route) => route.dropped.control)) / size;
  const shadow = sum(work.map((route) => route.dropped.shadow)) / size;
  if (!(shadow - control > JUDGE_RULES.asymmetricLossMax)) return [];
  const message = `${percent(shadow)} of the shadow's requests could not be sent, ${percent(control)} of the control's.`;
  return [{ code: "ASYMMETRIC_LOSS", message }];
}

function sloGates(resolved: ResolvedSlo, input: GateInput): readonly Reason[] {
  const accepted = acceptedRange(resolved);
  if (accepted === undefined) return [];
  const scale = effectScale(accepted);
  const { measure } = resolved.slo;
  const blockMs = chooseBlockMs(
    input.store,
    { measure, scale, baseline: input.windows.baseline, calibration: input.profile?.slos[resolved.slo.name] },
    input.limits,
  );
  const seriesOf = (window: Window): PhaseSeries => settledSeries(input.store, { measure, scale, window, blockMs });
  const before = seriesOf(input.windows.baseline);
  if (before.kind === "no-data" || before.influence.length < BLOCKS_FOR_GATES) return [];
  const after = input.windows.after === undefined ? undefined : seriesOf(input.windows.after);
  const gate: SloGate = { resolved, input, before, blockMs, seriesOf };
  return [...selfTest(gate), ...twinsDiffer(gate), ...(after?.kind === "series" ? controlDisturbed(gate, after) : [])];
}

interface SloGate {
  readonly resolved: ResolvedSlo;
  readonly input: GateInput;
  readonly before: Series;
  readonly blockMs: number;
  readonly seriesOf: (window: Window) => PhaseSeries;
}

/** The level is shared: the gates catch gross trouble, not one A/A run in a hundred per SLO. */
function gateOptions({ input }: SloGate): { readonly alpha: number; readonly g: number } {
  return { alpha: input.limits.alpha / GATE_LEVEL_SHARE, g: input.limits.g };
}

/** The second half of the baseline against the first, by the same method as the plan: nothing may be found. */
function selfTest(gate: SloGate): readonly Reason[] {
  const { resolved, input, blockMs, seriesOf } = gate;
  const grid = input.store.grid(input.windows.baseline, blockMs);
  const middleMs = grid.fromMs + Math.floor(grid.count / 2) * grid.blockMs;
  const first = seriesOf({ fromMs: grid.fromMs, toMs: middleMs });
  const second = seriesOf({ fromMs: middleMs, toMs: input.windows.baseline.toMs });
  if (first.kind === "no-data" || second.kind === "no-data") return [];
  const phases = { before: first, after: second, floor: Math.max(first.floor, second.floor) };
  const cs = confidenceSequence(phases, PLAIN_BIAS, gateOptions(gate));
  if (cs.lo <= 0 && cs.hi >= 0) return [];
  const moved = describeDelta(toDelta(cs.estimate, first.scale), rangeScale(first), deltaUnit(resolved.slo.measure));
  const message = `${resolved.slo.name} moved between the twins by ${moved} during the baseline, before anything was done.`;
  return [{ code: "ENVIRONMENT_UNSTABLE", subject: resolved.slo.name, message }];
}

/** A bias that is shown and large is no bias any more; a large one that is mere noise is a matter of power. */
function twinsDiffer(gate: SloGate): readonly Reason[] {
  const { resolved, before } = gate;
  const isErrors = resolved.slo.measure.kind === "errors";
  const cap =
    before.scale === "log"
      ? Math.log1p(JUDGE_RULES.twinsDifferMax)
      : JUDGE_RULES.twinsDifferMax * Math.abs(before.levels.control);
  const cs = onePhaseSequence(before, before.floor, gateOptions(gate));
  if (cs.lo <= 0 && cs.hi >= 0) return [];
  if (!isErrors && Math.abs(cs.estimate) <= cap) return [];
  const bias = describeDelta(toDelta(cs.estimate, before.scale), rangeScale(before), deltaUnit(resolved.slo.measure));
  const message = `${resolved.slo.name} differed between the twins by ${bias} before the plan: they are not twins.`;
  return [{ code: "TWINS_DIFFER", subject: resolved.slo.name, message }];
}

/**
 * The control's own blocks with the plan in force against those without it: it was not touched, so it should not move with it.
 * A hold where it does and what reached it, put back onto the shadow, could leave the accepted range: the difference of
 * the twins then hides harm. What stays inside even so, with all the doubt of the interval that passes, hides none.
 */
function controlDisturbed(gate: SloGate, after: Series): readonly Reason[] {
  const { resolved, before, input } = gate;
  const worse = worseDirection(resolved.slo.measure);
  const accepted = acceptedRange(resolved);
  if (worse === undefined || accepted === undefined || after.influence.length < BLOCKS_FOR_GATES) return [];
  const recovery = input.windows.recovery === undefined ? undefined : gate.seriesOf(input.windows.recovery);
  const off = recovery?.kind === "series" ? recovery.arms.control : undefined;
  const floor = Math.max(before.floor, after.floor);
  const phases = { before: before.arms.control, on: after.arms.control, off, floor };
  const moved = controlShift(phases, worse, JUDGE_RULES.controlFollowsAlpha[input.cores] / GATE_LEVEL_SHARE);
  if (moved === undefined) return [];
  const pass = passInterval(gate, after);
  const bounds = boundsOf(accepted);
  const shift = Math.max(moved.withPlan, moved.shift);
  const hidden = worse > 0 ? pass.hi + shift : pass.lo - shift;
  if (worse > 0 ? hidden < bounds.hi : hidden > bounds.lo) return [];
  return [disturbedReason(gate, { moved, worse, hidden })];
}

/** The interval that would let this SLO pass, from the very phases that the gate looks at. */
function passInterval({ resolved, input, before, blockMs }: SloGate, after: Series): { lo: number; hi: number } {
  const { baseline, after: window = baseline } = input.windows;
  const accepted = acceptedRange(resolved) ?? resolved.slo.limit;
  const base = { resolved, accepted, scale: effectScale(accepted), blockMs, before, after };
  return measureSlo(base, { ...input, windows: { baseline, after: window }, sloCount: input.slos.length }).pass;
}

function disturbedReason(
  { resolved, before }: SloGate,
  { moved, worse, hidden }: { readonly moved: ControlShift; readonly worse: 1 | -1; readonly hidden: number },
): Reason {
  const text = (effect: number): string =>
    describeMeasured(toDelta(effect, before.scale), rangeScale(before), deltaUnit(resolved.slo.measure));
  const came = `${resolved.slo.name} moved by ${text(worse * moved.withPlan)} with the plan`;
  const byItself = `which never moved by more than ${text(moved.placebo).replace("+", "")} before`;
  const harm = Number.isFinite(hidden)
    ? `put back onto the shadow that may be ${text(hidden)}, outside the accepted range`
    : "put back onto the shadow nothing bounds what that may be";
  if (moved.kind === "stays") {
    const message = `${came} on the untouched control, ${byItself}, and its undo did not take it back: ${harm}.`;
    return { code: "ENVIRONMENT_UNSTABLE", subject: resolved.slo.name, message };
  }
  const back = moved.withUndo === undefined ? "" : ` and by ${text(-worse * moved.withUndo)} with its undo`;
  const message = `${came}${back} on the untouched control, ${byItself}: ${harm}.`;
  return { code: "CONTROL_DISTURBED", subject: resolved.slo.name, message };
}

function rangeScale(series: Series): "ratio" | "absolute" {
  return series.scale === "log" ? "ratio" : "absolute";
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))}%`;
}
