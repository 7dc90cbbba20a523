import { logEvidenceAbove, logEvidenceBelow } from "../../../src/judge/request-test.ts";
import type { LookRule, RuleLook } from "./look-rule.ts";

/** The request-level test without the interval beside it: bursts on one twin break what it rests on. */
export function requestBet({ after, bounds, alpha }: RuleLook): ReturnType<LookRule> {
  if (after.pairs === undefined || after.influence.length < 6) return "open";
  if (logEvidenceBelow(after.pairs, bounds.hi) >= Math.log(1 / alpha)) return "pass";
  return logEvidenceAbove(after.pairs, bounds.hi) >= Math.log(1 / alpha) ? "fail" : "open";
}
