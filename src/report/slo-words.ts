import { type DeltaRange, describeDelta, describeMeasured, describeRange } from "../core/delta-range.ts";
import type { SloJudgement } from "../judge/verdict.ts";
import { describeDuration, describeLevel } from "./amounts.ts";

/** One SLO as every report says it. */
export interface SloWords {
  readonly name: string;
  /** What was tested: the operator's limit narrowed by the plan's promise. */
  readonly accepted: string;
  readonly limit: string;
  readonly promised: string;
  /** Best guess, e.g. `+1.2%`; `no data` or `not measured` without one. */
  readonly measured: string;
  /** Where the truth lies, e.g. `+0.3% to +2.1%`. */
  readonly interval: string;
  readonly state: SloJudgement["state"];
  /** `holds`, `broken`, `not decided`, `no data`. */
  readonly stateWord: string;
  /** `41 ms → 43 ms`: the shadow's level before and after the plan, bare numbers for people. */
  readonly shadowLevels: string;
  readonly controlLevels: string;
}

/** The state of an SLO in words; colour alone must never say it. */
export const STATE_WORDS: Readonly<Record<SloJudgement["state"], string>> = {
  pass: "holds",
  fail: "broken",
  open: "not decided",
  "no-data": "no data",
};

/** Stands where a number would be that nobody measured. */
export const NOT_MEASURED = "not measured";

/** Puts one judgement into the words that all reports share. */
export function sloWords(slo: SloJudgement): SloWords {
  const { levels, blocks } = slo;
  // Where no block was measured the numbers are place-holders.
  const level = (value: number, count: number): string =>
    count === 0 ? NOT_MEASURED : describeLevel(value, levels.unit);
  return {
    name: slo.name,
    accepted: describeRange(slo.accepted, slo.unit),
    limit: describeRange(slo.limit, slo.unit),
    promised: slo.promised === undefined ? "nothing" : describeRange(slo.promised, slo.unit),
    measured: describeEstimate(slo),
    interval: describeInterval(slo),
    state: slo.state,
    stateWord: STATE_WORDS[slo.state],
    shadowLevels: `${level(levels.shadowBefore, blocks.before)} → ${level(levels.shadowAfter, blocks.after)}`,
    controlLevels: `${level(levels.controlBefore, blocks.before)} → ${level(levels.controlAfter, blocks.after)}`,
  };
}

/** The best guess; what is still to come was not measured, and what is missing is no data. */
export function describeEstimate(
  slo: Pick<SloJudgement, "state" | "accepted" | "unit"> & { readonly estimate?: number | null },
): string {
  if (slo.state === "no-data") return "no data";
  return typeof slo.estimate === "number" ? describeSloDelta(slo, slo.estimate) : NOT_MEASURED;
}

/** A delta on this SLO's scale, rounded to what a person can use. */
export function describeSloDelta(slo: Pick<SloJudgement, "accepted" | "unit">, value: number): string {
  return describeMeasured(value, slo.accepted.scale, slo.unit);
}

/** Where the SLO's limit stands in a few characters: `limit +10%`, `needs +80%..+220%`. */
export function describeLimitShort(accepted: DeltaRange, unit: SloJudgement["unit"]): string {
  const bound = (value: number): string => describeDelta(value, accepted.scale, unit);
  if (!Number.isFinite(accepted.lo)) return `limit ${bound(accepted.hi)}`;
  if (!Number.isFinite(accepted.hi)) return `at least ${bound(accepted.lo)}`;
  return `${bound(accepted.lo)} to ${bound(accepted.hi)}`;
}

/** When an open SLO will be decided, as a forecast; `undefined` when nobody knows. */
export function describeForecast(slo: SloJudgement): string | undefined {
  if (slo.state !== "open" || slo.secondsToDecision === undefined) return undefined;
  const seconds = Math.max(1, Math.ceil(slo.secondsToDecision));
  // A forecast to the second would promise more than it knows.
  return `~${describeDuration(seconds < 90 ? seconds * 1000 : Math.ceil(seconds / 60) * 60_000)}`;
}

/** Where the truth lies, on the SLO's scale; `unknown` without an interval. */
export function describeInterval(slo: Pick<SloJudgement, "state" | "interval" | "accepted" | "unit">): string {
  const { lo, hi } = slo.interval;
  if (slo.state === "no-data" || (!Number.isFinite(lo) && !Number.isFinite(hi))) return "unknown";
  if (!Number.isFinite(hi)) return `${describeSloDelta(slo, lo)} or more`;
  if (!Number.isFinite(lo)) return `${describeSloDelta(slo, hi)} or less`;
  return `${describeSloDelta(slo, lo)} to ${describeSloDelta(slo, hi)}`;
}
