import type { ActionAssessment, StepAssessment } from "../policy/assess-plan.ts";
import type { DryRunOffer } from "../policy/step-reading.ts";
import type { RunReport } from "./run-report.ts";

/** Of each action: id, tier with what decided it, what it does, its way back, and how its dry run went. */
export function policyRows({
  policy = [],
  quiet,
}: Pick<RunReport, "policy" | "quiet">): readonly (readonly string[])[] {
  return policy.map(({ id, step, undo }) => {
    const tried = quiet.actions.find((action) => action.id === id)?.dryRun;
    const done = tried === undefined || tried.result === "none" ? "" : `; ${tried.result}: ${tried.message}`;
    return [
      id,
      `${step.tier} (${step.decidedBy})`,
      step.because,
      `${step.reversibility}; ${undoWords(undo)}`,
      `${dryRunWords(step.dryRun)}${done}`,
    ];
  });
}

/** How an action is undone, in words. */
export function undoWords(undo: ActionAssessment["undo"]): string {
  switch (undo.kind) {
    case "given":
      return `the plan's own ${undo.step.uses} (tier ${undo.step.tier}): ${undo.step.because}`;
    case "derived":
      return "read from the state before it acts";
    case "needless":
      return "nothing to put back";
    case "missing":
      return `missing: ${undo.why}`;
  }
}

/** How a step can be tried without being done, in words. */
export function dryRunWords(offer: DryRunOffer): string {
  switch (offer.kind) {
    case "transaction":
      return "in a transaction that is rolled back";
    case "computed":
      return "the new content is computed and not written";
    case "checked":
      return "held against what the twin runs";
    case "queued":
      return "queued at the server and discarded";
    case "request":
      return "by the request that the plan declares for it";
    case "needless":
      return "not needed";
    case "none":
      return `none: ${offer.why}`;
  }
}

/** What a step names to change, one path each; of several that would do, the first. */
export function targetWords(step: StepAssessment): readonly string[] {
  return [...new Set(step.targets.flatMap((patterns) => patterns.slice(0, 1)))];
}
