import { z } from "zod";
import { WrittenDeltaSchema, type WrittenUnit } from "../core/delta-range.ts";
import { LIMITS } from "../core/limits.ts";

// Contract: the SLOs of a scenario.

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes");
const Identifier = z.string().min(1).max(200);
const Labels = z.record(Identifier, z.string().max(200)).default({});

/** What is measured on both twins. `route` absent means all routes together. */
export const MeasureSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("latency"), route: Name.optional(), quantile: z.number().min(0.01).max(0.9999) }),
  /** Share of requests whose outcome is not `ok`. */
  z.strictObject({ kind: z.literal("errors"), route: Name.optional() }),
  /** Requests answered ok per second. */
  z.strictObject({ kind: z.literal("served"), route: Name.optional() }),
  /** Container CPU seconds per request served by the twin. */
  z.strictObject({ kind: z.literal("cpu"), service: Identifier }),
  /** Memory in use, bytes, summed over replicas. */
  z.strictObject({ kind: z.literal("memory"), service: Identifier }),
  /** Increase per second of a Prometheus counter, summed over replicas. */
  z.strictObject({ kind: z.literal("counter"), service: Identifier, metric: Identifier, labels: Labels }),
  z.strictObject({ kind: z.literal("gauge"), service: Identifier, metric: Identifier, labels: Labels }),
  /** A quantile of a Prometheus histogram, from the increase of its buckets; none passes whose bucket is wider than the limit. */
  z.strictObject({
    kind: z.literal("histogram"),
    service: Identifier,
    metric: Identifier,
    labels: Labels,
    quantile: z.number().min(0.01).max(0.9999),
  }),
  /** One number returned by a query on a state database of the mirror; a gauge. */
  z.strictObject({ kind: z.literal("sql"), service: Identifier, query: z.string().min(1).max(LIMITS.textCharsMax) }),
]);

export type Measure = z.infer<typeof MeasureSchema>;

/**
 * What is wrong with a delta of this measure that was written in that unit; undefined where nothing is. Error rates are
 * fractions inside: a bare 0.2 would be +20pp, a hundred times what its author meant.
 */
export function unitProblem({ kind }: Measure, unit: WrittenUnit): string | undefined {
  if (unit === "any" || (unit === "pp") === (kind === "errors")) return undefined;
  return kind === "errors"
    ? "error rates are compared in percentage points: write +0.2pp"
    : "only error rates are compared in percentage points: write +10%, or a number in the measure's own unit";
}

const Budget = z.number().int().min(0).max(1e9);

/**
 * What the operator accepts in the seconds from the plan's first act to the end of settling, which no interval judges:
 * requests of the shadow beyond the control's that fail, and that take longer than `stallMs` (default: ten times the control's
 * p99 before the plan, 500 ms to 2 s).
 */
export const DuringSchema = z.strictObject({
  excessErrors: Budget.optional(),
  excessStalls: Budget.optional(),
  stallMs: z.number().int().min(10).max(120_000).optional(),
});

/** One operator SLO: what, and the range its delta may lie in. The plan's `expects` can only narrow `limit` and `during`. */
export const SloSchema = z
  .strictObject({
    name: Name,
    measure: MeasureSchema,
    limit: WrittenDeltaSchema,
    during: DuringSchema.optional(),
  })
  .refine((slo) => slo.during === undefined || ["latency", "errors", "served"].includes(slo.measure.kind), {
    path: ["during"],
    message: "a budget of failed or stalled requests belongs to an SLO of requests: latency, errors or served",
  })
  .superRefine(({ measure, limit }, context) => {
    const message = unitProblem(measure, limit.unit);
    if (message !== undefined) context.addIssue({ code: "custom", path: ["limit"], message });
  })
  .transform((slo) => ({ ...slo, limit: slo.limit.range }));

export type Slo = z.infer<typeof SloSchema>;

/** One stable key per thing to read, shared by SLOs that ask for the same; labels in any order give one key. */
export function measureKey(measure: Measure): string {
  return JSON.stringify(sortedEntries(measure));
}

/** Arrays of [name, value] sorted by name, at every depth: JSON.stringify's own list of keys would drop label names. */
function sortedEntries(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [name, sortedEntries(member)]);
}

/** `pp` for error rates, nothing otherwise: how a delta of this measure is written. */
export function deltaUnit(measure: Measure): "pp" | "" {
  return measure.kind === "errors" ? "pp" : "";
}

/** Whether its noise falls with the rate: what is counted request by request does, CPU, memory and gauges need not. */
export function fallsWithRate({ kind }: Measure): boolean {
  return ["latency", "errors", "served", "counter", "histogram"].includes(kind);
}
