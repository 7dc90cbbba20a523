import { z } from "zod";
import { intersect } from "../core/delta-range.ts";
import { parseDocument } from "../core/document.ts";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { sha256Hex } from "../core/sha256.ts";
import { JudgeLimitsSchema } from "../judge/judge-limits.ts";
import { RollbackTermsSchema } from "../judge/restore-reasons.ts";
import { SafeguardSchema } from "../judge/watch/safeguard-spec.ts";
import { TIMEOUT_BREAKER, TriggerSchema } from "../judge/watch/trigger-spec.ts";
import { SloSchema, unitProblem } from "../measure/slo.ts";
import type { Plan } from "../plan/plan.ts";
import { isExact, isOfAnswers } from "../plan/resource-pattern.ts";
import { DrillSchema } from "../replay/faults/fault-spec.ts";
import { TrafficSpecSchema } from "../replay/traffic-spec.ts";
import { TrustTermsSchema } from "./job-trust.ts";

const Id = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes, starting with a letter");
const Short = z.string().min(1).max(200);
const RelativePath = z.string().min(1).max(400);

/** A query on a state database that must return one row whose first column is true, at every barrier. */
const InvariantSchema = z.strictObject({
  name: Id,
  sql: z.strictObject({ service: Short, query: z.string().min(1).max(LIMITS.textCharsMax) }),
});

/**
 * How many answers are compared: pairs of each route in a second, 0 for none. `required`: a route of which too few were
 * compared holds the run.
 */
const ResponsesSchema = z.strictObject({
  perSecond: z.number().int().min(0).max(2).default(2),
  required: z.boolean().default(false),
});

/** How a run proves that it would have noticed; `secondsMax` is for each harm, and longer where blocks are longer. */
export const SensitivitySchema = z.strictObject({ secondsMax: z.number().int().min(10).max(600).default(60) });

/** The operator's additions to the table of tiers, and what becomes of a tier-3 action that can not be tried first. */
const PolicySchema = z.strictObject({
  namespaces: z
    .array(z.strictObject({ pattern: Short, floor: z.literal([0, 1, 2, 3, 4]) }))
    .max(50)
    .default([]),
  withoutDryRun: z.enum(["tell", "refuse"]).default("tell"),
  /** The programs that `exec` may run: word by word, `*` for any run of characters, `**` for any number of words. */
  exec: z
    .array(z.array(z.string().max(LIMITS.textCharsMax)).min(1).max(50))
    .max(100)
    .optional(),
});

/** Schema of `canary.scenario/v1`; published as JSON Schema by `canary schema scenario`. */
export const ScenarioSchema = z
  .strictObject({
    schema: z.literal("canary.scenario/v1"),
    name: Id,
    description: z.string().max(LIMITS.textCharsMax).optional(),
    /** The Compose file to twin, relative to this file, inside the project. */
    mirror: RelativePath,
    /** The plan to rehearse, relative to this file, inside the project. */
    plan: RelativePath,
    /** The environment a verdict of this scenario is valid for. */
    environment: z.strictObject({ id: Short, class: z.enum(["production", "staging", "development"]) }),
    isolation: z.enum(["strict", "standard"]).default("strict"),
    /** `shared` lets both twins run on all cores, as one noisy machine would; else each has its own where there are enough. */
    cores: z.enum(["own", "shared"]).default("own"),
    seed: z
      .number()
      .int()
      .min(0)
      .max(2 ** 31)
      .optional(),
    traffic: TrafficSpecSchema,
    warmupSeconds: z.number().min(1).max(600).default(10),
    slos: z.array(SloSchema).min(1).max(LIMITS.slosMax),
    /** Patterns of resources that a plan may declare and touch (docs/resources.md); nothing else. */
    mayChange: z.array(z.string().min(1).max(500)).min(1).max(100),
    /** Hosts of stubs whose answers count as proof: what a plan asks of them is no doubt (`REQUESTED_NOT_PROVEN`). */
    acceptStubs: z.array(z.string().min(1).max(253)).max(50).default([]),
    /** Places that may stay unseen (a tmpfs that can not be read): what a plan does there is no doubt (`NO_DATA`). */
    acceptUnseen: z.array(z.string().min(1).max(500)).max(50).default([]),
    invariants: z.array(InvariantSchema).max(50).default([]),
    /** What stops the plan while it runs (docs/triggers.md). */
    triggers: z.array(TriggerSchema).max(LIMITS.watchesMax).default([]),
    /** What must hold (docs/triggers.md); `invariants` are the short form for SQL at barriers. */
    safeguards: z.array(SafeguardSchema).max(LIMITS.watchesMax).default([]),
    judge: JudgeLimitsSchema.prefault({}),
    /** A sample of answers of both twins is compared (docs/resources.md). */
    responses: ResponsesSchema.prefault({}),
    /** What the operator demands of plans beside `mayChange`; it can only be stricter than docs/policy.md. */
    policy: PolicySchema.prefault({}),
    /** Who decides where the harness does not: the queue that a playbook goes to; absent: the one that policy names. */
    escalation: z.strictObject({ queue: Id }).optional(),
    /** Whom the operator believes, and what must be signed (docs/identity.md); absent: nothing has to be. */
    trust: TrustTermsSchema.optional(),
    /** Known harms are planted before the verdict is signed, and it holds unless each of them is seen (`--prove-sensitivity`). */
    sensitivity: SensitivitySchema.optional(),
    /** What `canary drill run` breaks and asks; a mirror's own faults when absent (docs/drill.md). */
    drill: DrillSchema.optional(),
    /** What the operator wants of the way back, and accepts in place of a plan's own undo. */
    rollback: RollbackTermsSchema.prefault({}),
    /** Hard end of the whole run. */
    maxMinutes: z
      .number()
      .positive()
      .max(LIMITS.runMsMax / 60_000)
      .default(60),
  })
  .refine((scenario) => new Set(scenario.slos.map((slo) => slo.name)).size === scenario.slos.length, {
    error: "SLO names must be unique",
    path: ["slos"],
  })
  .refine(({ judge }) => judge.baselineSeconds === undefined || judge.baselineSeconds <= judge.baselineSecondsMax, {
    error: "the least baseline is longer than baselineSecondsMax allows: lower it, raise that, or leave it out",
    path: ["judge", "baselineSeconds"],
  })
  .refine((scenario) => hasUniqueNames([...scenario.triggers, ...scenario.safeguards, { name: TIMEOUT_BREAKER }]), {
    error: `names of triggers and safeguards must be unique, and ${TIMEOUT_BREAKER} is taken`,
    path: ["triggers"],
  });

