import { quantileOfSorted } from "../../../src/measure/sample.ts";
import { shiftInterval } from "./mann-whitney.ts";

// A fresh implementation of the rule that Kayenta's NetflixACAJudge-v1.0 documents and ships, from our notes on it.

/** Constants of the judge; its configuration offers to change them and is never read. */
const CONFIDENCE = 0.98;
const TOLERANCE = 0.25;
const NODATA_SHARE_MAX = 0.5;

/** What a metric may ask for. Ratios: 1.1 allows the experiment ten percent more than the control. */
export interface KayentaMetric {
  readonly direction: "increase" | "decrease" | "either";
  readonly nan: "remove" | "replace";
  readonly outliers: "keep" | "remove";
  readonly outlierFactor: number;
  readonly critical: boolean;
  readonly mustHaveData: boolean;
  readonly effectSize: "meanRatio" | "cles";
  readonly allowedIncrease: number;
  readonly allowedDecrease: number;
  readonly criticalIncrease: number;
  readonly criticalDecrease: number;
}

/** What holds when a metric says nothing. */
export const KAYENTA_DEFAULTS: KayentaMetric = {
  direction: "either",
  nan: "remove",
  outliers: "keep",
  outlierFactor: 3,
  critical: false,
  mustHaveData: false,
  effectSize: "meanRatio",
  allowedIncrease: 1,
  allowedDecrease: 1,
  criticalIncrease: 1,
  criticalDecrease: 1,
};

/** One metric's answer; `critical` means it fails the whole canary by itself. */
export interface KayentaClass {
  readonly label: "Pass" | "High" | "Low" | "Nodata" | "NodataFailMetric" | "Error";
  readonly critical: boolean;
}

/**
 * Classifies one metric from the points of both sides.
 * @param gauss - standard normal numbers, for the noise that the rule adds to constant series
 */
export function classifyMetric(
  points: { readonly control: readonly number[]; readonly experiment: readonly number[] },
  metric: KayentaMetric,
  gauss: () => number,
): KayentaClass {
  const control = cleaned(points.control, metric);
  const experiment = cleaned(points.experiment, metric);
  if (control.length === 0 || experiment.length === 0) return withoutData(metric);
  if (sameValues(control, experiment) || new Set([...control, ...experiment]).size === 1) return PASS;
  const isFlat = new Set(control).size === 1 && new Set(experiment).size === 1;
  const roughen = (value: number): number => value + 1e-5 * value * gauss();
  const x = isFlat ? experiment.map(roughen) : experiment;
  const y = isFlat ? control.map(roughen) : control;
  const shift = shiftInterval(x, y, CONFIDENCE);
  // An exception in the rule loses the metric, and with it that it was critical.
  if (shift === undefined) return { label: "Error", critical: false };
  return labelled(shift, effectOf(x, y, metric), metric);
}

const PASS: KayentaClass = { label: "Pass", critical: false };

function withoutData({ nan, mustHaveData, critical }: KayentaMetric): KayentaClass {
  if (nan === "replace") return PASS;
  return { label: mustHaveData && !critical ? "NodataFailMetric" : "Nodata", critical };
}

function labelled(
  { lower, estimate, upper }: { readonly lower: number; readonly estimate: number; readonly upper: number },
  effect: number,
  metric: KayentaMetric,
): KayentaClass {
  // A share of the difference itself, so that no difference is too small to count.
  const bound = TOLERANCE * Math.abs(estimate);
  const unknown = Number.isNaN(effect);
  if (metric.direction !== "decrease" && lower > bound && (unknown || effect >= metric.allowedIncrease)) {
    return { label: "High", critical: metric.critical && (unknown || effect >= metric.criticalIncrease) };
  }
  if (metric.direction !== "increase" && upper < -bound && (unknown || effect <= metric.allowedDecrease)) {
    return { label: "Low", critical: metric.critical && (unknown || effect <= metric.criticalDecrease) };
  }
  return PASS;
}

function effectOf(experiment: readonly number[], control: readonly number[], metric: KayentaMetric): number {
  if (metric.effectSize === "cles") {
    const wins = experiment.map((x) => control.reduce((won, y) => won + (x > y ? 1 : x === y ? 0.5 : 0), 0));
    return mean(wins) / control.length;
  }
  const [top, bottom] = [mean(experiment), mean(control)];
  return top === 0 || bottom === 0 ? Number.NaN : top / bottom;
}

function cleaned(values: readonly number[], metric: KayentaMetric): readonly number[] {
  const numbers =
    metric.nan === "replace"
      ? values.map((value) => (Number.isNaN(value) ? 0 : value))
      : values.filter((value) => !Number.isNaN(value));
  if (metric.outliers === "keep" || numbers.length === 0) return numbers;
  const ascending = numbers.toSorted((a, b) => a - b);
  const at = (p: number): number => quantileOfSorted(ascending, p);
  const reach = metric.outlierFactor * (at(0.75) - at(0.25));
  const from = Math.min(at(0.01), at(0.25) - reach);
  const to = Math.max(at(0.99), at(0.75) + reach);
  return numbers.filter((value) => value >= from && value <= to);
}

function sameValues(a: readonly number[], b: readonly number[]): boolean {
  const [left, right] = [a.toSorted(byValue), b.toSorted(byValue)];
  return left.length === right.length && left.every((value, i) => value === right[i]);
}

function byValue(a: number, b: number): number {
  return a - b;
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

/** A group of metrics and its weight in percent, if one was given. */
export interface KayentaGroup {
  readonly weight?: number;
  readonly metrics: readonly KayentaClass[];
}

/** Score of a canary, 0 to 100. */
export function scoreOf(groups: readonly KayentaGroup[]): number {
  const all = groups.flatMap((group) => group.metrics);
  if (all.some((metric) => metric.critical && metric.label !== "Pass")) return 0;
  if (all.filter((metric) => metric.label === "Nodata").length >= NODATA_SHARE_MAX * all.length && all.length > 0) {
    return 0;
  }
  const given = groups.reduce((total, group) => total + (group.weight ?? 0), 0);
  const unlisted = groups.filter((group) => group.weight === undefined).length;
  const score = groups.reduce(
    (total, group) => total + (groupScore(group) * (group.weight ?? (100 - given) / unlisted)) / 100,
    0,
  );
  return Math.round(score * 100) / 100;
}

/** A group in which nothing was counted has a perfect score. */
function groupScore({ metrics }: KayentaGroup): number {
  const count = (...labels: readonly KayentaClass["label"][]): number =>
    metrics.filter((metric) => labels.includes(metric.label)).length;
  const counted = count("Pass", "High", "Low", "NodataFailMetric");
  return counted === 0 ? 100 : (100 * count("Pass")) / counted;
}

/** Pass from the upper mark on, marginal from the lower one. */
export function verdictOf(
  score: number,
  marks: { readonly pass: number; readonly marginal: number },
): "Pass" | "Marginal" | "Fail" {
  if (score >= marks.pass) return "Pass";
  return score >= marks.marginal ? "Marginal" : "Fail";
}
