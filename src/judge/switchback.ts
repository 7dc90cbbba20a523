import { sum } from "../measure/arm-series.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { settledSeries } from "../measure/phase-series.ts";
import type { PairCounts, PhaseQuery, Series } from "../measure/series.ts";
import type { Window } from "../replay/recording.ts";
import { type ConfidenceSequence, type CsOptions, criticalValue } from "./confidence-sequence.ts";
import { JUDGE_RULES } from "./judge-limits.ts";

// A plan that is applied and undone again and again (STATISTICS.md 4, remedy b; docs/decisions/0008): one value a round.
// Whatever drifts slowly, differs between the twins or is drawn anew by every restart is in both sides of the value.

/** One round: the plan in force, between two stretches without it, of which this round owns one half each. */
export interface SwitchbackRound {
  readonly before: Window;
  readonly on: Window;
  readonly after: Window;
}

/** What one round says of one measure, on the effect scale. */
export interface RoundValue {
  /** Difference of the twins with the plan minus the mean of the differences beside it. */
  readonly effect: number;
  /** The same of each twin by itself; the control's shows what reaches it (`interference.ts`). */
  readonly shifts: { readonly control: number; readonly shadow: number };
  /** Least believable sd of `effect`. */
  readonly floor: number;
  readonly on: Series;
  readonly off: readonly [Series, Series];
}

/** Values of the rounds, in order; undefined where a stretch has no data of both twins. */
export function roundValues(
  store: BlockStore,
  query: Pick<PhaseQuery, "measure" | "scale" | "late">,
  rounds: readonly SwitchbackRound[],
): readonly (RoundValue | undefined)[] {
  const seriesOf = (window: Window): Series | undefined => {
    const series = settledSeries(store, { ...query, window, blockMs: window.toMs - window.fromMs });
    return series.kind === "series" ? series : undefined;
  };
  return rounds.map((round) => {
    const [before, on, after] = [seriesOf(round.before), seriesOf(round.on), seriesOf(round.after)];
    return before === undefined || on === undefined || after === undefined ? undefined : roundOf(on, [before, after]);
  });
}

function roundOf(on: Series, off: readonly [Series, Series]): RoundValue {
  const [before, after] = off;
  const shift = (pick: (series: Series) => number): number => pick(on) - (pick(before) + pick(after)) / 2;
  return {
    effect: shift((series) => series.estimate),
    shifts: {
      control: shift((series) => series.arms.control.estimate),
      shadow: shift((series) => series.arms.shadow.estimate),
    },
    floor: Math.hypot(on.floor, before.floor / 2, after.floor / 2),
    on,
    off,
  };
}

/** Whether no level of any stretch ever moved on either twin: it looks the same as a measurement that has stopped. */
export function neverMoved(values: readonly RoundValue[]): boolean {
  const levels = values.flatMap(({ on, off }) => [on, ...off].map((series) => series.levels));
  const first = levels[0];
  return levels.every(({ control, shadow }) => control === first?.control && shadow === first.shadow);
}

/**
 * How many times more variance the mean of the rounds has than independent values would give it. Rounds share no second,
 * but where a restart draws the twins' bias anew, the bias drawn by the undo between two rounds is in both: correlation
 * 1/6 at most, when nothing but bias varies.
 */
export function roundsInflation(restarted: boolean): number {
  return restarted ? 4 / 3 : 1;
}

/**
 * Interval of the mean of the rounds that holds after every round at once: the one-sample form of STATISTICS.md 3.1.
 * @param noise - `floor`: least believable sd of one round; `inflation`: see `roundsInflation`
 */
export function roundsSequence(
  values: readonly number[],
  noise: { readonly floor: number; readonly inflation: number },
  options: CsOptions,
): ConfidenceSequence {
  const count = values.length;
  const estimate = count === 0 ? 0 : sum(values) / count;
  const variance = count > 1 ? sum(values.map((value) => (value - estimate) ** 2)) / (count - 1) : 0;
  const blockSd = Math.sqrt(Math.max(variance, noise.floor ** 2));
  const effective = count / noise.inflation;
  const standardError = count === 0 ? Infinity : blockSd / Math.sqrt(effective);
  const critical = criticalValue(effective, effective - 1, options.g, 2 * options.alpha);
  const half = critical === Infinity ? Infinity : critical * standardError;
  return {
    estimate,
    lo: estimate - half,
    hi: estimate + half,
    standardError,
    blockSd,
    varianceInflation: noise.inflation,
    effectiveBlocks: effective,
    degrees: effective - 1,
    critical,
    biasRemoved: 0,
  };
}

/** The distance from a bound that so many rounds tell apart with 80% chance (STATISTICS.md 4, MDE). */
export function resolvableByRounds(
  rounds: number,
  noise: { readonly sd: number; readonly inflation: number },
  options: CsOptions,
): number {
  const effective = rounds / noise.inflation;
  const critical = criticalValue(effective, effective - 1, options.g, 2 * options.alpha);
  return critical === Infinity ? Infinity : ((critical + JUDGE_RULES.forecastZ) * noise.sd) / Math.sqrt(effective);
}

/** Discordant pairs while the plan was in force, over all rounds. */
export function pairsInForce(values: readonly RoundValue[]): PairCounts | undefined {
  const pairs = values.flatMap(({ on }) => (on.pairs === undefined ? [] : [on.pairs]));
  if (pairs.length < values.length || pairs.length === 0) return undefined;
  return {
    shadowOnly: sum(pairs.map((of) => of.shadowOnly)),
    controlOnly: sum(pairs.map((of) => of.controlOnly)),
    neither: sum(pairs.map((of) => of.neither)),
  };
}

/**
 * Lengths, ms, of the stretches without the plan: one before every round and one after the last, drawn between three
 * and five quarters of `offMs` so that nothing periodic keeps step with the rounds. Pairs of them add up to twice
 * `offMs`, whatever the seed; the first and the last, of which only one half counts, are half as long.
 * @param random - uniform in [0, 1)
 */
export function offStretches(rounds: number, offMs: number, random: () => number): readonly number[] {
  const half = offMs / 2;
  const between: number[] = [];
  while (between.length < rounds - 1) {
    const swing = (random() - 0.5) * half;
    between.push(offMs + swing, offMs - swing);
  }
  return [half, ...between.slice(0, rounds - 1), half];
}

/** The two halves of a stretch without the plan, in whole seconds of the axis: one for the round before, one for the one after. */
export function halvesOf({ fromMs, toMs }: Window): { readonly first: Window; readonly last: Window } {
  const middleMs = (fromMs + toMs) / 2;
  const whole = (from: number, to: number): Window => ({
    fromMs: Math.ceil(from / 1000) * 1000,
    toMs: Math.floor(to / 1000) * 1000,
  });
  return { first: whole(fromMs, middleMs), last: whole(middleMs, toMs) };
}
