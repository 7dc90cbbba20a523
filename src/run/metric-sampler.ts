import type { Clock } from "../core/clock.ts";
import { readMetric } from "../measure/prometheus-reading.ts";
import type { Measure } from "../measure/slo.ts";
import { measureKey } from "../measure/slo.ts";
import { askReadOnly } from "../mirror/ask-read-only.ts";
import type { MetricsSpec } from "../mirror/mirror-spec.ts";
import { ROLES, type Role, type Twin } from "../mirror/twin.ts";
import type { MetricSample } from "../replay/recording.ts";

/** What reading metrics asks of a twin: no more than this. */
type Readable = Pick<Twin, "role" | "usage" | "scrape" | "sql">;

/** How often counters, gauges and container usage are read; cheap enough not to show in the twins' latency. */
const SAMPLE_EVERY_MS = 1000;

/**
 * Reads everything that is not a request, from both twins in the same instant, until the signal aborts.
 * A reading that fails is missing, on that twin only; the judge counts what is missing and never guesses.
 */
export async function sampleMetrics(options: {
  readonly pair: Readonly<Record<Role, Readable>> & { readonly spec: { readonly metrics: readonly MetricsSpec[] } };
  readonly measures: readonly Measure[];
  readonly axisMs: () => number;
  /** Told after every round, also when nothing could be read: `atMs` is the instant of the round. */
  readonly onSamples: (samples: readonly MetricSample[], atMs: number) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { pair, clock, signal } = options;
  const measures = options.measures.filter((measure) => !REQUEST_KINDS.has(measure.kind));
  if (measures.length === 0) return;
  for (let tick = 1; !signal.aborted; tick++) {
    const atMs = options.axisMs();
    const readings = await Promise.all(
      ROLES.map(async (role) => readTwin({ twin: pair[role], metrics: pair.spec.metrics, measures, atMs, signal })),
    );
    options.onSamples(readings.flat(), atMs);
    const nextMs = tick * SAMPLE_EVERY_MS;
    await clock.sleep(Math.max(0, nextMs - options.axisMs()), signal).catch(() => undefined);
  }
}

/** Whether any of these measures needs readings beside the requests. */
export function readsMetrics(measures: readonly Measure[]): boolean {
  return measures.some((measure) => !REQUEST_KINDS.has(measure.kind));
}

const REQUEST_KINDS: ReadonlySet<Measure["kind"]> = new Set(["latency", "errors", "served"]);

async function readTwin(options: {
  readonly twin: Readable;
  readonly metrics: readonly MetricsSpec[];
  readonly measures: readonly Measure[];
  readonly atMs: number;
  readonly signal: AbortSignal;
}): Promise<readonly MetricSample[]> {
  const { twin, measures, atMs, signal } = options;
  const needsUsage = measures.some((measure) => measure.kind === "cpu" || measure.kind === "memory");
  const usage = needsUsage ? twin.usage(signal).catch(() => []) : Promise.resolve([]);
  const scraped = new Map<string, Promise<readonly string[] | undefined>>();
  const scrape = (service: string): Promise<readonly string[] | undefined> => {
    const endpoint = options.metrics.find((candidate) => candidate.service === service);
    if (endpoint === undefined) return Promise.resolve(undefined);
    const known = scraped.get(service) ?? twin.scrape(endpoint, signal).catch(() => undefined);
    scraped.set(service, known);
    return known;
  };
  const sampled = await Promise.all(
    measures.map(async (measure): Promise<readonly MetricSample[]> => {
      const sample = (value: number | undefined, key = measureKey(measure)): readonly MetricSample[] =>
        value === undefined || !Number.isFinite(value) ? [] : [{ atMs, role: twin.role, key, value }];
      switch (measure.kind) {
        case "cpu":
          return sample((await usage).find((entry) => entry.service === measure.service)?.cpuSeconds);
        case "memory":
          return sample((await usage).find((entry) => entry.service === measure.service)?.memoryBytes);
        case "counter":
        case "gauge":
        case "histogram": {
          const texts = await scrape(measure.service);
          if (texts === undefined) return [];
          // A service without a single replica counts nothing, which is not the same as not answering.
          if (texts.length === 0 && measure.kind === "counter") return sample(0);
          return readMetric(measure, texts).flatMap((reading) => sample(reading.value, reading.key));
        }
        case "sql": {
          const rows = await askReadOnly(twin, measure).catch(() => []);
          const [value] = Object.values(rows[0] ?? {});
          return sample(value === undefined || value === null ? undefined : Number(value));
        }
        case "latency":
        case "errors":
        case "served":
          return [];
      }
    }),
  );
  return sampled.flat();
}
