/** How many of some pairs differ. */
export interface Share {
  readonly differing: number;
  readonly pairs: number;
}

/**
 * Chance of at least so many differing pairs in `here`, if the odds of a difference were `odds` times those in `there` and no
 * more. Exact: given how many pairs differ in both together, their number here follows Fisher's noncentral hypergeometric
 * distribution (with `odds` 1: Fisher's exact test, one-sided). 1 where nothing differs.
 */
export function chanceOfMore(here: Share, there: Share, odds: number): number {
  const total = here.differing + there.differing;
  const least = Math.max(0, total - there.pairs);
  const most = Math.min(here.pairs, total);
  // Weights relative to the first, as logs: the ratio of two neighbours is simple, the weights themselves overflow.
  let logWeight = 0;
  let logAll = 0;
  let logTail = here.differing <= least ? 0 : Number.NEGATIVE_INFINITY;
  for (let k = least; k < most; k++) {
    logWeight += Math.log((odds * (here.pairs - k) * (total - k)) / ((k + 1) * (there.pairs - total + k + 1)));
    logAll = logSum(logAll, logWeight);
    if (k + 1 >= here.differing) logTail = logSum(logTail, logWeight);
  }
  return Math.min(1, Math.exp(logTail - logAll));
}

function logSum(a: number, b: number): number {
  const top = Math.max(a, b);
  return top === Number.NEGATIVE_INFINITY ? top : top + Math.log(Math.exp(a - top) + Math.exp(b - top));
}
