import { overlaps } from "../../plan/pattern-overlap.ts";
import type { PolicyData } from "./policy-data.ts";

export type Tag = PolicyData["tags"][number];

/** Comparing two patterns takes the product of their lengths; 5 million take about 30 ms. */
const STEPS_MAX = 5_000_000;

/**
 * Whether any of the patterns has a path in common with any of the others. Patterns come from plans: where there are so
 * many that the comparison would hold a gate up, the answer is yes, which is the careful one.
 */
export function anyOverlap(ones: readonly string[], others: readonly string[]): boolean {
  const length = (patterns: readonly string[]): number => patterns.reduce((sum, pattern) => sum + pattern.length, 0);
  if (length(ones) * length(others) > STEPS_MAX) return true;
  return ones.some((one) => others.some((other) => overlaps(one, other)));
}

/** The tags whose resources a plan may change, by what its actions declare. */
export function tagsOf(
  actions: readonly { readonly changes: readonly string[] }[],
  tags: readonly Tag[],
): readonly Tag[] {
  const changes = actions.flatMap((action) => action.changes);
  return tags.filter(({ resources }) => anyOverlap(changes, resources));
}
