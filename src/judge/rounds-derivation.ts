import { type EffectScale, sum } from "../measure/arm-series.ts";
import { toDelta } from "./accepted.ts";
import type { ConfidenceSequence } from "./confidence-sequence.ts";
import { JUDGE_RULES } from "./judge-limits.ts";
import type { RoundValue } from "./switchback.ts";
import type { Derivation } from "./verdict.ts";

/** The numbers between the rounds of a switchback and their interval. */
export function roundsDerivation(made: {
  readonly values: readonly RoundValue[];
  readonly invalid: number;
  readonly scale: EffectScale;
  readonly pass: ConfidenceSequence;
  readonly fail: ConfidenceSequence;
  /** Two-sided level of the interval that rejects. */
  readonly rejectLevel: number;
  /** The least sample that is not there yet, beside the least number of rounds. */
  readonly missing: string | undefined;
}): Derivation {
  const { values, invalid, scale, pass, fail } = made;
  const on = sum(values.map((value) => value.on.estimate)) / values.length;
  const few =
    values.length < JUDGE_RULES.roundsMin
      ? `${values.length} of at least ${JUDGE_RULES.roundsMin} rounds have passed`
      : made.missing;
  return {
    design: "switchback",
    scale,
    estimateBefore: on - pass.estimate,
    estimateAfter: on,
    biasKept: 1,
    bias: { tau: 0, calibrated: true },
    standardError: pass.standardError,
    degrees: pass.degrees,
    critical: pass.critical,
    widening: 0,
    sdFloored: pass.blockSd <= Math.max(...values.map((value) => value.floor)),
    rejectInterval: { level: made.rejectLevel, lo: toDelta(fail.lo, scale), hi: toDelta(fail.hi, scale) },
    blockDoublings: [],
    invalidBlocks: { before: invalid, after: invalid },
    observations: {
      before: sum(values.flatMap((value) => value.off.map((series) => series.observations))),
      after: sum(values.map((value) => value.on.observations)),
    },
    ...(few === undefined ? {} : { samplesMissing: few }),
  };
}
