import { varianceInflation } from "../../../src/judge/confidence-sequence.ts";
import type { EffectScale } from "../../../src/measure/arm-series.ts";
import { blockLevels } from "../../../src/measure/block-levels.ts";
import { type BlockStore, createBlockStore } from "../../../src/measure/block-store.ts";
import { phaseSeries } from "../../../src/measure/phase-series.ts";
import { type Measure, MeasureSchema } from "../../../src/measure/slo.ts";
import type { PairBatch } from "../../../src/replay/recording.ts";
import { CPU_MEASURE, GAUGE_MEASURE } from "./metric-readings.ts";
import { startStream } from "./stream.ts";
import { NO_EFFECT, WORLDS, type World } from "./world.ts";

/** How noisy blocks of one measure are in one world, effect scale; means over runs. */
export interface MeasureNoise {
  readonly label: string;
  readonly blockMs: number;
  /** Of the influence values, which the judge's interval is made of. */
  readonly influenceSd: number;
  /** Of the difference of the twins block by block, as people would draw it. */
  readonly blockSd: number;
  readonly lagOne: number;
  readonly varianceInflation: number;
}

const SECONDS = 600;
const RUNS = 60;
const WANTED: readonly (readonly [string, unknown, EffectScale, readonly number[]])[] = [
  ["p50", { kind: "latency", quantile: 0.5 }, "log", [10_000, 2000]],
  ["p95", { kind: "latency", quantile: 0.95 }, "log", [10_000, 2000]],
  ["p99", { kind: "latency", quantile: 0.99 }, "log", [10_000, 2000]],
  ["errors", { kind: "errors" }, "absolute", [10_000, 2000]],
  ["cpu", CPU_MEASURE, "log", [10_000]],
  ["gauge", GAUGE_MEASURE, "log", [30_000]],
];

/** Noise of every measure, and the correlation of log latencies inside pairs. */
export function worldNoise(
  world: World,
  runs: number,
): { readonly correlation: number; readonly measures: readonly MeasureNoise[] } {
  const seen = Array.from({ length: runs }, (_, run) => oneRun(world, 1000 + run));
  const meanOf = (pick: (noise: MeasureNoise) => number, index: number): number =>
    seen.reduce((total, { measures }) => total + pick(measures[index] as MeasureNoise), 0) / runs;
  const measures = (seen[0]?.measures ?? []).map((first, index) => ({
    ...first,
    influenceSd: Math.sqrt(meanOf((noise) => noise.influenceSd ** 2, index)),
    blockSd: Math.sqrt(meanOf((noise) => noise.blockSd ** 2, index)),
    lagOne: meanOf((noise) => noise.lagOne, index),
    varianceInflation: meanOf((noise) => noise.varianceInflation, index),
  }));
  return { correlation: seen.reduce((total, run) => total + run.correlation, 0) / runs, measures };
}

function oneRun(world: World, seed: number) {
  const store = createBlockStore({ routes: ["all"] });
  const stream = startStream({ world, seed, actsAtSeconds: SECONDS, truth: NO_EFFECT });
  const pairs = correlating();
  for (let second = 0; second < SECONDS; second++) {
    const { batch, metrics } = stream.next();
    pairs.add(batch);
    store.addPairs(batch);
    for (const sample of metrics) store.addMetric(sample);
  }
  const measures = WANTED.flatMap(([label, written, scale, lengths]) =>
    lengths.map((blockMs) => noiseOf(store, { label, measure: MeasureSchema.parse(written), scale, blockMs })),
  );
  return { correlation: pairs.correlation(), measures };
}

function noiseOf(
  store: BlockStore,
  asked: { readonly label: string; readonly measure: Measure; readonly scale: EffectScale; readonly blockMs: number },
): MeasureNoise {
  const { label, measure, scale, blockMs } = asked;
  const query = { measure, scale, window: { fromMs: 0, toMs: SECONDS * 1000 }, blockMs };
  const series = phaseSeries(store, query);
  const influence = series.kind === "series" ? series.influence : [];
  const levels = blockLevels(store, query);
  const differences = levels.map(({ control, shadow }) =>
    scale === "log" ? Math.log(shadow / control) : shadow - control,
  );
  return {
    label,
    blockMs,
    influenceSd: sdOf(influence),
    blockSd: sdOf(differences),
    lagOne: lagOne(influence),
    varianceInflation: varianceInflation(influence, []),
  };
}

function correlating() {
  const sums = { n: 0, x: 0, y: 0, xx: 0, yy: 0, xy: 0 };
  const add = ({ size, arms }: PairBatch): void => {
    for (let i = 0; i < size; i++) {
      const x = Math.log(arms.control.latencyMs[i] ?? 1);
      const y = Math.log(arms.shadow.latencyMs[i] ?? 1);
      sums.n++;
      sums.x += x;
      sums.y += y;
      sums.xx += x * x;
      sums.yy += y * y;
      sums.xy += x * y;
    }
  };
  const correlation = (): number => {
    const { n, x, y, xx, yy, xy } = sums;
    return (xy / n - (x / n) * (y / n)) / Math.sqrt((xx / n - (x / n) ** 2) * (yy / n - (y / n) ** 2));
  };
  return { add, correlation };
}

function sdOf(values: readonly number[]): number {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  return Math.sqrt(values.reduce((total, value) => total + (value - mean) ** 2, 0) / (values.length - 1));
}

function lagOne(values: readonly number[]): number {
  const total = values.reduce((sum, value) => sum + value * value, 0);
  return values.slice(1).reduce((sum, value, i) => sum + value * (values[i] ?? 0), 0) / total;
}

/** Prints the noise of the worlds named on the command line, or of all. */
function main(): void {
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(WORLDS);
  for (const name of names) {
    const world = WORLDS[name];
    if (world === undefined) throw new Error(`there is no world ${name}`);
    const { correlation, measures } = worldNoise(world, RUNS);
    console.log(`${name}: correlation inside pairs ${correlation.toFixed(3)}`);
    for (const noise of measures) {
      const percent = (share: number): string => `${(100 * share).toFixed(2)}%`.padStart(7);
      console.log(
        `  ${noise.label.padEnd(6)} ${String(noise.blockMs / 1000).padStart(3)} s  sd ${percent(noise.blockSd)}` +
          `  influence ${percent(noise.influenceSd)}  lag one ${noise.lagOne.toFixed(2)}  inflation ${noise.varianceInflation.toFixed(2)}`,
      );
    }
  }
}

if (import.meta.main) main();
