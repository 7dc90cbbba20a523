import { z } from "zod";
import { HealthProbeSchema } from "../../plan/health-probe.ts";

// Contract: what must hold while a plan is rehearsed, as an operator writes it.

/**
 * `safeguard`: what the plan may not break. `objective`: what the plan is for.
 * `converge`: becomes true within `withinSeconds` of the last action; `assert`: is true at the check points (before the plan,
 * with the plan in force, after the rollback; an objective only with the plan in force); `hold`: is true at all times while
 * the plan is in force (an objective from the last action on).
 * `catastrophic`: its failure ends the plan and starts the rollback at once; `recoverable`: it rejects, and is observed on.
 */
export const SafeguardSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes"),
  role: z.enum(["objective", "safeguard"]).default("safeguard"),
  severity: z.enum(["recoverable", "catastrophic"]).default("recoverable"),
  mode: z.enum(["converge", "assert", "hold"]).default("assert"),
  probe: HealthProbeSchema,
  /** Of `converge`. */
  withinSeconds: z.number().min(1).max(3600).default(60),
  everySeconds: z.number().min(0.25).max(600).default(1),
  timeoutSeconds: z.number().min(0.1).max(60).default(2),
});

export type Safeguard = z.infer<typeof SafeguardSchema>;
