import type { ResolvedSlo } from "../judge/accepted.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunJob } from "./run-job.ts";

/** Every operator SLO with what the plan promises of it, if anything. */
export function resolvedSlos(job: Pick<RunJob, "scenario" | "plan">): readonly ResolvedSlo[] {
  return job.scenario.slos.map((slo) => {
    const promised = job.plan.expects.find((expectation) => expectation.slo === slo.name)?.delta;
    return { slo, ...(promised === undefined ? {} : { promised }) };
  });
}

/** `update` replaces containers, so the bias between the twins is drawn anew (STATISTICS.md 3.2). */
export function replacesProcesses(plan: Plan): boolean {
  return plan.actions.some((action) => action.step.uses === "update");
}
