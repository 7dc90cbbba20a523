import type { ResolvedSlo } from "../judge/accepted.ts";
import type { RunJob } from "./run-job.ts";

/** Every operator SLO with what the plan promises of it, if anything. */
export function resolvedSlos(job: Pick<RunJob, "scenario" | "plan">): readonly ResolvedSlo[] {
  return job.scenario.slos.map((slo) => {
    const promised = job.plan.expects.find((expectation) => expectation.slo === slo.name)?.delta;
    return { slo, ...(promised === undefined ? {} : { promised }) };
  });
}
