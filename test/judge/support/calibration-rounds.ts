import { seededRandom } from "../../../src/core/random.ts";
import type { SloWindow } from "../../../src/judge/calibration-windows.ts";
import type { Series } from "../../../src/measure/series.ts";

/** What is true of made-up rounds; sds on the log scale, of a second's value where blocks are concerned. */
export interface Rounds {
  readonly seed: number;
  readonly rounds: number;
  readonly biasSd: number;
  readonly secondSd: number;
  /** A slope common to a window, drawn anew in each: difference of the means of its halves. */
  readonly driftSd?: number;
  readonly seconds?: number;
  readonly restarts?: boolean;
  /** Added to every window: what one core has and the other has not. */
  readonly placement?: number;
}

/** Windows of Gaussian seconds, as `measureWindow` would make them. */
export function roundsOf(world: Rounds): readonly SloWindow[] {
  const { rounds, biasSd, restarts = true, placement = 0 } = world;
  const random = seededRandom(world.seed);
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: rounds }, (_, round) => {
    const whens = restarts ? (["raised", "restarted"] as const) : (["raised"] as const);
    return whens.map((when) => windowOf({ ...world, round, when, bias: placement + biasSd * gauss(), gauss }));
  }).flat();
}

function windowOf(
  world: Rounds & Pick<SloWindow, "round" | "when"> & { readonly bias: number; readonly gauss: () => number },
): SloWindow {
  const { seconds = 40, secondSd, driftSd = 0, bias, gauss } = world;
  const slope = driftSd * gauss();
  const values = Array.from(
    { length: seconds },
    (_, i) => bias + secondSd * gauss() + slope * (i < seconds / 2 ? -0.5 : 0.5),
  );
  const blocks = [1000, 2000, 5000, 10_000]
    .filter((blockMs) => (seconds * 1000) / blockMs >= 2)
    .map((blockMs) => ({ blockMs, series: seriesOf(values, blockMs / 1000) }));
  const halves = [seriesOf(values.slice(0, seconds / 2), 1), seriesOf(values.slice(seconds / 2), 1)] as const;
  return { round: world.round, when: world.when, seconds, whole: seriesOf(values, 1), halves, blocks };
}

function seriesOf(values: readonly number[], perBlock: number): Series {
  const levels = Array.from({ length: Math.floor(values.length / perBlock) }, (_, block) =>
    mean(values.slice(block * perBlock, (block + 1) * perBlock)),
  );
  const estimate = mean(levels);
  const influence = levels.map((level) => level - estimate);
  const arm = { estimate, influence };
  return {
    kind: "series",
    scale: "log",
    ...arm,
    arms: { control: arm, shadow: arm },
    floor: 0.001,
    levels: { control: 20, shadow: 20 * Math.exp(estimate) },
    invalid: 0,
    observations: values.length * 100,
    constant: false,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
