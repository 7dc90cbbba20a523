import type { BlockStore } from "../measure/block-store.ts";
import { phaseSeries } from "../measure/phase-series.ts";
import type { Series } from "../measure/series.ts";
import type { Measure } from "../measure/slo.ts";
import type { Window } from "../replay/recording.ts";
import { acceptedRange, effectScale, type ResolvedSlo } from "./accepted.ts";

/** One stretch of traffic to twins that are alike, as one SLO saw it. */
export interface SloWindow {
  readonly round: number;
  /** After both twins were raised, or after the shadow's services were restarted. */
  readonly when: "raised" | "restarted";
  readonly seconds: number;
  readonly whole: Series;
  /** The first and the second half by themselves, in the shortest blocks. */
  readonly halves?: readonly [Series, Series];
  /** The window cut into blocks of each length that it holds at least twice. */
  readonly blocks: readonly { readonly blockMs: number; readonly series: Series }[];
}

/** Measures one window of one round for one SLO; undefined where a twin has no data. */
export function measureWindow(
  store: BlockStore,
  resolved: ResolvedSlo,
  at: { readonly round: number; readonly when: SloWindow["when"]; readonly window: Window },
): SloWindow | undefined {
  const { measure } = resolved.slo;
  const scale = effectScale(acceptedRange(resolved) ?? resolved.slo.limit);
  const seriesOf = (window: Window, blockMs: number): Series | undefined => {
    const series = phaseSeries(store, { measure, scale, window, blockMs });
    return series.kind === "series" ? series : undefined;
  };
  const blocks = blockLengths(measure).flatMap((blockMs) => {
    const series = seriesOf(at.window, blockMs);
    return series === undefined || series.influence.length < 2 ? [] : [{ blockMs, series }];
  });
  const [shortest] = blocks;
  if (shortest === undefined) return undefined;
  const { fromMs, toMs } = at.window;
  const middleMs = fromMs + Math.floor((toMs - fromMs) / 2 / shortest.blockMs) * shortest.blockMs;
  const first = seriesOf({ fromMs, toMs: middleMs }, shortest.blockMs);
  const second = seriesOf({ fromMs: middleMs, toMs: 2 * middleMs - fromMs }, shortest.blockMs);
  return {
    round: at.round,
    when: at.when,
    seconds: (toMs - fromMs) / 1000,
    whole: shortest.series,
    ...(first === undefined || second === undefined ? {} : { halves: [first, second] as const }),
    blocks,
  };
}

/** Lengths whose noise is learned, ms: what is counted with every request shows in a second, what is read does not. */
function blockLengths(measure: Measure): readonly number[] {
  switch (measure.kind) {
    case "latency":
    case "errors":
    case "served":
      return [1000, 2000, 5000, 10_000];
    case "counter":
    case "histogram":
      return [2000, 5000, 10_000];
    case "cpu":
    case "memory":
    case "gauge":
    case "sql":
      return [5000, 10_000, 30_000];
  }
}
