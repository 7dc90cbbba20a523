import { type ArmSeries, differenceOf, ratioArm, sum } from "../measure/arm-series.ts";
import { varianceInflation } from "./confidence-sequence.ts";
import { cutBlocks, type ExternalBlocks, type ExternalPoint } from "./external-points.ts";
import { JUDGE_RULES, type JudgeLimits } from "./judge-limits.ts";

/** The rows on both sides of the change; what is neither was left out. */
export interface Phases {
  readonly before: readonly ExternalPoint[];
  readonly after: readonly ExternalPoint[];
}

/** Both phases in blocks of one length. */
export interface Cut {
  readonly before: ExternalBlocks;
  readonly after: ExternalBlocks;
  readonly perBlock: number;
  readonly blockMs: number | undefined;
  /** There are rows from before the change, whether or not they fill a block. */
  readonly hasBefore: boolean;
}

/**
 * Blocks of one point, or of the shortest block's length; doubled while they lean on each other or are full of holes, as
 * long as enough of them are left (STATISTICS.md 4). The stretch before the change decides, if there is one.
 */
export function chooseCut(phases: Phases, stepMs: number | undefined, limits: JudgeLimits): Cut {
  const cutAt = (perBlock: number): Cut => ({
    before: cutBlocks(phases.before, stepMs, perBlock),
    after: cutBlocks(phases.after, stepMs, perBlock),
    perBlock,
    blockMs: stepMs === undefined ? undefined : perBlock * stepMs,
    hasBefore: phases.before.length > 0,
  });
  const least = leastBlocks(phases.before.length > 0, limits);
  let cut = cutAt(stepMs === undefined ? 1 : Math.max(1, Math.ceil((limits.blockSeconds * 1000) / stepMs)));
  for (;;) {
    const longer = cutAt(2 * cut.perBlock);
    const fits = longer.before.control.length >= least.before && longer.after.control.length >= least.after;
    if (!fits || !isTooShort(cut)) return cut;
    cut = longer;
  }
}

/** Without a stretch before the change the noise has to be learned after it, from as many blocks. */
export function leastBlocks(
  hasBefore: boolean,
  limits: JudgeLimits,
): { readonly before: number; readonly after: number } {
  return hasBefore
    ? { before: limits.minBlocksBefore, after: limits.minBlocksAfter }
    : { before: 0, after: limits.minBlocksBefore };
}

function isTooShort({ before, after }: Cut): boolean {
  if (isHoley(after)) return true;
  const side = before.control.length > 0 ? before : after;
  const { influence } = differenceOf(armsOf(side, "absolute"));
  return varianceInflation(influence, []) > JUDGE_RULES.blockInflationMax;
}

/** More blocks lack values than may be left out. */
export function isHoley({ control, invalid }: ExternalBlocks): boolean {
  return invalid > JUDGE_RULES.invalidShareMax * (control.length + invalid);
}

/** Both sides as arms of one phase; `shadow` is the experiment. */
export function armsOf(blocks: ExternalBlocks, scale: "log" | "absolute"): { control: ArmSeries; shadow: ArmSeries } {
  const ones = blocks.control.map(() => 1);
  const options = { scale, zeroAs: sum(blocks.control) / Math.max(1, blocks.control.length) };
  return { control: ratioArm(blocks.control, ones, options), shadow: ratioArm(blocks.experiment, ones, options) };
}
