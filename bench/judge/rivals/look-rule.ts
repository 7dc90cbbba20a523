import type { Bounds } from "../../../src/judge/accepted.ts";
import { type BiasModel, confidenceSequence, criticalValue } from "../../../src/judge/confidence-sequence.ts";
import { logEvidenceAbove, logEvidenceBelow } from "../../../src/judge/request-test.ts";
import { sum } from "../../../src/measure/arm-series.ts";
import type { Series } from "../../../src/measure/series.ts";
import { studentQuantile } from "../chances.ts";

// Rules that look at the same block values as the judge, after every block, and leave something out.

/** What a rule sees at one look. Bounds are on the effect scale; `tau` is the calibrated sd of the bias, 0 for none. */
export interface RuleLook {
  readonly before: Series;
  readonly after: Series;
  readonly bounds: Bounds;
  readonly alpha: number;
  readonly tau: number;
}

/** What a rule says at one look. */
export type LookRule = (look: RuleLook) => "pass" | "fail" | "open";

/** Every rule that looks block by block, by name. */
export const LOOK_RULES = {
  "naive-t": naiveT,
  "no-before": withoutBefore,
  "no-deflation": withoutDeflation,
  "block-interval": blockInterval,
  "request-bet": requestBet,
  "two-proportion": twoProportions,
} as const satisfies Readonly<Record<string, LookRule>>;

/** Name of a rule that looks block by block. */
export type LookRuleName = keyof typeof LOOK_RULES;

/** Student's t of one look, used at every look: the run that must fail. From three blocks on. */
export function naiveT({ before, after, bounds, alpha }: RuleLook): ReturnType<LookRule> {
  const [m, n] = [before.influence.length, after.influence.length];
  if (n < 3) return "open";
  const degrees = m + n - 2;
  const variance = Math.max((squares(before) + squares(after)) / degrees, Math.max(before.floor, after.floor) ** 2);
  const half = studentAt(1 - alpha, degrees) * Math.sqrt(variance * (1 / m + 1 / n));
  return settle(after.estimate - before.estimate, half, bounds);
}

/** The judge's interval on the observation alone: the twins' own difference is taken for the plan's. */
export function withoutBefore({ after, bounds, alpha }: RuleLook): ReturnType<LookRule> {
  const n = after.influence.length;
  if (n < 3) return "open";
  const sd = Math.max(Math.sqrt(squares(after) / (n - 1)), after.floor);
  const critical = criticalValue(n, n - 1, 1, 2 * alpha);
  return settle(after.estimate, (critical * sd) / Math.sqrt(n), bounds);
}

/** The judge's interval as if blocks never leaned on each other. */
export function withoutDeflation({ before, after, bounds, alpha }: RuleLook): ReturnType<LookRule> {
  const [m, n] = [before.influence.length, after.influence.length];
  if (n < 3) return "open";
  const variance = Math.max((squares(before) + squares(after)) / (m + n - 2), Math.max(before.floor, after.floor) ** 2);
  const effective = (m * n) / (m + n);
  const half = criticalValue(effective, m + n - 2, 1, 2 * alpha) * Math.sqrt(variance / effective);
  return settle(after.estimate - before.estimate, half, bounds);
}

/** The judge's interval without the request-level test beside it. */
export function blockInterval({ before, after, bounds, alpha, tau }: RuleLook): ReturnType<LookRule> {
  if (after.influence.length < 6) return "open";
  const bias: BiasModel = { tau };
  const phases = { before, after, floor: Math.max(before.floor, after.floor) };
  const { lo, hi } = confidenceSequence(phases, bias, { alpha, g: 1 });
  if (hi < bounds.hi && lo > bounds.lo) return "pass";
  return lo > bounds.hi || hi < bounds.lo ? "fail" : "open";
}

/** The request-level test without the interval beside it: bursts on one twin break what it rests on. */
export function requestBet({ after, bounds, alpha }: RuleLook): ReturnType<LookRule> {
  if (after.pairs === undefined || after.influence.length < 6) return "open";
  if (logEvidenceBelow(after.pairs, bounds.hi) >= Math.log(1 / alpha)) return "pass";
  return logEvidenceAbove(after.pairs, bounds.hi) >= Math.log(1 / alpha) ? "fail" : "open";
}

/** Two independent proportions, normal approximation, at every look as if it were the only one. */
export function twoProportions({ after, bounds, alpha }: RuleLook): ReturnType<LookRule> {
  const { control, shadow } = after.levels;
  const requests = after.observations;
  if (after.influence.length < 3) return "open";
  const sd = Math.sqrt((control * (1 - control) + shadow * (1 - shadow)) / requests);
  return settle(shadow - control, studentAt(1 - alpha, Number.POSITIVE_INFINITY) * sd, bounds);
}

function settle(estimate: number, half: number, { lo, hi }: Bounds): ReturnType<LookRule> {
  if (estimate + half < hi && estimate - half > lo) return "pass";
  return estimate - half > hi || estimate + half < lo ? "fail" : "open";
}

function squares({ influence }: Series): number {
  return sum(influence.map((value) => value * value));
}

/** Remembered, because a bisection at every look would take longer than the look. Beyond 1e6 degrees it is the normal. */
function studentAt(p: number, degrees: number): number {
  const key = `${p} ${degrees}`;
  const known = QUANTILES.get(key) ?? studentQuantile(p, Math.min(degrees, 1e6));
  QUANTILES.set(key, known);
  return known;
}

const QUANTILES = new Map<string, number>();
