import { z } from "zod";
import { WrittenDeltaSchema } from "../core/delta-range.ts";
import { parseDocument } from "../core/document.ts";
import { LIMITS } from "../core/limits.ts";
import { sha256Hex } from "../core/sha256.ts";
import { type ActionStep, ActionStepSchema, ExecStep, GrpcStep, HttpStep, SqlStep } from "./action.ts";
import { PullRequestStep, TicketStep } from "./proposal-steps.ts";
import { ProbeStep, QueryLogsStep, QueryMetricsStep, WaitStep } from "./reading-steps.ts";
import { RecoverySchema } from "./recovery.ts";
import { RemoveStep, RestartStep, ScaleStep, UpdateStep } from "./service-steps.ts";
import { FileStep, FlagStep, RedisStep } from "./state-steps.ts";

const Id = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes, starting with a letter");
const Sentence = z.string().min(1).max(LIMITS.textCharsMax);
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, "a lower-case hex SHA-256");
const Short = z.string().min(1).max(200);

/** What every action says beside what it does. */
const ACTION_FIELDS = {
  id: Id,
  what: Sentence,
  why: Sentence,
  requires: z.array(Short).max(50).default([]),
  /** Resources it says it will change: exact paths must change, globs may (docs/resources.md). */
  changes: z.array(z.string().min(1).max(500)).max(100).default([]),
  rollback: ActionStepSchema.optional(),
  timeoutSeconds: z.number().positive().max(3600).default(30),
};

/** Every kind of step, with what an action says beside it. */
const ActionSchema = z
  .discriminatedUnion("uses", [
    HttpStep.extend(ACTION_FIELDS),
    GrpcStep.extend(ACTION_FIELDS),
    SqlStep.extend(ACTION_FIELDS),
    ExecStep.extend(ACTION_FIELDS),
    ScaleStep.extend(ACTION_FIELDS),
    UpdateStep.extend(ACTION_FIELDS),
    RestartStep.extend(ACTION_FIELDS),
    RemoveStep.extend(ACTION_FIELDS),
    FileStep.extend(ACTION_FIELDS),
    FlagStep.extend(ACTION_FIELDS),
    RedisStep.extend(ACTION_FIELDS),
    WaitStep.extend(ACTION_FIELDS),
    ProbeStep.extend(ACTION_FIELDS),
    QueryMetricsStep.extend(ACTION_FIELDS),
    QueryLogsStep.extend(ACTION_FIELDS),
    TicketStep.extend(ACTION_FIELDS),
    PullRequestStep.extend(ACTION_FIELDS),
  ])
  .superRefine((action, context) => {
    if (action.uses !== "wait" || action.with.seconds < action.timeoutSeconds) return;
    const message = `is not shorter than the action's time box of ${action.timeoutSeconds} s`;
    context.addIssue({ code: "custom", path: ["with", "seconds"], message });
  })
  .transform(({ uses, with: parameters, rollback, ...said }) => ({
    ...said,
    step: { uses, with: parameters } as ActionStep,
    ...(rollback === undefined ? {} : { rollback }),
  }));

/** The unit of a promise is kept: whether it can be meant is known only beside the scenario's SLO. */
const ExpectationSchema = z
  .strictObject({
    slo: Id,
    delta: WrittenDeltaSchema,
    /** Budgets for the seconds in which the plan acts and settles; they narrow the operator's. */
    during: z
      .strictObject({
        excessErrors: z.number().int().min(0).max(1e9).optional(),
        excessStalls: z.number().int().min(0).max(1e9).optional(),
      })
      .optional(),
  })
  .transform(({ delta, ...said }) => ({ ...said, delta: delta.range, unit: delta.unit }));

/** Schema of `canary.plan/v1`; published as JSON Schema by `canary schema plan`. */
export const PlanSchema = z
  .strictObject({
    schema: z.literal("canary.plan/v1"),
    name: Id,
    agent: z.strictObject({
      id: Short,
      version: Short,
      model: z.strictObject({ provider: Short, name: Short, version: Short }),
      promptSha256: Sha256.optional(),
      inputs: z
        .array(z.strictObject({ name: Short, sha256: Sha256 }))
        .max(100)
        .default([]),
    }),
    runbook: z.strictObject({ name: Short, sha256: Sha256, step: Short }).optional(),
    target: z.strictObject({ environment: Short, namespace: Short.optional() }),
    tier: z.literal([0, 1, 2, 3, 4]),
    confidence: z.number().min(0).max(1),
    intent: Sentence,
    evidence: z
      .array(z.strictObject({ kind: Short, summary: Sentence, ref: Short.optional() }))
      .max(50)
      .default([]),
    actions: z.array(ActionSchema).min(1).max(LIMITS.planActionsMax),
    expects: z.array(ExpectationSchema).max(LIMITS.slosMax).default([]),
    rollback: z.strictObject({
      withinSeconds: z.number().positive().max(3600),
      /** How often an undo that does not land is tried; twice where this is absent. */
      tries: z.number().int().min(1).max(5).optional(),
    }),
    /** The way out when an action fails or a trigger stops the plan; absent: `rollback`. */
    onFailure: RecoverySchema.optional(),
    /** The way out when somebody stops the plan; absent: `rollback`. */
    onAbort: RecoverySchema.optional(),
  })
  .superRefine((plan, context) => {
    for (const duplicate of duplicates(plan.actions.map((action) => action.id))) {
      context.addIssue({
        code: "custom",
        path: ["actions", duplicate.index, "id"],
        message: `"${duplicate.value}" is used twice`,
      });
    }
    for (const duplicate of duplicates(plan.expects.map((expectation) => expectation.slo))) {
      context.addIssue({
        code: "custom",
        path: ["expects", duplicate.index, "slo"],
        message: `"${duplicate.value}" is expected twice`,
      });
    }
  });

/** A plan that has passed `parsePlan`, with the digest of its bytes. Nothing else constructs one. */
export type Plan = z.infer<typeof PlanSchema> & { readonly sha256: string };
export type Action = Plan["actions"][number];
export type Expectation = Plan["expects"][number];

/**
 * Reads a plan as an agent wrote it (YAML or JSON).
 * @param source - where the text came from, for messages only
 * @throws CanaryError PLAN_INVALID listing every problem with its line and path
 */
export function parsePlan(text: string, source: string): Plan {
  const plan = parseDocument(PlanSchema, text, { source, what: "a canary.plan/v1", code: "PLAN_INVALID" });
  return { ...plan, sha256: sha256Hex(text) };
}

function duplicates(values: readonly string[]): readonly { readonly value: string; readonly index: number }[] {
  return values.flatMap((value, index) => (values.indexOf(value) < index ? [{ value, index }] : []));
}
