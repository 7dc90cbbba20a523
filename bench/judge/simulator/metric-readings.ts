import { measureKey } from "../../../src/measure/slo.ts";
import type { MetricSample } from "../../../src/replay/recording.ts";
import type { Noise } from "./noise.ts";
import { wandering } from "./processes.ts";
import type { StreamOptions } from "./stream.ts";

/** Measures that a stream gives readings of, beside its requests. */
export const CPU_MEASURE = { kind: "cpu", service: "app" } as const;
export const GAUGE_MEASURE = { kind: "memory", service: "app" } as const;

const CPU_SECONDS = 0.004;
const GAUGE_LEVEL = 100e6;

/** Cumulative CPU seconds and a gauge of both twins at the end of each second. */
export function readings({ world, truth, actsAtSeconds }: StreamOptions, noise: Noise) {
  const { cpu } = world;
  const wander = wandering(cpu.wander, 1, noise);
  const gauge = wandering(world.gauge, 1, noise);
  const bias = cpu.biasSd * noise.normal();
  const [cpuKey, gaugeKey] = [measureKey(CPU_MEASURE), measureKey(GAUGE_MEASURE)];
  let white = 0;
  let [controlCpu, shadowCpu] = [0, 0];
  return (second: number, served: number): readonly MetricSample[] => {
    const acts = second > actsAtSeconds;
    if ((second - 1) % 5 === 0) white = cpu.whiteSd * noise.normal();
    controlCpu += served * CPU_SECONDS;
    shadowCpu += served * CPU_SECONDS * Math.exp(bias + wander() + white) * (acts ? truth.cpuRatio : 1);
    const level = Math.exp(gauge()) * (acts ? truth.gaugeRatio : 1);
    const atMs = second * 1000;
    return [
      { atMs, role: "control", key: cpuKey, value: controlCpu },
      { atMs, role: "shadow", key: cpuKey, value: shadowCpu },
      { atMs, role: "control", key: gaugeKey, value: GAUGE_LEVEL },
      { atMs, role: "shadow", key: gaugeKey, value: GAUGE_LEVEL * level },
    ];
  };
}
