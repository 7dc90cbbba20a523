import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { Port, Service, Sql, Status, UrlPath } from "./step-words.ts";

const IntervalSeconds = z.number().min(0.1).max(60).default(0.5);

/** Lets time pass, for example until a cache has filled. */
export const WaitStep = z.strictObject({
  uses: z.literal("wait"),
  with: z.strictObject({ seconds: z.number().positive().max(600) }),
});

/** Asks again and again until the answer is the expected one, at the longest for the action's time box. */
export const ProbeStep = z.strictObject({
  uses: z.literal("probe"),
  with: z.union([
    z.strictObject({
      service: Service,
      port: Port,
      path: UrlPath,
      expectStatus: Status.default(200),
      intervalSeconds: IntervalSeconds,
    }),
    z.strictObject({
      service: Service,
      /** A query that must return exactly one row whose first column is true. */
      sql: Sql,
      intervalSeconds: IntervalSeconds,
    }),
  ]),
});

/** Reads one metric of every replica of a service. */
export const QueryMetricsStep = z.strictObject({
  uses: z.literal("query-metrics"),
  with: z.strictObject({
    service: Service,
    metric: z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$/, "a metric name"),
    /** Only series with these labels. */
    labels: z.record(z.string().max(200), z.string().max(1000)).optional(),
  }),
});

/** Reads the last lines of a service's output; secrets and personal data are masked. */
export const QueryLogsStep = z.strictObject({
  uses: z.literal("query-logs"),
  with: z.strictObject({
    service: Service,
    lines: z.number().int().min(1).max(LIMITS.logLinesMax),
    /** Only lines that contain this text; upper and lower case are the same. */
    matching: z.string().min(1).max(200).optional(),
  }),
});
