import type { Measure } from "../measure/slo.ts";
import { startingBlock, tailShare } from "./block-length.ts";
import type { SloCalibration } from "./calibration.ts";
import { JUDGE_RULES, type JudgeLimits, limitsFor } from "./judge-limits.ts";
import type { LearnedSlo } from "./profile.ts";

/** Noise of one block as a profile knows it. */
export interface LearnedNoise {
  readonly blockSd: number;
  readonly varianceInflation: number;
}

/**
 * Noise of blocks of any length, from the learned length next below (or the shortest). Longer blocks hold more requests,
 * and lean on each other less by as much.
 */
export function noiseAt({ blocks }: LearnedSlo, blockMs: number): LearnedNoise {
  const [shortest, ...longer] = blocks;
  const from = longer.reduce((best, block) => (block.blockMs <= blockMs ? block : best), shortest);
  if (from === undefined) return { blockSd: Number.POSITIVE_INFINITY, varianceInflation: 1 };
  const times = blockMs / from.blockMs;
  const varianceInflation = 1 + (from.varianceInflation - 1) / Math.max(1, times);
  const longRun = from.sd ** 2 * from.varianceInflation;
  return { blockSd: Math.sqrt(longRun / times / varianceInflation), varianceInflation };
}

/** The block length that a run would choose with the noise and the rate of a profile, ms (`chooseBlockMs` does it from a baseline). */
export function plannedBlockMs(
  measure: Measure,
  { learned, calibration }: { readonly learned: LearnedSlo; readonly calibration?: SloCalibration },
  limits: JudgeLimits,
): number {
  const tail = tailShare(measure);
  const start = startingBlock(measure, limits, calibration);
  let { blockMs } = start;
  // As `chooseBlock`: never doubled for its neighbours until too few are left.
  const fewest = 2 * limitsFor(measure, limits).minBlocksBefore;
  const leaveEnough = (): boolean => (limits.baselineSecondsMax * 1000) / blockMs >= fewest;
  const isTooShort = (): boolean =>
    (tail !== undefined && (learned.ratePerSecond * tail * blockMs) / 1000 < JUDGE_RULES.blockExceedancesMin) ||
    (!start.isVouched && leaveEnough() && noiseAt(learned, blockMs).varianceInflation > JUDGE_RULES.blockInflationMax);
  while (blockMs < JUDGE_RULES.blockMsMax && isTooShort()) blockMs = Math.min(JUDGE_RULES.blockMsMax, 2 * blockMs);
  return blockMs;
}
