import { measureKey } from "../../../src/measure/slo.ts";
import type { MetricSample, PairBatch } from "../../../src/replay/recording.ts";
import { CPU_MEASURE } from "../simulator/metric-readings.ts";
import { createNoise } from "../simulator/noise.ts";
import { startStream } from "../simulator/stream.ts";
import { NO_EFFECT, type World } from "../simulator/world.ts";

/** What is done to one twin in one second on top of the world's own noise. */
export interface Push {
  /** Natural log of the factor on every latency, and on the CPU seconds of a request. */
  readonly latency: number;
  readonly cpu: number;
  /** Share of the requests that fail besides. */
  readonly errors: number;
}

export const NO_PUSH: Push = { latency: 0, cpu: 0, errors: 0 };

/** Seconds of a world in which what acts on either twin may change from second to second; same options, same bytes. */
export function actingStream(options: {
  readonly world: World;
  readonly seed: number;
  readonly push: (second: number) => { readonly control: Push; readonly shadow: Push };
}): { readonly next: () => { readonly batch: PairBatch; readonly metrics: readonly MetricSample[] } } {
  const { world, seed } = options;
  const stream = startStream({ world, seed, actsAtSeconds: Infinity, truth: NO_EFFECT });
  const noise = createNoise(seed + 500_000_009);
  const cpuKey = measureKey(CPU_MEASURE);
  const cpu = { control: { raw: 0, acted: 0 }, shadow: { raw: 0, acted: 0 } };
  let second = 0;
  const next = (): { readonly batch: PairBatch; readonly metrics: readonly MetricSample[] } => {
    const { batch, metrics } = stream.next();
    const push = options.push(second++);
    for (const role of ["control", "shadow"] as const) {
      const { latency, errors } = push[role];
      const { latencyMs, outcome } = batch.arms[role];
      const factor = Math.exp(latency);
      if (latency !== 0) for (let i = 0; i < batch.size; i++) latencyMs[i] = (latencyMs[i] ?? 0) * factor;
      if (errors > 0) for (let i = 0; i < batch.size; i++) if (noise.uniform() < errors) outcome[i] = 1;
    }
    const acted = metrics.map((sample): MetricSample => {
      if (sample.key !== cpuKey) return sample;
      const meter = cpu[sample.role];
      meter.acted += (sample.value - meter.raw) * Math.exp(push[sample.role].cpu);
      meter.raw = sample.value;
      return { ...sample, value: meter.acted };
    });
    return { batch, metrics: acted };
  };
  return { next };
}
