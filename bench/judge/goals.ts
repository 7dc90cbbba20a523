import { type Bounds, boundsOf, type ResolvedSlo } from "../../src/judge/accepted.ts";
import { type Slo, SloSchema } from "../../src/measure/slo.ts";
import { CPU_MEASURE, GAUGE_MEASURE } from "./simulator/metric-readings.ts";

/** The SLOs of the tables, each with the acceptance that the published ones have. */
const WRITTEN = {
  p99: { measure: { kind: "latency", quantile: 0.99 }, limit: { to: "+10%" } },
  p95: { measure: { kind: "latency", quantile: 0.95 }, limit: { to: "+10%" } },
  p50: { measure: { kind: "latency", quantile: 0.5 }, limit: { to: "+10%" } },
  errors: { measure: { kind: "errors" }, limit: { to: "+0.1pp" } },
  "errors-0.2pp": { measure: { kind: "errors" }, limit: { to: "+0.2pp" } },
  cpu: { measure: CPU_MEASURE, limit: { to: "+10%" } },
  gauge: { measure: GAUGE_MEASURE, limit: { to: "+10%" } },
  served: { measure: { kind: "served" }, limit: { from: "-2%" } },
} as const;

/** Name of an SLO of the tables. */
export type GoalName = keyof typeof WRITTEN;

/** One SLO by name, and its bounds on the effect scale. */
export interface Goal {
  readonly name: GoalName;
  readonly slo: Slo;
  readonly bounds: Bounds;
}

/** The SLO of a name. */
export function goal(name: GoalName): Goal {
  const slo = SloSchema.parse({ name: /^[a-z]/.test(name) ? name.replaceAll(".", "-") : name, ...WRITTEN[name] });
  return { name, slo, bounds: boundsOf(slo.limit) };
}

/** Several SLOs as the judge takes them. */
export function resolved(names: readonly GoalName[]): readonly ResolvedSlo[] {
  return names.map((name) => ({ slo: goal(name).slo }));
}
