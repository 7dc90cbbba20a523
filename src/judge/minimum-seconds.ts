import { acceptedRange, type ResolvedSlo } from "./accepted.ts";
import { startingBlock, tailShare } from "./block-length.ts";
import type { SloCalibration } from "./calibration.ts";
import { JUDGE_RULES, type JudgeLimits, limitsFor } from "./judge-limits.ts";
import { cleanPairsNeeded } from "./request-test.ts";

/** Time that the fixed sample rules ask for, s, whatever the noise: known from the rate before anything is started. */
export interface MinimumSeconds {
  readonly beforeSeconds: number;
  readonly afterSeconds: number;
  /** The rule that decides `afterSeconds`, in words. */
  readonly rule: string;
}

/** Sample rules alone: least blocks, 30 requests beyond the quantile, clean pairs for an error margin. */
export function minimumSeconds(
  resolved: ResolvedSlo,
  ratePerSecond: number,
  limits: JudgeLimits,
  calibration?: SloCalibration,
): MinimumSeconds {
  const { measure } = resolved.slo;
  const tail = measure.kind === "latency" ? tailShare(measure) : undefined;
  let { blockMs } = startingBlock(measure, limits, calibration);
  const perBlock = (): number => (ratePerSecond * (tail ?? Infinity) * blockMs) / 1000;
  while (blockMs < JUDGE_RULES.blockMsMax && perBlock() < JUDGE_RULES.blockExceedancesMin) {
    blockMs = Math.min(JUDGE_RULES.blockMsMax, 2 * blockMs);
  }
  const beforeSeconds = (limitsFor(measure, limits).minBlocksBefore * blockMs) / 1000;
  const byBlocks = (limits.minBlocksAfter * blockMs) / 1000;
  const rules = [{ seconds: byBlocks, rule: `${limits.minBlocksAfter} blocks of ${blockMs / 1000} s` }];
  if (tail !== undefined) {
    const rule = `${JUDGE_RULES.exceedancesMin} requests beyond the quantile`;
    rules.push({ seconds: JUDGE_RULES.exceedancesMin / (ratePerSecond * tail), rule });
  }
  const pairs = measure.kind === "errors" ? pairsNeeded(resolved, limits.alpha) : 0;
  if (pairs > 0) rules.push({ seconds: pairs / ratePerSecond, rule: `${pairs} pairs of requests without an error` });
  const strictest = rules.reduce((a, b) => (b.seconds > a.seconds ? b : a));
  return { beforeSeconds, afterSeconds: strictest.seconds, rule: strictest.rule };
}

/** Pairs of requests without any error that prove the margins of an error SLO; 0 where it has none to prove. */
export function pairsNeeded(resolved: ResolvedSlo, alpha: number): number {
  const accepted = acceptedRange(resolved);
  if (accepted === undefined) return 0;
  const sides = [accepted.hi, -accepted.lo].filter((bound) => Number.isFinite(bound));
  return Math.max(0, ...sides.map((bound) => cleanPairsNeeded(bound, alpha)));
}
