import { type BiasModel, criticalValue, effectiveBlocks, noiseLevel, widening } from "./confidence-sequence.ts";
import { JUDGE_RULES } from "./judge-limits.ts";

/** What a forecast starts from: the noise as measured so far. */
export interface NoiseModel {
  readonly blockSd: number;
  readonly varianceInflation: number;
  readonly blocksBefore: number;
  readonly bias: BiasModel;
  readonly alpha: number;
  readonly g: number;
}

/** The distance from a bound that is told apart with 80% chance after so many blocks (STATISTICS.md 4, MDE). */
export function resolvableAfter(noise: NoiseModel, blocksAfter: number): number {
  const m = noise.blocksBefore / noise.varianceInflation;
  const n = blocksAfter / noise.varianceInflation;
  const effective = effectiveBlocks(m, n, noise.blockSd, noise.bias);
  const critical = criticalValue(effective, m + n - 2, noise.g, noiseLevel(noise.bias, noise.alpha));
  if (critical === Infinity) return Infinity;
  return (
    ((critical + JUDGE_RULES.forecastZ) * noise.blockSd) / Math.sqrt(effective) + widening(noise.bias, noise.alpha)
  );
}

/** Fewest blocks after the plan, within [least, most], that resolve this distance with 80% chance. */
export function blocksToResolve(
  noise: NoiseModel,
  distance: number,
  range: { readonly least: number; readonly most: number },
): number | undefined {
  return leastThat((blocks) => resolvableAfter(noise, blocks) <= distance, range);
}

/** Fewest blocks of baseline, within [least, most], that resolve this distance with so many blocks after the plan. */
export function blocksBeforeToResolve(
  noise: Omit<NoiseModel, "blocksBefore">,
  distance: number,
  options: { readonly least: number; readonly most: number; readonly blocksAfter: number },
): number | undefined {
  const resolves = (blocksBefore: number): boolean =>
    resolvableAfter({ ...noise, blocksBefore }, options.blocksAfter) <= distance;
  return leastThat(resolves, options);
}

/** Fewest blocks of baseline that, with as many after the plan, resolve this distance with 80% chance. */
export function blocksOnBothSides(
  noise: NoiseModel,
  distance: number,
  range: { readonly least: number; readonly most: number },
): number | undefined {
  return leastThat((blocks) => resolvableAfter({ ...noise, blocksBefore: blocks }, blocks) <= distance, range);
}

/** Bisection: what resolves with so many blocks resolves with more. */
function leastThat(
  resolves: (blocks: number) => boolean,
  range: { readonly least: number; readonly most: number },
): number | undefined {
  if (range.most < range.least || !resolves(range.most)) return undefined;
  let low = range.least;
  let high = range.most;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (resolves(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Seconds in the words of a person, rounded up: `75 s`, `2 min 30 s`, `12 min`, `5 h`. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 120) return `${whole} s`;
  if (whole < 600) return `${Math.floor(whole / 60)} min${whole % 60 === 0 ? "" : ` ${whole % 60} s`}`;
  if (seconds < 7200) return `${Math.ceil(seconds / 60)} min`;
  return `${Math.ceil(seconds / 3600)} h`;
}
