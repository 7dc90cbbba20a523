import { sum } from "../measure/arm-series.ts";
import { deltaUnit, type Measure } from "../measure/slo.ts";
import type { ResolvedSlo } from "./accepted.ts";
import { tailShare } from "./block-length.ts";
import { leastBias } from "./calibration.ts";
import type { SloWindow } from "./calibration-windows.ts";
import { chiSquareQuantile } from "./chi-square.ts";
import { JUDGE_RULES, JudgeLimitsSchema, shortestBlockMs } from "./judge-limits.ts";
import { pooledInflation } from "./pooled-inflation.ts";
import type { LearnedSlo, Profile } from "./profile.ts";
import { measureSha256 } from "./use-profile.ts";

/** One-sided confidence of every limit a profile holds. */
const LIMIT_AT = 0.9;
/** Drift is called shown when chance alone would do as much once in a hundred calibrations. */
const SHOWN_AT = 0.99;
/** Blocks that inflate the variance more lean on each other; longer ones are suggested. */
const INFLATION_SUGGESTED_MAX = 1.5;

/**
 * What windows without a plan say of one SLO: noise, bias of a raise, bias after a restart, drift (STATISTICS.md 4).
 * Every sd is an upper 90% limit (chi-square on the second moment about zero, less the noise of the windows): a bias that
 * every raise shares, as a slower core gives it, counts as well, and few rounds give a wide limit and not a lucky one.
 */
export function learnCalibration(resolved: ResolvedSlo, windows: readonly SloWindow[]): Profile["slos"][number] {
  const { name, measure } = resolved.slo;
  const none = (why: string): Profile["slos"][number] => ({ kind: "not-learned", name, why });
  const raised = windows.filter(({ when }) => when === "raised");
  const restarted = windows.filter(({ when }) => when === "restarted");
  if (raised.length < 2) return none(`${raised.length} windows had data of both twins, at least 2 are needed`);
  const blocks = noiseByBlock(windows);
  const [shortest] = blocks;
  if (shortest === undefined) return none("no window held two of its blocks: give more --seconds");
  const ratePerSecond = mean(raised.map(({ whole, seconds }) => whole.observations / seconds));
  const suggested = suggestedBlock(blocks, resolved.slo.measure, ratePerSecond) ?? shortest;
  const variancePerSecond = longRunVariance(windows, shortest.blockMs);
  const noiseOf = (seconds: number): number => variancePerSecond / seconds;
  const controlLevel = mean(raised.map(({ whole }) => whole.levels.control));
  const [first] = raised;
  const scale = first?.whole.scale ?? "log";
  const least = leastBias({ measure, scale, controlLevel });
  const estimates = (of: readonly SloWindow[]): readonly Noisy[] =>
    of.map(({ whole, seconds }) => ({ value: whole.estimate, noise: noiseOf(seconds) }));
  const restartSd =
    restarted.length < 2
      ? undefined
      : Math.max(least, upperSd(estimates(restarted)), upperSd(changes(windows, noiseOf)));
  return {
    kind: "learned",
    name,
    measureSha256: measureSha256(resolved.slo),
    scale,
    unit: deltaUnit(measure),
    tau: Math.max(least, upperSd(estimates(raised))),
    ...(restartSd === undefined ? {} : { restartSd }),
    drift: driftOf(windows, noiseOf),
    blocks: [...blocks],
    blockMsSuggested: suggested.blockMs,
    ratePerSecond,
    controlLevel,
    windows: { raised: raised.length, restarted: restarted.length },
  };
}

/** A value about zero with the variance that noise alone gives it. */
interface Noisy {
  readonly value: number;
  readonly noise: number;
}

/**
 * Upper limit of the sd that is left when the noise is taken off. The limit is of the whole variance, from which the
 * noise is taken afterwards: an estimate of zero must not have a limit of zero.
 */
export function upperSd(values: readonly Noisy[]): number {
  const squares = sum(values.map(({ value }) => value ** 2));
  const upper = squares / chiSquareQuantile(1 - LIMIT_AT, values.length);
  return Math.sqrt(Math.max(0, upper - mean(values.map(({ noise }) => noise))));
}

