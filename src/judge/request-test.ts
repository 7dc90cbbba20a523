import type { PairCounts } from "../measure/series.ts";

// STATISTICS.md 3.3: a bet on every pair of requests, exact whatever their dependence, that protects against the one
// case in which every t-like interval is wrong: no error seen, no variance, no doubt.

const BETS = [0.9, 0.6, 0.4, 0.25, 0.15, 0.1, 0.05, 0.02] as const;

/** Bets among which the pairs before the plan choose; those of STATISTICS.md 3.3, finer, and closer to all or nothing. */
const LEARNED_BETS = [0.98, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05, 0.02] as const;
/** Part of the stake that goes by what was learned; the rest is spread evenly, should the plan change what errors are like. */
const LEARNED_SHARE = 0.8;

/**
 * Natural log of the evidence against "the shadow fails more often than the control by `bound` or more".
 * @param learned - pairs from before the plan: the stake on each bet follows what it would have won there. They are over
 *   when the first bet is placed, so that the evidence stays exact; without them the stake is spread evenly
 */
export function logEvidenceBelow(pairs: PairCounts, bound: number, learned?: PairCounts): number {
  const wealth = (of: PairCounts, bet: number): number | undefined =>
    logWealth(of, { shadowOnly: bet * (bound - 1), controlOnly: bet * (bound + 1), neither: bet * bound });
  if (learned === undefined) return logMeanExp(BETS.map((bet) => wealth(pairs, bet)));
  const placed = LEARNED_BETS.flatMap((bet) => {
    const [past, now] = [wealth(learned, bet), wealth(pairs, bet)];
    return past === undefined || now === undefined ? [] : [{ past, now }];
  });
  const pastTotal = logSumExp(placed.map(({ past }) => past));
  return logSumExp(
    placed.map(({ past, now }) => {
      const stake = LEARNED_SHARE * Math.exp(past - pastTotal) + (1 - LEARNED_SHARE) / placed.length;
      return Math.log(stake) + now;
    }),
  );
}

/** Natural log of the evidence against "the shadow fails more often than the control by at most `bound`". */
export function logEvidenceAbove(pairs: PairCounts, bound: number): number {
  return logMeanExp(
    BETS.map((bet) =>
      logWealth(pairs, { shadowOnly: bet * (1 - bound), controlOnly: -bet * (1 + bound), neither: -bet * bound }),
    ),
  );
}

/** The pairs with the twins' roles exchanged, for lower bounds. */
export function mirrored(pairs: PairCounts): PairCounts {
  return { shadowOnly: pairs.controlOnly, controlOnly: pairs.shadowOnly, neither: pairs.neither };
}

/** Pairs without any discordance that prove a rate difference below `bound`; Infinity when no number does. */
export function cleanPairsNeeded(bound: number, alpha: number): number {
  if (!(bound > 0)) return Number.POSITIVE_INFINITY;
  const proven = (count: number): boolean =>
    logEvidenceBelow({ shadowOnly: 0, controlOnly: 0, neither: count }, bound) >= Math.log(1 / alpha);
  let high = 1;
  while (!proven(high)) high *= 2;
  let low = high / 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (proven(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** A bet that some outcome could bankrupt is not allowed to be placed: it takes no part in the mean. */
function logWealth(pairs: PairCounts, gains: PairCounts): number | undefined {
  if (Math.min(gains.shadowOnly, gains.controlOnly, gains.neither) <= -1) return undefined;
  return (
    pairs.shadowOnly * Math.log1p(gains.shadowOnly) +
    pairs.controlOnly * Math.log1p(gains.controlOnly) +
    pairs.neither * Math.log1p(gains.neither)
  );
}

function logMeanExp(logs: readonly (number | undefined)[]): number {
  const placed = logs.filter((log) => log !== undefined);
  return placed.length === 0 ? 0 : logSumExp(placed) - Math.log(placed.length);
}

/** Zero for an empty list: no bet, no evidence. */
function logSumExp(logs: readonly number[]): number {
  if (logs.length === 0) return 0;
  const top = Math.max(...logs);
  return top + Math.log(logs.reduce((total, log) => total + Math.exp(log - top), 0));
}
