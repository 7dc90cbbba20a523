import { criticalValue } from "../../../src/judge/confidence-sequence.ts";
import { type LookRule, type RuleLook, settle, squares } from "./look-rule.ts";

/** The judge's interval on the observation alone: the twins' own difference is taken for the plan's. */
export function withoutBefore({ after, bounds, alpha }: RuleLook): ReturnType<LookRule> {
  const n = after.influence.length;
  if (n < 3) return "open";
  const sd = Math.max(Math.sqrt(squares(after) / (n - 1)), after.floor);
  const critical = criticalValue(n, n - 1, 1, 2 * alpha);
  return settle(after.estimate, (critical * sd) / Math.sqrt(n), bounds);
}
