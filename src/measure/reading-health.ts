import type { Role } from "../mirror/twin.ts";
import type { Window } from "../replay/recording.ts";
import type { Arms } from "./arm-series.ts";
import type { BlockStore } from "./block-store.ts";
import { bucketBound } from "./metric-keys.ts";
import { coveredMs, type Readings, usualGapMs } from "./metric-series.ts";
import { type Measure, measureKey } from "./slo.ts";

// What can be wrong with readings that are there: one twin has fewer of them, or they say the same for ever.

/** How readings moved from one to the next, within the windows asked about. */
export interface Stillness {
  readonly steps: number;
  /** Steps at which the value stayed as it was. */
  readonly unchanged: number;
  /** Steps that came after one without a change, and those of them that brought none either: pauses between bursts last. */
  readonly afterStill: number;
  readonly stillAgain: number;
  /** Steps since the value last changed: all of them if it never did. */
  readonly sinceChange: number;
}

/** Where readings of a measure are kept; none of what the driver counts, which no exporter tells. */
export function readingsOf(store: BlockStore, measure: Measure): readonly Arms<Readings>[] {
  const keys =
    measure.kind === "histogram"
      ? store
          .metricKeys()
          .flatMap((key) => ({ key, bound: bucketBound(measure, key) ?? Number.NaN }))
          .filter(({ bound }) => !Number.isNaN(bound))
          .sort((a, b) => a.bound - b.bound)
          .map(({ key }) => key)
      : [measureKey(measure)];
  return keys.flatMap((key) => store.readings(key) ?? []);
}

/**
 * Share of its expected readings that each twin lacks in these windows, 0 to 1; undefined where nothing is expected. Expected is
 * one every usual gap of the control, from before anything was done: a twin that is asked less often because it answers
 * slowly lacks what was not asked.
 */
export function lostShares(readings: Arms<Readings>, windows: readonly Window[]): Arms<number> | undefined {
  const everyMs = usualGapMs(readings.control);
  const wholeMs = windows.reduce((total, { fromMs, toMs }) => total + Math.max(0, toMs - fromMs), 0);
  if (everyMs === undefined || wholeMs === 0) return undefined;
  const lost = (role: Role): number =>
    1 - windows.reduce((total, window) => total + coveredMs(readings[role], window, everyMs), 0) / wholeMs;
  return { control: lost("control"), shadow: lost("shadow") };
}

/** How both twins' readings moved inside these windows, in order of time; never from one window to the next. */
export function stillnessOf(readings: Arms<Readings>, windows: readonly Window[]): Arms<Stillness> {
  const of = (role: Role): Stillness => stillness(windows.map((window) => valuesIn(readings[role], window)));
  return { control: of("control"), shadow: of("shadow") };
}

/** `stillnessOf` of one side's values, stretch by stretch. */
export function stillness(stretches: readonly (readonly number[])[]): Stillness {
  let [steps, unchanged, afterStill, stillAgain, sinceChange] = [0, 0, 0, 0, 0];
  for (const values of stretches) {
    for (let i = 1; i < values.length; i++) {
      const isSame = values[i] === values[i - 1];
      const wasSame = i > 1 && values[i - 1] === values[i - 2];
      afterStill += wasSame ? 1 : 0;
      stillAgain += wasSame && isSame ? 1 : 0;
      steps++;
      unchanged += isSame ? 1 : 0;
      sinceChange = isSame ? sinceChange + 1 : 0;
    }
  }
  return { steps, unchanged, afterStill, stillAgain, sinceChange };
}

function valuesIn({ atMs, value }: Readings, { fromMs, toMs }: Window): readonly number[] {
  return value.filter((_, i) => (atMs[i] ?? 0) >= fromMs && (atMs[i] ?? 0) < toMs);
}
