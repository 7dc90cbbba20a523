import { redact } from "../core/redact.ts";
import type { ActionStep } from "../plan/action.ts";

/**
 * Names of the fields of a ticket or pull request that seem to hold a secret; they leave the house, so one is enough to
 * refuse the plan. Judged by the redactor of everything that is recorded: it errs towards masking.
 */
export function fieldsWithSecrets(step: ActionStep): readonly string[] {
  if (step.uses !== "ticket" && step.uses !== "pull-request") return [];
  const { title, body } = step.with;
  const diff = step.uses === "pull-request" ? step.with.diff : "";
  return Object.entries({ title, body, diff }).flatMap(([field, text]) => (redact(text) === text ? [] : [field]));
}
