import { describeDelta } from "../core/delta-range.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { settledSeries } from "../measure/phase-series.ts";
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
import { duration } from "./forecast.ts";
import { JUDGE_RULES, type JudgeLimits, type SwitchbackDesign } from "./judge-limits.ts";
import { roundSeconds } from "./judge-rounds.ts";
import { pairsNeeded } from "./planned-power.ts";
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

/** Sd of one round's value: the difference of two stretches without effect, each as noisy as one of the baseline. */
function roundSd(resolved: ResolvedSlo, { store, baseline, design }: RoundsPlan): number | undefined {
  const scale = effectScale(acceptedRange(resolved) ?? resolved.slo.limit);
  const stretchMs = 1000 * Math.min(design.secondsOn, design.secondsOff);
  const series = settledSeries(store, { measure: resolved.slo.measure, scale, window: baseline, blockMs: stretchMs });
  if (series.kind === "no-data" || series.influence.length < BLOCKS_FOR_NOISE) return undefined;
  const squares = series.influence.reduce((total, value) => total + value * value, 0);
  return Math.SQRT2 * Math.max(Math.sqrt(squares / (series.influence.length - 1)), series.floor);
}

function shortfall(resolved: ResolvedSlo, sd: number, plan: RoundsPlan): readonly Reason[] {
  const { design, limits } = plan;
  const { name, measure } = resolved.slo;
  const accepted = acceptedRange(resolved) ?? resolved.slo.limit;
  const scale = effectScale(accepted);
  const bounds = boundsOf(accepted);
  const distance = distanceToBound(expectedEffect(bounds), bounds);
  const noise = { sd, inflation: roundsInflation(plan.restarted) };
  const resolvable = resolvableByRounds(design.rounds, noise, limits);
  if (resolvable <= distance) return [];
  let enough = design.rounds + 1;
  while (enough <= ROUNDS_MAX && resolvableByRounds(enough, noise, limits) > distance) enough++;
  const ways = [
    ...(enough <= ROUNDS_MAX ? [`${enough} rounds (${duration(enough * roundSeconds(design))})`] : []),
    ...(Number.isFinite(resolvable)
      ? [
          `a margin of ${describeDelta(toDelta(resolvable, scale), accepted.scale, deltaUnit(measure)).replace("+", "")}`,
        ]
      : []),
    "longer rounds",
  ];
  const message = `${name} can not be decided in ${design.rounds} rounds by the noise of the baseline; ${ways.join(" or ")} would do.`;
  return [{ code: "UNDERPOWERED", subject: name, message }];
}

/** SLOs that the fixed sample rules alone put out of reach of these rounds at this rate; see `minimumSeconds`. */
export function hopelessRounds(
  resolved: ResolvedSlo,
  ratePerSecond: number,
  { design, limits }: { readonly design: SwitchbackDesign; readonly limits: Pick<JudgeLimits, "alpha"> },
): readonly Reason[] {
  const { name, measure } = resolved.slo;
  const tail = measure.kind === "latency" ? tailShare(measure) : undefined;
  const requests = ratePerSecond * design.secondsOn * design.rounds;
  const beyond = tail === undefined ? 0 : JUDGE_RULES.exceedancesMin / tail;
  const clean = measure.kind === "errors" ? pairsNeeded(resolved, limits.alpha) : 0;
  const needed = Math.max(beyond, clean);
  if (needed <= requests) return [];
  const rule = beyond >= clean ? `${JUDGE_RULES.exceedancesMin} beyond the quantile` : "pairs without an error";
  const message =
    `${name} can not be decided in this run: ${design.rounds} rounds of ${design.secondsOn} s see ${Math.floor(requests)} ` +
    `of its requests with the plan in force, ${Math.ceil(needed)} are needed (${rule}).`;
  return [{ code: "UNDERPOWERED", subject: name, message }];
}
