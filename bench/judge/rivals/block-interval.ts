import { confidenceSequence } from "../../../src/judge/confidence-sequence.ts";
import type { LookRule, RuleLook } from "./look-rule.ts";

/** The judge's interval without the request-level test beside it. */
export function blockInterval({ before, after, bounds, alpha, tau }: RuleLook): ReturnType<LookRule> {
  if (after.influence.length < 6) return "open";
  const phases = { before, after, floor: Math.max(before.floor, after.floor) };
  const { lo, hi } = confidenceSequence(phases, { tau }, { alpha, g: 1 });
  if (hi < bounds.hi && lo > bounds.lo) return "pass";
  return lo > bounds.hi || hi < bounds.lo ? "fail" : "open";
}
