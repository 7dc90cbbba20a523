import { NO_EFFECT, type Truth } from "../simulator/world.ts";

/** A plan that moves everything by the same share and errors by as many points. */
export function allWorse(ratio: number, errorRateAdded: number): Truth {
  return { latencyRatio: ratio, errorRateAdded, cpuRatio: ratio, gaugeRatio: ratio };
}

/** Every SLO exactly at its bound: the worst that a plan can do without being one to accept. */
export const AT_BOUND: Truth = allWorse(1.1, 0.001);

/** One SLO at its bound, the others without effect. */
export const LATENCY_AT_BOUND: Truth = { ...NO_EFFECT, latencyRatio: 1.1 };
export const ERRORS_AT_BOUND: Truth = { ...NO_EFFECT, errorRateAdded: 0.001 };
export const CPU_AT_BOUND: Truth = { ...NO_EFFECT, cpuRatio: 1.1 };
