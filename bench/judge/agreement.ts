import { exactLimits } from "./chances.ts";
import type { Published } from "./row.ts";
import type { Tally } from "./tally.ts";

/** Whether two studies of the same rule agree on how often it promotes. */
export interface Agreement {
  /** Exact 99% interval of our share. */
  readonly lo: number;
  readonly hi: number;
  readonly agrees: boolean;
}

/**
 * Both studies are samples, so both may err: they agree while their exact intervals, each at the level at which two that
 * just touch are 99% apart together (95% for shares of like precision), have a value in common.
 */
export function agreement(tally: Tally, published: Published): Agreement {
  const ours = exactLimits(tally.promote, tally.runs, 0.99);
  const theirs = exactLimits(Math.round((published.promote / 100) * published.runs), published.runs, TOUCHING_LEVEL);
  const near = exactLimits(tally.promote, tally.runs, TOUCHING_LEVEL);
  return { ...ours, agrees: near.lo <= theirs.hi && theirs.lo <= near.hi };
}

/** Two equal intervals of 1.82 standard errors that touch are 2.58 standard errors of the difference apart. */
const TOUCHING_LEVEL = 0.9315;
