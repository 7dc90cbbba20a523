import { blockLevels } from "../../../src/measure/block-levels.ts";
import { type BlockStore, createBlockStore } from "../../../src/measure/block-store.ts";
import { phaseSeries, settledSeries } from "../../../src/measure/phase-series.ts";
import type { Series } from "../../../src/measure/series.ts";
import type { Window } from "../../../src/replay/recording.ts";
import type { Goal } from "../goals.ts";
import { startStream } from "../simulator/stream.ts";
import type { Truth, World } from "../simulator/world.ts";

/** A run of fixed length that several rules look at; the plan acts when `before` ends. */
export interface RecordedRun {
  readonly store: BlockStore;
  readonly before: Window;
  readonly after: Window;
}

/** Plays one run into a block store of the judge. */
export function recordRun(options: {
  readonly world: World;
  readonly truth: Truth;
  readonly seed: number;
  readonly beforeSeconds: number;
  readonly afterSeconds: number;
}): RecordedRun {
  const { world, truth, seed, beforeSeconds, afterSeconds } = options;
  const store = createBlockStore({ routes: ["all"] });
  const stream = startStream({ world, truth, seed, actsAtSeconds: beforeSeconds });
  for (let second = 0; second < beforeSeconds + afterSeconds; second++) {
    const { batch, metrics } = stream.next();
    store.addPairs(batch);
    for (const sample of metrics) store.addMetric(sample);
  }
  const actsMs = 1000 * beforeSeconds;
  return {
    store,
    before: { fromMs: 0, toMs: actsMs },
    after: { fromMs: actsMs, toMs: actsMs + 1000 * afterSeconds },
  };
}

/** What a dashboard shows of one measure: one value of each side a stretch, NaN where there is none. */
export interface Points {
  readonly control: readonly number[];
  readonly shadow: readonly number[];
}

/** Points of one measure over a window, one for every `seconds`. */
export function pointsOf({ store }: RecordedRun, { slo }: Goal, window: Window, seconds: number): Points {
  const query = { measure: slo.measure, scale: "log", window, blockMs: 1000 * seconds } as const;
  const { fromMs, blockMs, count } = store.grid(window, query.blockMs);
  const control = new Array<number>(count).fill(Number.NaN);
  const shadow = new Array<number>(count).fill(Number.NaN);
  for (const level of blockLevels(store, query)) {
    const point = Math.floor((level.atMs - fromMs) / blockMs);
    control[point] = level.control;
    shadow[point] = level.shadow;
  }
  return { control, shadow };
}

/** Both phases of one measure up to a look, as the judge sees them; undefined where one has no number. */
export function seriesAt(
  { store, before, after }: RecordedRun,
  goal: Goal,
  options: { readonly blockMs: number; readonly afterMs: number },
): { readonly before: Series; readonly after: Series } | undefined {
  const { blockMs, afterMs } = options;
  const scale = goal.slo.limit.scale === "ratio" ? "log" : "absolute";
  const query = { measure: goal.slo.measure, scale, blockMs } as const;
  const past = settledSeries(store, { ...query, window: before });
  const sofar = phaseSeries(store, { ...query, window: { fromMs: after.fromMs, toMs: after.fromMs + afterMs } });
  return past.kind === "series" && sofar.kind === "series" ? { before: past, after: sofar } : undefined;
}
