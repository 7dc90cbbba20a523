import type { Window } from "../replay/recording.ts";
import type { ArmSeries, Arms, EffectScale } from "./arm-series.ts";
import type { Measure } from "./slo.ts";

/** Sd of a block on the log axis is never believed below this (STATISTICS.md 2.3: paired open loop can give zero). */
export const FLOOR_LOG = 0.001;

/** Paired failures over a phase: on the shadow only, on the control only, neither or both alike. */
export interface PairCounts {
  readonly shadowOnly: number;
  readonly controlOnly: number;
  readonly neither: number;
}

/** What one phase says of one measure: a difference of the twins and what each valid block contributed. */
export interface Series {
  readonly kind: "series";
  readonly scale: EffectScale;
  /** Shadow minus control on the effect scale. */
  readonly estimate: number;
  /** Centred influence of each valid block on `estimate`; its length is the number of valid blocks. */
  readonly influence: readonly number[];
  readonly arms: Arms<ArmSeries>;
  /** Least believable sd of a block. */
  readonly floor: number;
  /** Natural units: ms, fraction, per second, CPU seconds a request, bytes, the metric's own. */
  readonly levels: Arms<number>;
  readonly invalid: number;
  /** Request measures: pairs in valid blocks; histograms: the smaller twin's observations; else 0. */
  readonly observations: number;
  readonly pairs?: PairCounts;
  /** Histograms: ascending edges of all buckets on the effect scale. How values lie between two neighbours is not known. */
  readonly edges?: readonly number[];
  /** Nothing ever moved on either twin: it looks the same as a measurement that has stopped. */
  readonly constant: boolean;
}

/** A phase without a number, and why, in words that follow "because". */
export interface NoSeries {
  readonly kind: "no-data";
  readonly why: string;
  readonly invalid: number;
  readonly blocks: number;
}
export type PhaseSeries = Series | NoSeries;

/** Whether late seconds are left out on both twins, or count like any other. */
export type LateRule = "left-out" | "kept";

/** Which phase of what, cut how. */
export interface PhaseQuery {
  readonly measure: Measure;
  readonly scale: EffectScale;
  readonly window: Window;
  readonly blockMs: number;
  /** Of measures that count requests; left out unless told otherwise. */
  readonly late?: LateRule | undefined;
}

/** Why a phase without a single valid block has no number. */
export function nothingWhy(blockCount: number): string {
  return blockCount === 0 ? "no whole block has passed yet" : "no block has readings of both twins";
}

/** An estimate on its effect scale back in natural units. */
export function naturalLevel(estimate: number, scale: EffectScale): number {
  return scale === "log" ? Math.exp(estimate) : estimate;
}
