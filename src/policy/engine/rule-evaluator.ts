import type { PolicyReason } from "./question.ts";
import type { RuleRequest } from "./rule-context.ts";

/** What an engine's rules say. Rules that refuse win; an answer that permits names no refusal. */
export type RuleAnswer =
  | { readonly allow: true; readonly permittedBy: readonly string[] }
  | { readonly allow: false; readonly refusals: readonly PolicyReason[] };

/** An engine behind `policyEngine`. It throws when it has no answer; nothing but a whole answer is an answer. */
export interface RuleEvaluator {
  readonly engine: "cedar" | "opa";
  /** An answer that took longer is not used. */
  readonly withinMs: number;
  evaluate(request: RuleRequest): Promise<RuleAnswer>;
}
