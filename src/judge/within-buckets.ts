import { type EffectScale, sum } from "../measure/arm-series.ts";
import { naturalLevel, type Series } from "../measure/series.ts";
import type { Measure } from "../measure/slo.ts";
import { acceptedRange, type Bounds, boundsOf, expectedEffect, type ResolvedSlo, toDelta } from "./accepted.ts";
import { type BiasModel, type ConfidenceSequence, confidenceSequence } from "./confidence-sequence.ts";
import { levelText } from "./explain-words.ts";
import type { JudgeLimits } from "./judge-limits.ts";
import type { SloMeasurement } from "./slo-measurement.ts";
import type { RoundValue } from "./switchback.ts";
import type { SloJudgement } from "./verdict.ts";

// A bucket tells how many values lie in it, not where: quantiles are read as if they were spread evenly. What a plan moves inside a
// bucket changes no count, so the effect is known only as far as the edges around both twins' quantiles tell it.

/** What the buckets of a histogram leave open. */
export type Unseen = NonNullable<SloJudgement["buckets"]>;

/** Both twins of one comparison, effect scale. A switchback has one for each round. */
interface Compared {
  readonly edges: readonly number[];
  /** Where the control's quantile may be with the plan in force. */
  readonly control: Bounds;
  /** Shadow minus control with the plan in force. */
  readonly difference: number;
  /** What of it was taken for the twins' own and removed. */
  readonly removed: number;
  /** The stretches without the plan. */
  readonly off: readonly Series[];
}

/** A level by itself: nothing that was seen before the plan is taken off. */
const BY_ITSELF: BiasModel = { tau: 0, redrawn: { sd: 0, rounds: 1 } };

/** Of one before and after; undefined where the measure is no histogram. */
export function unseenInPhases(measured: SloMeasurement, limits: Pick<JudgeLimits, "alpha" | "g">): Unseen | undefined {
  const { before, after, pass, floor, resolved } = measured;
  if (after.edges === undefined) return undefined;
  const arms = { before: before.arms.control, after: after.arms.control };
  const control = confidenceSequence({ ...arms, floor }, BY_ITSELF, limits);
  const compared = {
    edges: after.edges,
    control,
    difference: after.estimate,
    removed: pass.biasRemoved,
    off: [before],
  };
  return unseenIn([compared], pass.hi - pass.estimate, { measure: resolved.slo.measure, scale: measured.scale });
}

/** Of the rounds of a switchback; undefined where the measure is no histogram. */
export function unseenInRounds(made: {
  readonly resolved: ResolvedSlo;
  readonly values: readonly RoundValue[];
  readonly pass: ConfidenceSequence;
  readonly scale: EffectScale;
}): Unseen | undefined {
  const compared = made.values.flatMap(({ on, off, effect }): readonly Compared[] => {
    if (on.edges === undefined) return [];
    const level = on.arms.control.estimate;
    const control = { lo: level, hi: level };
    return [{ edges: on.edges, control, difference: on.estimate, removed: on.estimate - effect, off }];
  });
  return unseenIn(compared, made.pass.hi - made.pass.estimate, { ...made, measure: made.resolved.slo.measure });
}

/** What would be left open if the plan did what is expected of it, in the buckets of the baseline and without any noise. */
export function unseenAfterBaseline(resolved: ResolvedSlo, before: Series): Unseen | undefined {
  const level = before.arms.control.estimate;
  const expected = expectedEffect(boundsOf(acceptedRange(resolved) ?? resolved.slo.limit));
  const difference = before.estimate + expected;
  const common = { control: { lo: level, hi: level }, difference, removed: before.estimate, off: [before] };
  const compared = before.edges === undefined ? [] : [{ ...common, edges: before.edges }];
  return unseenIn(compared, 0, { measure: resolved.slo.measure, scale: before.scale });
}

/** @param half - how far the effect may be from its estimate by noise, effect scale */
function unseenIn(
  compared: readonly Compared[],
  half: number,
  { measure, scale }: { readonly measure: Measure; readonly scale: EffectScale },
): Unseen | undefined {
  if (compared.length === 0 || measure.kind !== "histogram") return undefined;
  const mean = (of: (one: Compared, half: number) => number): number =>
    sum(compared.map((one) => of(one, half))) / compared.length;
  return {
    where: `p${Number((100 * measure.quantile).toPrecision(6))} lies in ${whereText(compared, half, scale)}`,
    lo: toDelta(mean(least), scale),
    hi: toDelta(mean(most), scale),
  };
}

/** Largest effect: in one of its buckets the control lies at the lower edge, and the shadow at the upper edge of its own. */
function most({ edges, control, difference, ...own }: Compared, half: number): number {
  const apart = touched(edges, control).map(
    ({ lo, hi }) => bucketOf(edges, Math.min(hi, control.hi) + difference + half).hi - lo,
  );
  return Math.max(...apart) - Math.min(own.removed, sureDifference(own.off, edges));
}

/** Smallest effect: the other way round. */
function least({ edges, control, difference, ...own }: Compared, half: number): number {
  const apart = touched(edges, control).map(
    ({ lo, hi }) => bucketOf(edges, Math.max(lo, control.lo) + difference - half).lo - hi,
  );
  return Math.min(...apart) - Math.max(own.removed, sureDifference(own.off, edges));
}

/**
 * The twins' own difference as far as it is sure: the gap between their buckets without the plan, none where they share one. More of
 * it must not speak for the plan.
 */
function sureDifference(off: readonly Series[], edges: readonly number[]): number {
  const gaps = off.map(({ arms }) => {
    const control = bucketOf(edges, arms.control.estimate);
    const shadow = bucketOf(edges, arms.shadow.estimate);
    return Math.max(0, shadow.lo - control.hi) + Math.min(0, shadow.hi - control.lo);
  });
  return sum(gaps) / gaps.length;
}

/** The bucket that a value lies in; an upper edge belongs to its bucket (`le`). */
function bucketOf(edges: readonly number[], value: number): Bounds {
  const upper = edges.findIndex((edge, i) => i > 0 && edge >= value);
  return { lo: edges[upper - 1] ?? Number.NEGATIVE_INFINITY, hi: edges[upper] ?? Number.POSITIVE_INFINITY };
}

function touched(edges: readonly number[], { lo, hi }: Bounds): readonly Bounds[] {
  const buckets = edges.slice(1).map((edge, i) => ({ lo: edges[i] ?? Number.NEGATIVE_INFINITY, hi: edge }));
  return buckets.filter((bucket) => bucket.lo < hi && bucket.hi >= lo);
}

/** Every bucket in which the quantile of a twin may lie with the plan in force, natural units. */
function whereText(compared: readonly Compared[], half: number, scale: EffectScale): string {
  const lows = compared.flatMap(({ edges, control: { lo }, difference }) => [
    bucketOf(edges, lo).lo,
    bucketOf(edges, lo + difference - half).lo,
  ]);
  const highs = compared.flatMap(({ edges, control: { hi }, difference }) => [
    bucketOf(edges, hi).hi,
    bucketOf(edges, hi + difference + half).hi,
  ]);
  const [from, to] = [Math.min(...lows), Math.max(...highs)];
  const isOne = compared.every(({ edges }) => !edges.some((edge) => edge > from && edge < to));
  const edgeText = (edge: number): string =>
    edge === Number.POSITIVE_INFINITY ? "+Inf" : levelText(naturalLevel(edge, scale), "");
  return `the bucket${isOne ? "" : "s"} ${edgeText(from)} to ${edgeText(to)}`;
}