/** How the restart moved the twins apart in each round; both windows are noisy. */
function changes(windows: readonly SloWindow[], noiseOf: (seconds: number) => number): readonly Noisy[] {
  return windows
    .filter(({ when }) => when === "restarted")
    .flatMap((after) => {
      const before = windows.find(({ round, when }) => round === after.round && when === "raised");
      if (before === undefined) return [];
      const noise = noiseOf(before.seconds) + noiseOf(after.seconds);
      return [{ value: after.whole.estimate - before.whole.estimate, noise }];
    });
}

/** Second half less first half of every window. Windows differ in length: all is scaled to the longest distance. */
function driftOf(windows: readonly SloWindow[], noiseOf: (seconds: number) => number): LearnedSlo["drift"] {
  const seconds = Math.max(...windows.map((window) => window.seconds)) / 2;
  const steps = windows.flatMap(({ halves, seconds: long }): readonly Noisy[] => {
    if (halves === undefined) return [];
    const scale = seconds / (long / 2);
    const [first, second] = halves;
    return [{ value: (second.estimate - first.estimate) * scale, noise: 2 * noiseOf(long / 2) * scale ** 2 }];
  });
  if (steps.length < 2) return { shown: false, sd: 0, seconds };
  const excess = sum(steps.map(({ value, noise }) => (noise > 0 ? value ** 2 / noise : 0)));
  return { shown: excess > chiSquareQuantile(SHOWN_AT, steps.length), sd: upperSd(steps), seconds };
}

type BlockNoise = LearnedSlo["blocks"][number];

/**
 * Variance of the mean over one second, correlation included: over T seconds it is a T-th of that. Taken within halves of
 * windows, so that drift is not taken for noise, and without the floor that the judge puts under the sd: what is too
 * small here makes the bias larger, never smaller.
 */
function longRunVariance(windows: readonly SloWindow[], blockMs: number): number {
  const segments = windows
    .flatMap(({ halves }) => halves ?? [])
    .map(({ influence }) => influence)
    .filter((values) => values.length >= 2);
  if (segments.length === 0) return 0;
  return ((sdOf(segments) ** 2 * pooledInflation(segments)) / 1000) * blockMs;
}

/** Sd of centred values, one degree lost with each segment. */
function sdOf(segments: readonly (readonly number[])[]): number {
  const degrees = sum(segments.map((values) => values.length - 1));
  return Math.sqrt(sum(segments.flat().map((value) => value ** 2)) / degrees);
}

/** Sd and autocorrelation of block values, pooled over windows, per block length that at least one window holds twice. */
function noiseByBlock(windows: readonly SloWindow[]): readonly BlockNoise[] {
  const lengths = [...new Set(windows.flatMap(({ blocks }) => blocks.map(({ blockMs }) => blockMs)))];
  return lengths
    .sort((a, b) => a - b)
    .map((blockMs) => {
      const series = windows.flatMap(({ blocks }) => blocks.filter((entry) => entry.blockMs === blockMs));
      const segments = series.map((entry) => entry.series.influence);
      const count = sum(segments.map((values) => values.length));
      const sd = Math.max(sdOf(segments), mean(series.map((entry) => entry.series.floor)));
      return { blockMs, sd, varianceInflation: pooledInflation(segments), count };
    });
}

/** The shortest block that holds enough of the tail and does not lean on its neighbours; else the longest there is. */
function suggestedBlock(
  blocks: readonly BlockNoise[],
  measure: Measure,
  ratePerSecond: number,
): BlockNoise | undefined {
  const tail = tailShare(measure);
  const leastMs = shortestBlockMs(measure, SHORTEST_ASKED);
  const good = blocks.find(
    ({ blockMs, varianceInflation }) =>
      blockMs >= leastMs &&
      (tail === undefined || (ratePerSecond * tail * blockMs) / 1000 >= JUDGE_RULES.blockExceedancesMin) &&
      varianceInflation <= INFLATION_SUGGESTED_MAX,
  );
  return good ?? blocks.at(-1);
}

/** The shortest blocks that a scenario may ask for. */
const SHORTEST_ASKED = JudgeLimitsSchema.parse({ blockSeconds: 2 });

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
