import type { ResolvedSlo } from "../../src/judge/judge-slos.ts";
import { SloSchema } from "../../src/measure/slo.ts";

/** Routes of the recordings; requests are spread evenly over them. */
export const ROUTES: readonly string[] = Array.from({ length: 10 }, (_, i) => `route-${i}`);

/** Ten SLOs: quantiles of all requests and of single routes, errors and served work. */
export const SLOS: readonly ResolvedSlo[] = [
  { name: "p50", measure: { kind: "latency", quantile: 0.5 }, limit: { to: "+10%" } },
  { name: "p95", measure: { kind: "latency", quantile: 0.95 }, limit: { to: "+10%" } },
  { name: "p99", measure: { kind: "latency", quantile: 0.99 }, limit: { to: "+10%" } },
  ...[0, 1, 2, 3].map((i) => ({
    name: `route-${i}-p90`,
    measure: { kind: "latency", route: `route-${i}`, quantile: 0.9 },
    limit: { to: "+10%" },
  })),
  { name: "errors", measure: { kind: "errors" }, limit: { to: "+0.1pp" } },
  { name: "errors-of-one", measure: { kind: "errors", route: "route-1" }, limit: { to: "+0.5pp" } },
  { name: "served", measure: { kind: "served" }, limit: { from: "-2%" } },
].map((slo) => ({ slo: SloSchema.parse(slo) }));
