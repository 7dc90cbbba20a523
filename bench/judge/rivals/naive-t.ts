import { type LookRule, type RuleLook, settle, squares, studentAt } from "./look-rule.ts";

/** Student's t of one look, used at every look: the run that must fail. From three blocks on. */
export function naiveT({ before, after, bounds, alpha }: RuleLook): ReturnType<LookRule> {
  const [m, n] = [before.influence.length, after.influence.length];
  if (n < 3) return "open";
  const degrees = m + n - 2;
  const variance = Math.max((squares(before) + squares(after)) / degrees, Math.max(before.floor, after.floor) ** 2);
  const half = studentAt(1 - alpha, degrees) * Math.sqrt(variance * (1 / m + 1 / n));
  return settle(after.estimate - before.estimate, half, bounds);
}
