import { describeDelta } from "../core/delta-range.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { settledSeries } from "../measure/phase-series.ts";
import type { PhaseSeries } from "../measure/series.ts";
import { deltaUnit } from "../measure/slo.ts";
import type { Window } from "../replay/recording.ts";
import {
  acceptedRange,
  boundsOf,
  distanceToBound,
  effectScale,
  expectedEffect,
  type ResolvedSlo,
  toDelta,
} from "./accepted.ts";
import { tailShare } from "./block-length.ts";
import { unseenPlanned } from "./bucket-doubts.ts";
import { duration } from "./forecast.ts";
import { JUDGE_RULES, type JudgeLimits, type SwitchbackDesign } from "./judge-limits.ts";
import { roundSeconds } from "./judge-rounds.ts";
import { pairsNeeded } from "./minimum-seconds.ts";
import { resolvableByRounds, roundsInflation } from "./switchback.ts";
import type { Reason } from "./verdict.ts";

/** What a forecast of a switchback starts from. */
export interface RoundsPlan {
  readonly store: BlockStore;
  readonly slos: readonly ResolvedSlo[];
  readonly baseline: Window;
  readonly design: SwitchbackDesign;
  readonly limits: Pick<JudgeLimits, "alpha" | "g">;
  readonly restarted: boolean;
}

/** More rounds than this no scenario can ask for. */
const ROUNDS_MAX = 200;
/** With fewer blocks the noise of a round is not known, and the rounds themselves will tell. */
const BLOCKS_FOR_NOISE = 4;

/** SLOs that the rounds asked for can not decide with 80% chance by the noise of the baseline, and what would do. */
export function plannedRounds(plan: RoundsPlan): readonly Reason[] {
  return plan.slos.flatMap((resolved): readonly Reason[] => {
    const sd = roundSd(resolved, plan);
    return sd === undefined ? [] : shortfall(resolved, sd, plan);
  });
}

type BaselineOfRounds = Pick<RoundsPlan, "store" | "baseline" | "design">;

/** Sd of one round's value, undefined where the baseline is too short to tell: the difference of two stretches without effect, each as noisy as one of the baseline. */
export function roundSd(resolved: ResolvedSlo, plan: BaselineOfRounds): number | undefined {
  const series = baselineSeries(resolved, plan);
  if (series.kind === "no-data" || series.influence.length < BLOCKS_FOR_NOISE) return undefined;
  const squares = series.influence.reduce((total, value) => total + value * value, 0);
  return Math.SQRT2 * Math.max(Math.sqrt(squares / (series.influence.length - 1)), series.floor);
}

/** Why no number of rounds would do in the buckets of this baseline; undefined where it is no histogram, or they are narrow enough. */
export function unseenByRounds(resolved: ResolvedSlo, plan: BaselineOfRounds): string | undefined {
  const series = baselineSeries(resolved, plan);
  return series.kind === "no-data" ? undefined : unseenPlanned(resolved, series);
}

/** The baseline in blocks as long as a stretch of a round. */
function baselineSeries(resolved: ResolvedSlo, { store, baseline, design }: BaselineOfRounds): PhaseSeries {
  const scale = effectScale(acceptedRange(resolved) ?? resolved.slo.limit);
  const blockMs = 1000 * Math.min(design.secondsOn, design.secondsOff);
  return settledSeries(store, { measure: resolved.slo.measure, scale, window: baseline, blockMs });
}

function shortfall(resolved: ResolvedSlo, sd: number, plan: RoundsPlan): readonly Reason[] {
  const { name } = resolved.slo;
  const { ways } = roundsPower(resolved, sd, plan);
  if (ways === undefined) return [];
  const message = `${name} can not be decided in ${plan.design.rounds} rounds by the noise of the baseline; ${ways}.`;
  return [{ code: "UNDERPOWERED", subject: name, message }];
}

/** What rounds of this noise can tell. */
export interface RoundsPower {
  /** Smallest distance from a limit told apart in the rounds asked for, 80% chance; delta scale. */
  readonly smallest: number;
  /** Fewest rounds in which a conforming plan passes, 80% chance; Infinity where no scenario can ask for as many. */
  readonly rounds: number;
  /** What would do, where the rounds asked for do not. */
  readonly ways?: string;
}

/** Power of the rounds asked for when one round's value has this sd. */
export function roundsPower(
  resolved: ResolvedSlo,
  sd: number,
  plan: Pick<RoundsPlan, "design" | "limits" | "restarted">,
): RoundsPower {
  const { design, limits } = plan;
  const accepted = acceptedRange(resolved) ?? resolved.slo.limit;
  const bounds = boundsOf(accepted);
  const distance = distanceToBound(expectedEffect(bounds), bounds);
  const noise = { sd, inflation: roundsInflation(plan.restarted) };
  const resolvable = resolvableByRounds(design.rounds, noise, limits);
  const smallest = toDelta(resolvable, effectScale(accepted));
  const rounds = leastRounds((count) => resolvableByRounds(count, noise, limits) <= distance);
  if (resolvable <= distance) return { smallest, rounds };
  const margin = describeDelta(smallest, accepted.scale, deltaUnit(resolved.slo.measure)).replace("+", "");
  const ways = [
    ...(Number.isFinite(rounds) ? [`${rounds} rounds (${duration(rounds * roundSeconds(design))})`] : []),
    ...(Number.isFinite(resolvable) ? [`a margin of ${margin}`] : []),
    "longer rounds",
  ];
  return { smallest, rounds, ways: `${ways.join(" or ")} would do` };
}

/** Fewest rounds, of those a scenario can ask for, that are enough; Infinity where none are. */
export function leastRounds(areEnough: (rounds: number) => boolean): number {
  for (let rounds: number = JUDGE_RULES.roundsMin; rounds <= ROUNDS_MAX; rounds++) if (areEnough(rounds)) return rounds;
  return Number.POSITIVE_INFINITY;
}

/** SLOs that the fixed sample rules alone put out of reach of these rounds at this rate; see `minimumSeconds`. */
export function hopelessRounds(
  resolved: ResolvedSlo,
  ratePerSecond: number,
  { design, limits }: { readonly design: SwitchbackDesign; readonly limits: Pick<JudgeLimits, "alpha"> },
): readonly Reason[] {
  const { name } = resolved.slo;
  const lack = roundsLack(resolved, ratePerSecond, { design, limits });
  if (lack === undefined) return [];
  return [{ code: "UNDERPOWERED", subject: name, message: `${name} can not be decided in this run: ${lack}.` }];
}

/** Which sample rule these rounds can not meet at this rate, in words; undefined where they meet all. */
export function roundsLack(
  resolved: ResolvedSlo,
  ratePerSecond: number,
  { design, limits }: { readonly design: SwitchbackDesign; readonly limits: Pick<JudgeLimits, "alpha"> },
): string | undefined {
  const { measure } = resolved.slo;
  const tail = measure.kind === "latency" ? tailShare(measure) : undefined;
  const requests = ratePerSecond * design.secondsOn * design.rounds;
  const beyond = tail === undefined ? 0 : JUDGE_RULES.exceedancesMin / tail;
  const clean = measure.kind === "errors" ? pairsNeeded(resolved, limits.alpha) : 0;
  const needed = Math.max(beyond, clean);
  if (needed <= requests) return undefined;
  const rule = beyond >= clean ? `${JUDGE_RULES.exceedancesMin} beyond the quantile` : "pairs without an error";
  return (
    `${design.rounds} rounds of ${design.secondsOn} s see ${Math.floor(requests)} ` +
    `of its requests with the plan in force, ${Math.ceil(needed)} are needed (${rule})`
  );
}
