import { type LookRule, type RuleLook, settle, studentAt } from "./look-rule.ts";

/** Two independent proportions, normal approximation, at every look as if it were the only one. */
export function twoProportions({ after, bounds, alpha }: RuleLook): ReturnType<LookRule> {
  const { control, shadow } = after.levels;
  const requests = after.observations;
  if (after.influence.length < 3) return "open";
  const sd = Math.sqrt((control * (1 - control) + shadow * (1 - shadow)) / requests);
  return settle(shadow - control, studentAt(1 - alpha, Number.POSITIVE_INFINITY) * sd, bounds);
}
