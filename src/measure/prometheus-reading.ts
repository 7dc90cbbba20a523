import { bucketKey } from "./metric-keys.ts";
import { type PrometheusSample, parsePrometheusText } from "./prometheus-text.ts";
import { type Measure, measureKey } from "./slo.ts";

/** One number to record as a `MetricSample`. */
export interface MetricReading {
  readonly key: string;
  readonly value: number;
}

/** Measures that come from a service's Prometheus endpoint. */
export type ScrapedMeasure = Extract<Measure, { kind: "counter" | "gauge" | "histogram" }>;

/**
 * Reads one measure from the texts of all replicas of its service: samples whose labels include the asked ones are
 * summed. Empty when it is not there, is not finite, or when any replica's text is malformed: half a sum would look like
 * a fall.
 */
export function readMetric(measure: ScrapedMeasure, texts: readonly string[]): readonly MetricReading[] {
  return readMetrics([measure], texts);
}

/** Reads several measures of one service; every text is parsed once. */
export function readMetrics(measures: readonly ScrapedMeasure[], texts: readonly string[]): readonly MetricReading[] {
  const parsed = texts.map(parsePrometheusText);
  const samples = parsed.flatMap((text) => (text.kind === "samples" ? text.samples : []));
  if (parsed.some((text) => text.kind === "malformed")) return [];
  return measures.flatMap((measure) =>
    measure.kind === "histogram" ? bucketReadings(measure, samples) : valueReadings(measure, samples),
  );
}

function valueReadings(measure: ScrapedMeasure, samples: readonly PrometheusSample[]): readonly MetricReading[] {
  const matching = samples.filter((sample) => sample.name === measure.metric && hasLabels(sample, measure.labels));
  const value = matching.reduce((total, sample) => total + sample.value, 0);
  return matching.length === 0 || !Number.isFinite(value) ? [] : [{ key: measureKey(measure), value }];
}

function bucketReadings(
  measure: Extract<Measure, { kind: "histogram" }>,
  samples: readonly PrometheusSample[],
): readonly MetricReading[] {
  const byBound = new Map<number, number>();
  for (const sample of samples) {
    if (sample.name !== `${measure.metric}_bucket` || !hasLabels(sample, measure.labels)) continue;
    const bound = boundOf(sample.labels["le"]);
    if (bound === undefined || !Number.isFinite(sample.value)) return [];
    byBound.set(bound, (byBound.get(bound) ?? 0) + sample.value);
  }
  return [...byBound].sort(([a], [b]) => a - b).map(([bound, value]) => ({ key: bucketKey(measure, bound), value }));
}

function boundOf(written: string | undefined): number | undefined {
  if (written === "+Inf") return Number.POSITIVE_INFINITY;
  const bound = written === undefined || written.trim() === "" ? Number.NaN : Number(written);
  return Number.isNaN(bound) ? undefined : bound;
}

function hasLabels(sample: PrometheusSample, asked: Readonly<Record<string, string>>): boolean {
  return Object.entries(asked).every(([name, value]) => sample.labels[name] === value);
}
