import { z } from "zod";
import { WrittenDeltaSchema } from "../../core/delta-range.ts";
import { MeasureSchema, unitProblem } from "../../measure/slo.ts";
import { HealthProbeSchema } from "../../plan/health-probe.ts";

// Contract: what stops a plan while it runs, as an operator writes it.

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes");

/** `5%` or 0.05 for shares; plain numbers in the measure's own unit (ms, per second, bytes) for everything else. */
const LevelSchema = z
  .union([
    z.number(),
    z
      .string()
      .max(40)
      .regex(/^\d+(\.\d+)?%$/, "a number, or a percentage such as 5%")
      .transform((text) => Number(text.slice(0, -1)) / 100),
  ])
  .refine(Number.isFinite, "a finite number");

/** How often an unanswered question may be unanswered, one after the other, before that counts as a breach. */
const Misses = z.number().int().min(1).max(100);

/** Levels of a measure over the last seconds: the shadow's own against a bound, or the shadow's against the control's. */
const MetricTriggerSchema = z
  .strictObject({
    name: Name,
    metric: MeasureSchema,
    overSeconds: z.number().min(1).max(600).default(10),
    above: LevelSchema.optional(),
    below: LevelSchema.optional(),
    /** The range in which the shadow may lie against the control: `{ to: "+50%" }`. */
    againstControl: WrittenDeltaSchema.optional(),
    /** Breached at every look for so long, before it counts. */
    forSeconds: z.number().min(0).max(600).default(0),
    /** Fewer requests than this in the window tell nothing; measures that are none of requests have no such limit. */
    requestsMin: z.number().int().min(1).max(1_000_000).default(20),
    misses: Misses.default(20),
  })
  .refine(
    (trigger) => trigger.above !== undefined || trigger.below !== undefined || trigger.againstControl !== undefined,
    { message: "needs `above`, `below` or `againstControl`", path: ["above"] },
  )
  .superRefine(({ metric, againstControl: compared }, context) => {
    // Unlike an SLO's limit a trigger may also ask how many times as many requests fail.
    const message = compared === undefined || compared.unit === "%" ? undefined : unitProblem(metric, compared.unit);
    if (message !== undefined) context.addIssue({ code: "custom", path: ["againstControl"], message });
  })
  .transform(({ againstControl: compared, ...trigger }) => ({
    ...trigger,
    ...(compared === undefined ? {} : { againstControl: compared.range }),
  }));

/**
 * When a probe is asked (the words of Litmus and Chaos Toolkit). `start`: before the first action; `end`: with the plan in
 * force, before the undo; `edge`: both; `during`: all the while the plan is in force; `continuous`: also before, while it is
 * undone and until the service has recovered.
 */
export const PROBE_MODES = ["start", "end", "edge", "continuous", "during"] as const;
export type ProbeMode = (typeof PROBE_MODES)[number];

const ProbeTriggerSchema = z.strictObject({
  name: Name,
  probe: HealthProbeSchema,
  mode: z.enum(PROBE_MODES).default("during"),
  everySeconds: z.number().min(0.25).max(600).default(1),
  timeoutSeconds: z.number().min(0.1).max(60).default(1),
  /** Wrong answers, one after the other, before it counts. */
  failures: Misses.default(1),
  misses: Misses.default(2),
});

/**
 * How fast the shadow burns its error budget (multi-window burn rate of the SRE workbook, in windows of a rehearsal): both
 * windows of a pair must burn at `rate` or more, where 1 uses up exactly the budget of the objective.
 */
const BurnTriggerSchema = z.strictObject({
  name: Name,
  burn: z.strictObject({
    route: Name.optional(),
    objective: z.number().min(0.5).max(0.99999),
    windows: z
      .array(
        z
          .strictObject({
            shortSeconds: z.number().min(1).max(600),
            longSeconds: z.number().min(2).max(3600),
            rate: z.number().min(0.01).max(100_000),
          })
          .refine((window) => window.shortSeconds < window.longSeconds, "the short window must be the shorter one"),
      )
      .min(1)
      .max(10)
      .default([{ shortSeconds: 5, longSeconds: 30, rate: 14.4 }]),
  }),
  requestsMin: z.number().int().min(1).max(1_000_000).default(20),
  misses: Misses.default(20),
});

/** Bounds on the plan's own acting. A time-out by the plan's own `timeoutSeconds` trips a breaker that is always there. */
const ActionTriggerSchema = z
  .strictObject({
    name: Name,
    actions: z.strictObject({
      /** Longest time of one action, s, whatever the plan allows itself. */
      secondsMax: z.number().min(0.1).max(3600).optional(),
      /** Actions begun in any minute. */
      perMinute: z.number().int().min(1).max(10_000).optional(),
      /** One action too many in a minute waits for its turn, or stops the plan. */
      exceeding: z.enum(["pace", "refuse"]).default("pace"),
    }),
  })
  .refine(({ actions }) => actions.secondsMax !== undefined || actions.perMinute !== undefined, {
    message: "needs `secondsMax` or `perMinute`",
    path: ["actions"],
  });

export const TriggerSchema = z.union([MetricTriggerSchema, ProbeTriggerSchema, BurnTriggerSchema, ActionTriggerSchema]);

export type Trigger = z.infer<typeof TriggerSchema>;
export type MetricTrigger = z.infer<typeof MetricTriggerSchema>;
export type ProbeTrigger = z.infer<typeof ProbeTriggerSchema>;
export type BurnTrigger = z.infer<typeof BurnTriggerSchema>;
export type ActionTrigger = z.infer<typeof ActionTriggerSchema>;

/** The breaker that every run has: an action that outlives its own time box. */
export const TIMEOUT_BREAKER = "action-time-out";
/** Looks at measures of requests, this often. */
export const METRIC_EVERY_MS = 250;
