import { callReasons } from "../judge/call-reasons.ts";
import type { ProofReasons } from "../judge/proof-reasons.ts";
import type { CallsCompared } from "../replay/proof/call-counts.ts";
import type { RunJob } from "./run-job.ts";

/** What the calls to third parties under load say, by the terms of the plan and its operator. */
export function callsJudged(
  { scenario, plan }: Pick<RunJob, "scenario" | "plan">,
  { calls }: { readonly calls?: CallsCompared | undefined },
): ProofReasons {
  return callReasons(calls, {
    alpha: scenario.judge.alpha,
    declared: plan.actions.flatMap((action) => action.changes),
    allowed: scenario.mayChange,
  });
}
