import type { PairCounts } from "../measure/series.ts";

// STATISTICS.md 3.3: a bet on every pair of requests, exact whatever their dependence, that protects against the one
// case in which every t-like interval is wrong: no error seen, no variance, no doubt.

const BETS = [0.9, 0.6, 0.4, 0.25, 0.15, 0.1, 0.05, 0.02] as const;

/** Natural log of the evidence against "the shadow fails more often than the control by `bound` or more". */
export function logEvidenceBelow(pairs: PairCounts, bound: number): number {
  return logMeanExp(
    BETS.map((bet) =>
      logWealth(pairs, { shadowOnly: bet * (bound - 1), controlOnly: bet * (bound + 1), neither: bet * bound }),
    ),
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
  if (placed.length === 0) return 0;
  const top = Math.max(...placed);
  return top + Math.log(placed.reduce((total, log) => total + Math.exp(log - top), 0) / placed.length);
}
