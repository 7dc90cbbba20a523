import type { TrafficSpec } from "../traffic-spec.ts";

/** Route of a recorded request whose path matches none of the patterns. */
export const OTHER_ROUTE = "other";

/**
 * Names of all routes in the order of `PairBatch.route`: the mix, then the recording's, then `other`.
 * A recording may name a route of the mix; it is then one route.
 */
export function trafficRoutes(spec: TrafficSpec): readonly string[] {
  const recorded =
    spec.recording === undefined ? [] : [...spec.recording.routes.map((rule) => rule.route), OTHER_ROUTE];
  return [...new Set([...spec.mix.map((route) => route.route), ...recorded])];
}
