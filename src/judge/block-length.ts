import type { EffectScale } from "../measure/arm-series.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { settledSeries } from "../measure/phase-series.ts";
import type { PhaseQuery } from "../measure/series.ts";
import type { Measure } from "../measure/slo.ts";
import type { Window } from "../replay/recording.ts";
import { isShownToLean, varianceInflation } from "./confidence-sequence.ts";
import { JUDGE_RULES, type JudgeLimits, shortestBlockMs } from "./judge-limits.ts";

/**
 * Block length of one measure, ms, from the baseline alone: doubled while a block expects fewer than 3 exceedances of
 * the quantile or blocks lean on each other (STATISTICS.md 4). Fixed before the plan acts.
 */
export function chooseBlockMs(
  store: BlockStore,
  query: { readonly measure: Measure; readonly scale: EffectScale; readonly baseline: Window },
  limits: JudgeLimits,
): number {
  const { measure, scale, baseline } = query;
  let blockMs = shortestBlockMs(measure, limits);
  while (
    blockMs < JUDGE_RULES.blockMsMax &&
    isTooShort(store, { measure, scale, window: baseline, blockMs }, limits.minBlocksBefore)
  ) {
    blockMs = Math.min(JUDGE_RULES.blockMsMax, 2 * blockMs);
  }
  return blockMs;
}

/** Share of values beyond the quantile that has to be seen; undefined for what is no quantile. */
export function tailShare(measure: Measure): number | undefined {
  if (measure.kind !== "latency" && measure.kind !== "histogram") return undefined;
  return Math.min(measure.quantile, 1 - measure.quantile);
}

function isTooShort(store: BlockStore, query: PhaseQuery, minBlocks: number): boolean {
  const series = settledSeries(store, query);
  if (series.kind === "no-data") return false;
  const { influence, observations } = series;
  const tail = tailShare(query.measure);
  if (tail !== undefined && (observations / influence.length) * tail < JUDGE_RULES.blockExceedancesMin) return true;
  // With too few blocks already, cutting them still longer only hides what they show.
  if (influence.length < minBlocks) return false;
  if (!(varianceInflation(influence, []) > JUDGE_RULES.blockInflationMax)) return false;
  // By chance alone one baseline of 30 independent blocks in eight shows as much. Where doubling would leave too few
  // blocks to judge, it takes correlation beyond chance; the interval is deflated for the rest either way.
  return influence.length >= 2 * minBlocks || isShownToLean(influence);
}
