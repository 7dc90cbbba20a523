import { CanaryError } from "../core/errors.ts";
import { type Admission, admit } from "../policy/admit.ts";
import type { Operator } from "../policy/assess-plan.ts";
import type { LoadedPolicy } from "../policy/engine/load-policy.ts";
import type { SqlParser } from "../policy/sql/parse-sql.ts";
import { trustObjections } from "./job-trust.ts";
import type { RunJob } from "./run-job.ts";

/** The operator's side of a job: rules of the scenario, its mirror, and what the plan's runbook does not allow. */
export function operatorOf(job: Pick<RunJob, "plan" | "scenario" | "spec" | "trust">): Operator {
  return { ...job.scenario, knownMirror: job.spec, otherObjections: trustObjections(job.plan, job.trust) };
}

/**
 * Asks policy whether the plan of a job may be rehearsed or drilled, before anything is raised.
 * @throws CanaryError POLICY_REFUSED with every objection
 */
export async function admitJob(
  job: RunJob,
  { parseSql, policy }: { readonly parseSql: SqlParser; readonly policy: LoadedPolicy },
): Promise<Extract<Admission, { kind: "admitted" }>> {
  const admission = await admit(job.plan, operatorOf(job), { parse: parseSql, policy });
  if (admission.kind === "admitted") return admission;
  throw new CanaryError({
    code: "POLICY_REFUSED",
    message: `policy refuses plan ${job.plan.name} (tier ${admission.tier.effective}) before anything is raised`,
    hint: admission.problems.map((problem) => `- ${problem}`).join("\n"),
  });
}
