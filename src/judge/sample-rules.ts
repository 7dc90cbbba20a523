import type { ResolvedSlo } from "./accepted.ts";
import type { SloCalibration } from "./calibration.ts";
import { duration } from "./forecast.ts";
import { type JudgeLimits, JudgeLimitsSchema, limitsFor } from "./judge-limits.ts";
import { type MinimumSeconds, minimumSeconds } from "./minimum-seconds.ts";

/** What the fixed sample rules are asked about. */
export interface RulesQuestion {
  readonly limits: JudgeLimits;
  /** Requests a second of what the SLO measures. */
  readonly ratePerSecond: number;
  readonly calibration?: SloCalibration;
}

/** What the fixed sample rules say of one SLO, in words. */
export interface SampleRules {
  readonly least: MinimumSeconds;
  /** Both sides: `20 blocks of 5 s before the plan take 100 s and 6 blocks of 5 s after it 30 s`. */
  readonly text: string;
  /** Each side that takes longer than allowed, its rule, and what alone would shorten or allow it; absent when none does. */
  readonly outOfReach?: string;
}

interface Side {
  readonly when: string;
  readonly rule: string;
  readonly seconds: number;
  readonly allowed: "baselineSecondsMax" | "observeSecondsMax";
  readonly blocks: "minBlocksBefore" | "minBlocksAfter";
  readonly secondsOf: (least: MinimumSeconds) => number;
}

/** The time that the sample rules ask for on both sides of the plan, and what would do where that is more than allowed. */
export function sampleRules(resolved: ResolvedSlo, asked: RulesQuestion): SampleRules {
  const least = leastOf(resolved, asked);
  const [before, after] = sidesOf(resolved, asked, least);
  const text = `${before.rule} before the plan take ${duration(before.seconds)} and ${after.rule} after it ${timeOf(after)}`;
  const lacking = [before, after].filter(({ seconds, allowed }) => seconds > asked.limits[allowed]);
  if (lacking.length === 0) return { least, text };
  return { least, text, outOfReach: lacking.map((side) => lackOf(side, resolved, asked)).join("; ") };
}

function leastOf(resolved: ResolvedSlo, { limits, ratePerSecond, calibration }: RulesQuestion): MinimumSeconds {
  return minimumSeconds(resolved, ratePerSecond, limits, calibration);
}

function sidesOf(resolved: ResolvedSlo, { limits }: RulesQuestion, least: MinimumSeconds): readonly [Side, Side] {
  const count = limitsFor(resolved.slo.measure, limits).minBlocksBefore;
  const before: Side = {
    when: "before the plan",
    rule: `${count} blocks of ${least.beforeSeconds / count} s`,
    seconds: least.beforeSeconds,
    allowed: "baselineSecondsMax",
    blocks: "minBlocksBefore",
    secondsOf: ({ beforeSeconds }) => beforeSeconds,
  };
  const after: Side = {
    when: "after the plan",
    rule: least.rule,
    seconds: least.afterSeconds,
    allowed: "observeSecondsMax",
    blocks: "minBlocksAfter",
    secondsOf: ({ afterSeconds }) => afterSeconds,
  };
  return [before, after];
}

function lackOf(side: Side, resolved: ResolvedSlo, asked: RulesQuestion): string {
  const ways = [...otherLimits(side, resolved, asked), ...otherRate(side, resolved, asked)];
  const last = ways.at(-1);
  const lack = `${side.rule} ${side.when} take ${timeOf(side)}`;
  if (last === undefined)
    return `${lack}, ${duration(asked.limits[side.allowed])} are allowed and nothing alone would do`;
  const listed = ways.length === 1 ? last : `${ways.slice(0, -1).join(", ")} or ${last}`;
  return `${lack}; ${listed}`;
}

/** Limits of the scenario that would do by themselves, within what a scenario may ask for. */
function otherLimits(side: Side, resolved: ResolvedSlo, asked: RulesQuestion): readonly string[] {
  const { limits } = asked;
  const wouldDo = (changes: Partial<JudgeLimits>): boolean => {
    const changed = JudgeLimitsSchema.safeParse({ ...limits, ...changes });
    if (!changed.success) return false;
    return side.secondsOf(leastOf(resolved, { ...asked, limits: changed.data })) <= changed.data[side.allowed];
  };
  const seconds = Math.ceil(side.seconds);
  const blocks = Math.floor((limits[side.blocks] * limits[side.allowed]) / side.seconds);
  return [
    ...(wouldDo({ [side.allowed]: seconds }) ? [`raise ${side.allowed} to ${seconds}`] : []),
    ...(wouldDo({ [side.blocks]: blocks }) ? [`lower ${side.blocks} to ${blocks}`] : []),
  ];
}

/** More traffic than this no harness sends; beyond it no rate would do. */
const RATE_FACTOR_MAX = 1024;

/** A higher rate, where the rule that binds depends on it. */
function otherRate(side: Side, resolved: ResolvedSlo, asked: RulesQuestion): readonly string[] {
  const wouldDo = (ratePerSecond: number): boolean =>
    side.secondsOf(leastOf(resolved, { ...asked, ratePerSecond })) <= asked.limits[side.allowed];
  let low = asked.ratePerSecond;
  let high = low * RATE_FACTOR_MAX;
  if (!Number.isFinite(high) || !wouldDo(high)) return [];
  while (high > low * 1.001) {
    const middle = Math.sqrt(low * high);
    if (wouldDo(middle)) high = middle;
    else low = middle;
  }
  return [`send about ${Math.ceil(high)} requests a second`];
}

function timeOf({ seconds }: Side): string {
  return Number.isFinite(seconds) ? duration(seconds) : "more time than any run has";
}
