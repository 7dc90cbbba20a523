import type { Role } from "../mirror/twin.ts";
import type { BlockSample, PooledSample } from "./sample.ts";

/** On which axis an effect is a difference: natural logs for ratios, the unit itself for absolute limits. */
export type EffectScale = "log" | "absolute";

/** One twin in one phase: its estimate on the effect scale and what each block contributed, centred. */
export interface ArmSeries {
  readonly estimate: number;
  readonly influence: readonly number[];
}

/** Both twins, block by block the same stretch of time. */
export type Arms<T> = Readonly<Record<Role, T>>;

/** Shadow minus control, with the centred influence value of every block. */
export function differenceOf(arms: Arms<ArmSeries>): ArmSeries {
  const control = arms.control.influence;
  const influence = arms.shadow.influence.slice();
  // Plain loops here and below: at every look they run over all blocks of every SLO, thousands of times a second.
  for (let k = 0; k < influence.length; k++) influence[k] = (influence[k] ?? 0) - (control[k] ?? Number.NaN);
  return { estimate: arms.shadow.estimate - arms.control.estimate, influence };
}

/**
 * Pooled quantile of one twin with its linearised influence per block (STATISTICS.md 2.1).
 * On the absolute scale the delta method turns a change of the log into a change of the value.
 */
export function quantileArm(
  pooled: PooledSample,
  blocks: readonly BlockSample[],
  options: { readonly quantile: number; readonly scale: EffectScale },
): ArmSeries {
  const sizes = blocks.map((block) => block.size);
  return quantileArmOf(pooled, { sizes, above: (ln) => blocks.map((block) => block.above(ln)) }, options);
}

/**
 * `quantileArm` of blocks that answer all at once: `above(ln)[k]` is how many of the `sizes[k]` values lie above `ln`, in a
 * list that becomes the influence.
 */
export function quantileArmOf(
  pooled: PooledSample,
  blocks: { readonly sizes: readonly number[]; readonly above: (ln: number) => number[] },
  options: { readonly quantile: number; readonly scale: EffectScale },
): ArmSeries {
  const { quantile: q, scale } = options;
  const half = Math.min(0.05, q / 2, (1 - q) / 2);
  const ln = pooled.lnQuantile(q);
  const sparsity = (pooled.lnQuantile(q + half) - pooled.lnQuantile(q - half)) / (2 * half);
  const perBlock = pooled.size / blocks.sizes.length;
  const unit = scale === "log" ? 1 : Math.exp(ln);
  const influence = blocks.above(ln);
  for (let k = 0; k < influence.length; k++) {
    influence[k] = (unit * sparsity * ((influence[k] ?? 0) - (1 - q) * (blocks.sizes[k] ?? 0))) / perBlock;
  }
  return { estimate: scale === "log" ? ln : Math.exp(ln), influence: centre(influence) };
}

/**
 * Ratio of sums of one twin, e.g. CPU seconds over requests, with its linearised influence per block.
 * To first order the mean of block log ratios of STATISTICS.md 2.3, but right at small counts and defined at zero
 * (docs/decisions/0002). On the log scale a sum of zero counts as one part in a million of `zeroAs`.
 */
export function ratioArm(
  tops: readonly number[],
  bottoms: readonly number[],
  options: { readonly scale: EffectScale; readonly zeroAs: number },
): ArmSeries {
  const top = sum(tops);
  const bottom = sum(bottoms);
  const ratio = top / bottom;
  const blocks = tops.length;
  const weigh = options.scale === "absolute" ? blocks / bottom : top === 0 ? 0 : blocks / top;
  return {
    estimate: options.scale === "absolute" ? ratio : Math.log(top === 0 ? options.zeroAs * 1e-6 : ratio),
    influence: centre(tops.map((value, block) => (value - ratio * (bottoms[block] ?? Number.NaN)) * weigh)),
  };
}

/** Mean of block values (STATISTICS.md 2.2). */
export function meanArm(values: readonly number[]): ArmSeries {
  return { estimate: sum(values) / values.length, influence: centre(values.slice()) };
}

/** Sum of a list. */
export function sum(values: readonly number[]): number {
  let total = 0;
  for (let k = 0; k < values.length; k++) total += values[k] ?? Number.NaN;
  return total;
}

/** Takes the mean off, in place: a copy of thousands of blocks for every step is what a look would spend its time on. */
function centre(values: number[]): readonly number[] {
  const mean = sum(values) / values.length;
  for (let k = 0; k < values.length; k++) values[k] = (values[k] ?? Number.NaN) - mean;
  return values;
}
