import { CanaryError } from "../core/errors.ts";
import { type Admission, admit } from "../policy/admit.ts";
import type { LoadedPolicy } from "../policy/engine/load-policy.ts";
import type { SqlParser } from "../policy/sql/parse-sql.ts";
import type { RunJob } from "./run-job.ts";

/**
 * Asks policy whether the plan of a job may be rehearsed or drilled, before anything is raised.
 * @throws CanaryError POLICY_REFUSED with every objection
 */
export async function admitJob(
  job: RunJob,
  { parseSql, policy }: { readonly parseSql: SqlParser; readonly policy: LoadedPolicy },
): Promise<Extract<Admission, { kind: "admitted" }>> {
  const operator = { ...job.scenario, knownMirror: job.spec };
  const admission = await admit(job.plan, operator, { parse: parseSql, policy });
  if (admission.kind === "admitted") return admission;
  throw new CanaryError({
    code: "POLICY_REFUSED",
    message: `policy refuses plan ${job.plan.name} (tier ${admission.tier.effective}) before anything is raised`,
    hint: admission.problems.map((problem) => `- ${problem}`).join("\n"),
  });
}
