import type { JudgeLimits } from "./judge-limits.ts";
import type { PlannedPower } from "./planned-power.ts";

/**
 * Whether measuring the twins alike for longer is of no use any more: every SLO can be decided in the time allowed, or
 * one can not even after the longest baseline. `power` is the forecast from the baseline so far.
 */
export function baselineIsLongEnough(
  power: readonly PlannedPower[],
  limits: Pick<JudgeLimits, "baselineSecondsMax" | "observeSecondsMax">,
): boolean {
  const lacking = power.filter(({ because }) => because !== undefined);
  const isWithin = ({ baselineSeconds, observeSeconds }: PlannedPower): boolean =>
    baselineSeconds <= limits.baselineSecondsMax && observeSeconds <= limits.observeSecondsMax;
  return lacking.length === 0 || !lacking.every(isWithin);
}

/** Seconds of baseline where the blocks ask for so many: never less than the scenario's least. */
export function baselineAsked(seconds: number, { baselineSeconds = 0 }: Pick<JudgeLimits, "baselineSeconds">): number {
  return Math.max(seconds, baselineSeconds);
}

/**
 * Blocks of baseline at which to ask again: a quarter more each time. Whoever asks after every block stops at the luckiest
 * moment, when the noise looks smaller than it is (docs/decisions/0009-baseline-as-long-as-needed.md).
 */
export function nextBaselineCheck(blocks: number): number {
  return Math.max(blocks + 1, Math.ceil(1.25 * blocks));
}
