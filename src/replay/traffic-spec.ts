import { z } from "zod";
import { LIMITS } from "../core/limits.ts";

// Contract: the `traffic` part of a scenario.

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes");
const Text = z.string().max(LIMITS.textCharsMax);
/** A path inside the scenario's folder. */
const RelativePath = z.string().min(1).max(400);

const CaptureSchema = z.union([
  z.strictObject({ json: Text.describe("JSON pointer into the answer, e.g. /orderId") }),
  z.strictObject({ header: Text.describe("name of an answer header") }),
]);

/**
 * One route of the mix. Texts may hold `${pick:list}` (a value of `values.list`), `${int:1:500}` (uniform integer),
 * `${seq}` (number of the request), and `${name}`: a value that an earlier answer of the same twin gave (`capture`).
 */
const RouteSchema = z
  .strictObject({
    route: Name,
    weight: z.number().positive().max(1e6),
    http: z
      .strictObject({
        method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]).default("GET"),
        path: Text.startsWith("/"),
        headers: z.record(z.string().max(200), Text).default({}),
        body: z.union([Text, z.record(z.string(), z.unknown())]).optional(),
      })
      .optional(),
    grpc: z
      .strictObject({
        proto: RelativePath,
        service: z.string().max(200),
        method: z.string().max(200),
        message: z.record(z.string(), z.unknown()).default({}),
      })
      .optional(),
    capture: z.record(Name, CaptureSchema).default({}),
    timeoutMs: z.number().int().min(10).max(120_000).default(5000),
  })
  .refine((route) => (route.http === undefined) !== (route.grpc === undefined), "exactly one of `http` and `grpc`");

const ArrivalsSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("poisson") }),
  z.strictObject({ kind: z.literal("constant") }),
  z.strictObject({
    kind: z.literal("ramp"),
    fromRatePerSecond: z.number().positive(),
    overSeconds: z.number().positive().max(3600),
  }),
]);

/** What is sent to both twins: a rate with a weighted mix, or a recording, or a recording whose rate sets the pace. */
export const TrafficSpecSchema = z
  .strictObject({
    ratePerSecond: z.number().positive().max(LIMITS.trafficRatePerSecondMax),
    arrivals: ArrivalsSchema.default({ kind: "poisson" }),
    mix: z.array(RouteSchema).max(LIMITS.routesMax).default([]),
    /** Requests taken in order (wrapping around) from a file; `pace: recorded` keeps its instants, scaled to `ratePerSecond`. */
    recording: z
      .strictObject({
        file: RelativePath,
        format: z.enum(["har", "gor", "combined"]),
        weight: z.number().positive().default(1),
        pace: z.enum(["recorded", "arrivals"]).default("arrivals"),
        /** Path patterns to route names, first match wins; what matches none becomes route `other`. */
        routes: z
          .array(z.strictObject({ match: Text, route: Name }))
          .max(LIMITS.routesMax)
          .default([]),
        /** Methods that are replayed; anything else is left out and counted. */
        methods: z.array(z.string().max(10)).default(["GET", "HEAD"]),
        timeoutMs: z.number().int().min(10).max(120_000).default(5000),
      })
      .optional(),
    values: z
      .record(
        Name,
        z
          .array(z.union([Text, z.number()]))
          .min(1)
          .max(10_000),
      )
      .default({}),
    /** Delay of the second request of a pair, ms; the order of the twins is drawn from the seed. */
    staggerMs: z.number().min(0).max(50).default(0),
    inFlightMax: z.number().int().min(1).max(20_000).default(2000),
  })
  .refine((traffic) => traffic.mix.length > 0 || traffic.recording !== undefined, "needs a `mix` or a `recording`")
  .refine(
    (traffic) => new Set(traffic.mix.map((route) => route.route)).size === traffic.mix.length,
    "route names must be unique",
  );

export type TrafficSpec = z.infer<typeof TrafficSpecSchema>;
export type RouteSpec = z.infer<typeof RouteSchema>;
