import { collectDefaultMetrics, Registry } from "prom-client";

/** A registry with the metrics every Node process has. */
export function processMetrics(): Registry {
  const registry = new Registry();
  // The default of 10 ms wakes an idle process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 });
  return registry;
}
