import { criticalValue } from "../../../src/judge/confidence-sequence.ts";
import { type LookRule, type RuleLook, settle, squares } from "./look-rule.ts";

/** The judge's interval as if blocks never leaned on each other. */
export function withoutDeflation({ before, after, bounds, alpha }: RuleLook): ReturnType<LookRule> {
  const [m, n] = [before.influence.length, after.influence.length];
  if (n < 3) return "open";
  const variance = Math.max((squares(before) + squares(after)) / (m + n - 2), Math.max(before.floor, after.floor) ** 2);
  const effective = (m * n) / (m + n);
  const half = criticalValue(effective, m + n - 2, 1, 2 * alpha) * Math.sqrt(variance / effective);
  return settle(after.estimate - before.estimate, half, bounds);
}