function hasUniqueNames(named: readonly { readonly name: string }[]): boolean {
  return new Set(named.map(({ name }) => name)).size === named.length;
}

/** A scenario that has passed `parseScenario`, with the digest of its bytes. */
export type Scenario = z.infer<typeof ScenarioSchema> & { readonly sha256: string };

/**
 * Reads what to rehearse, as an operator wrote it.
 * @throws CanaryError SCENARIO_INVALID listing every problem with its line and path
 */
export function parseScenario(text: string, source: string): Scenario {
  const scenario = parseDocument(ScenarioSchema, text, {
    source,
    what: "a canary.scenario/v1",
    code: "SCENARIO_INVALID",
  });
  return { ...scenario, sha256: sha256Hex(text) };
}

/**
 * Holds scenario and plan together: every expectation names an SLO of the operator and can only narrow its limit;
 * routes of SLOs exist in the traffic.
 * @throws CanaryError SCENARIO_INVALID | PLAN_INVALID with every contradiction
 */
export function checkTogether(scenario: Scenario, plan: Plan, routes: readonly string[]): void {
  const unknownRoutes = scenario.slos.flatMap((slo) =>
    "route" in slo.measure && slo.measure.route !== undefined && !routes.includes(slo.measure.route)
      ? [`SLO ${slo.name} measures route "${slo.measure.route}", but the traffic only has: ${routes.join(", ")}`]
      : [],
  );
  if (unknownRoutes.length > 0) {
    throw new CanaryError({
      code: "SCENARIO_INVALID",
      message: `${scenario.name} measures what nobody sends`,
      hint: unknownRoutes.join("\n"),
    });
  }
  const problems = plan.expects.flatMap((expectation) => {
    const slo = scenario.slos.find((candidate) => candidate.name === expectation.slo);
    if (slo === undefined) return [`expects "${expectation.slo}", which is no SLO of scenario ${scenario.name}`];
    if (slo.limit.scale !== expectation.delta.scale) {
      return [`expects "${expectation.slo}" on another scale (% or pp) than the operator's limit`];
    }
    const unit = unitProblem(slo.measure, expectation.unit);
    if (unit !== undefined) return [`expects "${expectation.slo}" in a unit that it does not have: ${unit}`];
    if (intersect(slo.limit, expectation.delta) === undefined) {
      return [`expects "${expectation.slo}" wholly outside the operator's limit; a promise can only narrow it`];
    }
    return [];
  });
  problems.push(...unsentRoutes(plan, routes));
  if (plan.target.environment !== scenario.environment.id) {
    problems.push(`is for ${plan.target.environment}, but the scenario stands for ${scenario.environment.id}`);
  }
  if (problems.length > 0) {
    throw new CanaryError({
      code: "PLAN_INVALID",
      message: `plan ${plan.name} does not fit scenario ${scenario.name}`,
      hint: problems.map((problem) => `It ${problem}.`).join("\n"),
    });
  }
}

/** Answers of a route that nobody sends can not change: an exact declaration of them names the route wrongly. */
function unsentRoutes(plan: Plan, routes: readonly string[]): readonly string[] {
  const declared = plan.actions
    .flatMap((action) => action.changes)
    .filter((path) => isOfAnswers(path) && isExact(path));
  return declared
    .filter((path) => !routes.includes(path.split("/")[1] ?? ""))
    .map((path) => `declares ${path}, but the traffic only has routes: ${routes.join(", ")}`);
}
