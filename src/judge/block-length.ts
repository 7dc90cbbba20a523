import type { EffectScale } from "../measure/arm-series.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { settledSeries } from "../measure/phase-series.ts";
import type { PhaseQuery } from "../measure/series.ts";
import type { Measure } from "../measure/slo.ts";
import type { Window } from "../replay/recording.ts";
import { isShownToLean, varianceInflation } from "./confidence-sequence.ts";
import { JUDGE_RULES, type JudgeLimits, shortestBlockMs } from "./judge-limits.ts";

/** How long a block became, and what asked for each doubling. */
export interface BlockChoice {
  readonly blockMs: number;
  /** In words that follow "because"; empty when the shortest block would do. */
  readonly doublings: readonly string[];
}

/**
 * Block length of one measure, ms, from the baseline alone: doubled while a block expects fewer than 3 exceedances of
 * the quantile or blocks lean on each other (STATISTICS.md 4). Fixed before the plan acts.
 */
export function chooseBlockMs(
  store: BlockStore,
  query: { readonly measure: Measure; readonly scale: EffectScale; readonly baseline: Window },
  limits: JudgeLimits,
): number {
  return chooseBlock(store, query, limits).blockMs;
}

/** `chooseBlockMs` with its reasons. */
export function chooseBlock(
  store: BlockStore,
  query: { readonly measure: Measure; readonly scale: EffectScale; readonly baseline: Window },
  limits: JudgeLimits,
): BlockChoice {
  const { measure, scale, baseline } = query;
  const doublings: string[] = [];
  let blockMs = shortestBlockMs(measure, limits);
  while (blockMs < JUDGE_RULES.blockMsMax) {
    const why = whyTooShort(store, { measure, scale, window: baseline, blockMs }, limits.minBlocksBefore);
    if (why === undefined) break;
    doublings.push(`${blockMs / 1000} s ${why}`);
    blockMs = Math.min(JUDGE_RULES.blockMsMax, 2 * blockMs);
  }
  return { blockMs, doublings };
}

/** Share of values beyond the quantile that has to be seen; undefined for what is no quantile. */
export function tailShare(measure: Measure): number | undefined {
  if (measure.kind !== "latency" && measure.kind !== "histogram") return undefined;
  return Math.min(measure.quantile, 1 - measure.quantile);
}

function whyTooShort(store: BlockStore, query: PhaseQuery, minBlocks: number): string | undefined {
  const series = settledSeries(store, query);
  if (series.kind === "no-data") return undefined;
  const { influence, observations } = series;
  const tail = tailShare(query.measure);
  const beyond = (observations / influence.length) * (tail ?? Infinity);
  if (beyond < JUDGE_RULES.blockExceedancesMin) {
    return `held ${Number(beyond.toPrecision(2))} requests beyond the quantile, ${JUDGE_RULES.blockExceedancesMin} are needed`;
  }
  // With too few blocks already, cutting them still longer only hides what they show.
  if (influence.length < minBlocks) return undefined;
  const inflation = varianceInflation(influence, []);
  if (!(inflation > JUDGE_RULES.blockInflationMax)) return undefined;
  // By chance alone one baseline of 30 independent blocks in eight shows as much. Where doubling would leave too few
  // blocks to judge, it takes correlation beyond chance; the interval is deflated for the rest either way.
  if (influence.length < 2 * minBlocks && !isShownToLean(influence)) return undefined;
  return `leaned on its neighbours (variance inflation ${inflation.toFixed(2)}, ${JUDGE_RULES.blockInflationMax} is allowed)`;
}
