import { z } from "zod";
import { parseDocument } from "../core/document.ts";
import { LIMITS } from "../core/limits.ts";
import { sha256Hex } from "../core/sha256.ts";
import { ActionStepSchema } from "../plan/action.ts";
import { ValuePatternSchema } from "./value-pattern.ts";

const Id = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes, starting with a letter");
const Sentence = z.string().min(1).max(LIMITS.textCharsMax);
const KINDS = ActionStepSchema.options.map(({ shape }) => shape.uses.value);

/** What a step may look like: its kind, and a pattern for each of its parameters. */
const StepShapeSchema = z.strictObject({
  uses: z.enum(KINDS),
  /** A parameter that is not named here must be what it is when nobody gives it. */
  with: z.record(z.string().min(1).max(100), ValuePatternSchema).default({}),
});

/** What an action may look like: a step with the scopes that it may require. */
const ActionShapeSchema = StepShapeSchema.extend({
  requires: z.array(z.string().min(1).max(200)).max(50).default([]),
});

/** Schema of `canary.runbook/v1`; published as JSON Schema by `canary schema runbook`. */
export const RunbookSchema = z
  .strictObject({
    schema: z.literal("canary.runbook/v1"),
    name: z.string().min(1).max(200),
    /** Who answers for it; the key that signs it is this person's. */
    author: z.string().min(1).max(200),
    description: Sentence.optional(),
    steps: z
      .array(
        z.strictObject({
          id: Id,
          what: Sentence,
          actions: z.array(ActionShapeSchema).min(1).max(LIMITS.planActionsMax),
          /** What undos and ways out may look like, where they are no actions of the step as well. */
          rollbacks: z.array(StepShapeSchema).max(LIMITS.planActionsMax).default([]),
        }),
      )
      .min(1)
      .max(100),
  })
  .refine(({ steps }) => new Set(steps.map(({ id }) => id)).size === steps.length, {
    error: "step ids must be unique",
    path: ["steps"],
  });

/** A runbook that has passed `parseRunbook`, with the digest of its bytes. */
export type Runbook = z.infer<typeof RunbookSchema> & { readonly sha256: string };
export type RunbookStep = Runbook["steps"][number];
export type StepShape = z.infer<typeof StepShapeSchema>;

/**
 * Reads a runbook (YAML or JSON).
 * @param source - where the text came from, for messages only
 * @throws CanaryError RUNBOOK_INVALID listing every problem with its line and path
 */
export function parseRunbook(text: string, source: string): Runbook {
  const what = { source, what: "a canary.runbook/v1", code: "RUNBOOK_INVALID" } as const;
  return { ...parseDocument(RunbookSchema, text, what), sha256: sha256Hex(text) };
}
