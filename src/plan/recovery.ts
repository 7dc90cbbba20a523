import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { type ActionStep, ActionStepSchema } from "./action.ts";

/** One step of a plan's own way out of a failure or an abort. */
const RecoveryStepSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes, starting with a letter"),
  step: ActionStepSchema,
  timeoutSeconds: z.number().positive().max(3600).default(30),
});

/**
 * What is done when the plan does not come to its end: `rollback` undoes what was done, last in, first out; a list of steps is
 * gone in its order instead; `stop` leaves everything as it stands, for a human.
 */
export const RecoverySchema = z.union([
  z.enum(["rollback", "stop"]),
  z.array(RecoveryStepSchema).min(1).max(LIMITS.planActionsMax),
]);
export type Recovery = z.infer<typeof RecoverySchema>;
export type RecoveryStep = z.infer<typeof RecoveryStepSchema>;

/** Both ways out of a plan; absent ones are `rollback`. */
export interface WaysOut {
  readonly onFailure?: Recovery | undefined;
  readonly onAbort?: Recovery | undefined;
}

/** Where a plan goes when it fails or is stopped. */
export function wayOutOf(ways: WaysOut, why: "failure" | "abort"): Recovery {
  return (why === "failure" ? ways.onFailure : ways.onAbort) ?? "rollback";
}

/** Every step that a plan may carry out to get out of a failure or an abort, beside its undos. */
export function recoverySteps({ onFailure, onAbort }: WaysOut): readonly ActionStep[] {
  return [onFailure, onAbort].flatMap((way) => (Array.isArray(way) ? way.map(({ step }) => step) : []));
}
