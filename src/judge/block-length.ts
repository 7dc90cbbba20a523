import type { EffectScale } from "../measure/arm-series.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { settledSeries } from "../measure/phase-series.ts";
import type { PhaseQuery } from "../measure/series.ts";
import type { Measure } from "../measure/slo.ts";
import type { Window } from "../replay/recording.ts";
import { type CalibratedBlock, CONTRADICTIONS, type SloCalibration } from "./calibration.ts";
import { type CalibratedInflation, varianceInflation } from "./confidence-sequence.ts";
import { JUDGE_RULES, type JudgeLimits, limitsFor, shortestBlockMs } from "./judge-limits.ts";

/** How long a block became, and what asked for each doubling. */
export interface BlockChoice {
  readonly blockMs: number;
  /** In words that follow "because"; empty when the shortest block would do. */
  readonly doublings: readonly string[];
}

/** What the length of a block is chosen from. */
export interface BlockQuestion {
  readonly measure: Measure;
  readonly scale: EffectScale;
  readonly baseline: Window;
  readonly calibration?: SloCalibration | undefined;
}

/**
 * Block length of one measure, ms, from calibration and baseline alone: what a calibration shows to stand alone, doubled
 * while a block expects no exceedance of the quantile or blocks lean on each other (STATISTICS.md 4, docs/decisions/0006).
 * Fixed before the plan acts.
 */
export function chooseBlockMs(store: BlockStore, question: BlockQuestion, limits: JudgeLimits): number {
  return chooseBlock(store, question, limits).blockMs;
}

/** `chooseBlockMs` with its reasons. */
export function chooseBlock(store: BlockStore, question: BlockQuestion, limits: JudgeLimits): BlockChoice {
  const { measure, scale, baseline, calibration } = question;
  const start = startingBlock(measure, limits, calibration);
  const doublings = [...start.doublings];
  let { blockMs } = start;
  while (blockMs < JUDGE_RULES.blockMsMax) {
    const query = { measure, scale, window: baseline, blockMs };
    const why = whyTooShort(store, query, {
      minBlocks: limitsFor(measure, limits).minBlocksBefore,
      isVouched: start.isVouched,
    });
    if (why === undefined) break;
    doublings.push(`${blockMs / 1000} s ${why}`);
    blockMs = Math.min(JUDGE_RULES.blockMsMax, 2 * blockMs);
  }
  return { blockMs, doublings };
}

/** The block that noise and rarity may double: what the scenario asks for, as far as it was shown to be safe. */
export function startingBlock(
  measure: Measure,
  limits: JudgeLimits,
  calibration: SloCalibration | undefined,
): BlockChoice & { readonly isVouched: boolean } {
  const askedMs = shortestBlockMs(measure, limits);
  const vouchedMs =
    calibration?.vouches === true
      ? calibration.blocks?.find((block) => block.blockMs >= askedMs && standsAlone(block, calibration))
      : undefined;
  if (vouchedMs !== undefined) {
    const doublings =
      vouchedMs.blockMs === askedMs ? [] : [`${askedMs / 1000} s leaned on its neighbours in the calibration`];
    return { blockMs: vouchedMs.blockMs, doublings, isVouched: true };
  }
  const leastMs = JUDGE_RULES.uncalibratedBlockMsMin;
  if (askedMs >= leastMs) return { blockMs: askedMs, doublings: [], isVouched: false };
  const spoken = calibration?.contradicted;
  const but = spoken === undefined ? "" : `, and ${CONTRADICTIONS[spoken]}`;
  const why = `${askedMs / 1000} s is for twins of which a calibration shows that such blocks stand alone${but}`;
  return { blockMs: leastMs, doublings: [why], isVouched: false };
}

/** What a calibration says of the autocorrelation of blocks of this length. */
export function calibratedInflation(
  calibration: SloCalibration | undefined,
  blockMs: number,
): CalibratedInflation | undefined {
  return calibration?.vouches === true ? calibration.blocks?.find((block) => block.blockMs === blockMs) : undefined;
}

/**
 * Whether the mean of such blocks varies hardly more than if they were independent, seen on their own scale and on that of
 * every longer block: a slow wave under much faster noise does not show from one short block to the next.
 */
function standsAlone(block: CalibratedBlock, { blocks = [] }: SloCalibration): boolean {
  if (block.count < JUDGE_RULES.calibratedBlocksMin) return false;
  return blocks
    .filter((longer) => longer.blockMs >= block.blockMs && longer.count >= JUDGE_RULES.calibratedBlocksMin)
    .every((longer) => {
      const spread = block.sd > 0 ? (longer.blockMs / block.blockMs) * (longer.sd / block.sd) ** 2 : 1;
      return spread * longer.varianceInflation <= JUDGE_RULES.blockInflationMax;
    });
}

/** Share of values beyond the quantile that has to be seen; undefined for what is no quantile. */
export function tailShare(measure: Measure): number | undefined {
  if (measure.kind !== "latency" && measure.kind !== "histogram") return undefined;
  return Math.min(measure.quantile, 1 - measure.quantile);
}

function whyTooShort(
  store: BlockStore,
  query: PhaseQuery,
  rules: { readonly minBlocks: number; readonly isVouched: boolean },
): string | undefined {
  const series = settledSeries(store, query);
  if (series.kind === "no-data") return undefined;
  const { influence, observations } = series;
  const tail = tailShare(query.measure);
  const beyond = (observations / influence.length) * (tail ?? Infinity);
  // Rates are never exact: what expects one exceedance may show 0.97 of it.
  if (beyond < 0.9 * JUDGE_RULES.blockExceedancesMin) {
    return `held ${Number(beyond.toPrecision(2))} requests beyond the quantile, ${JUDGE_RULES.blockExceedancesMin} are needed`;
  }
  // Many minutes of calibration know better than one minute of baseline; the interval is deflated by both.
  if (rules.isVouched) return undefined;
  // Where doubling would leave too few blocks the run could only hold. The interval is deflated for the rest, and at the
  // limit that is as safe (docs/decisions/0006, the last table).
  if (influence.length < 2 * rules.minBlocks) return undefined;
  const inflation = varianceInflation(influence, []);
  if (!(inflation > JUDGE_RULES.blockInflationMax)) return undefined;
  return `leaned on its neighbours (variance inflation ${inflation.toFixed(2)}, ${JUDGE_RULES.blockInflationMax} is allowed)`;
}
