import { anyMatches } from "../plan/resource-pattern.ts";
import type { CallsCompared, CallsOfFamily } from "../replay/proof/call-counts.ts";
import { chanceOfMore } from "./odds-test.ts";
import type { ProofReasons } from "./proof-reasons.ts";
import type { Reason } from "./verdict.ts";

/** Only odds beyond so many times those before the plan are evidence. */
const ODDS_MARGIN = 1.1;
/**
 * Twins that serve the same requests call third parties equally often: so many calls of each twin are taken as seen before
 * the plan, beside those that were. They keep a race or two in a short baseline from passing for the twins' own habit.
 */
const CALLS_PRESUMED = 1000;

/** What a plan declares of calls and an operator lets it change, and the error that the operator accepts. */
export interface CallTerms {
  readonly alpha: number;
  readonly declared: readonly string[];
  readonly allowed: readonly string[];
}

/**
 * Third parties that the shadow called more often than the control while the plan was in force, and nothing declares it: a
 * customer who is charged twice is in no answer and in no state. Calls are not paired with requests, so that the test is the
 * exact one of two counts against those before the plan, at alpha over the number of families.
 */
export function callReasons(compared: CallsCompared | undefined, terms: CallTerms): ProofReasons {
  if (compared === undefined) return { against: [], missing: [] };
  const level = terms.alpha / Math.max(1, compared.families.length);
  const against = compared.families
    .filter((calls) => isMore(calls, level) && !isDeclared(calls, terms))
    .map(moreReason);
  if (compared.complete) return { against, missing: [] };
  const message = "More calls were made of third parties than are kept, so those under load could not be compared.";
  return { against, missing: [{ code: "NO_DATA", message }] };
}

function isMore({ before, inForce }: CallsOfFamily, level: number): boolean {
  const here = { differing: inForce.shadow, pairs: inForce.shadow + inForce.control };
  const there = {
    differing: before.shadow + CALLS_PRESUMED,
    pairs: before.shadow + before.control + 2 * CALLS_PRESUMED,
  };
  return inForce.shadow > inForce.control && chanceOfMore(here, there, ODDS_MARGIN) <= level;
}

function isDeclared({ path }: CallsOfFamily, { declared, allowed }: CallTerms): boolean {
  return anyMatches(declared, path) && anyMatches(allowed, path);
}

function moreReason({ path, before, inForce }: CallsOfFamily): Reason {
  const message =
    `With the plan in force the shadow called ${path} ${inForce.shadow} times and the control ${inForce.control} times ` +
    `(${before.shadow} and ${before.control} before it), which no action declares.`;
  return { code: "UNDECLARED_EFFECT", subject: path, message };
}
