import { readBoundedText } from "../attest/bounded-file.ts";
import { LIMITS } from "../core/limits.ts";
import { type Plan, parsePlan } from "../plan/plan.ts";
import type { Operator } from "../policy/assess-plan.ts";
import { checkPlan, type PlanCheck } from "../policy/check-plan.ts";
import { loadSqlParser } from "../policy/sql/parse-sql.ts";
import { operatorOf } from "../run/admit-job.ts";
import type { Scenario } from "../run/scenario.ts";
import { newJob } from "./new-job.ts";
import { openPolicy } from "./open-policy.ts";
import type { trustGiven } from "./trust-options.ts";

/** What the command line adds: trusted keys and runbooks, and the folder of the policy. */
type Given = ReturnType<typeof trustGiven> & { readonly policyFolder?: string };

/**
 * Reads a plan, in a scenario if there is one, and asks policy.
 * @throws CanaryError PLAN_INVALID | SCENARIO_INVALID | MIRROR_INVALID | SIGNATURE_INVALID | TRUST_INVALID | RUNBOOK_INVALID |
 * POLICY_INVALID
 */
export async function checkPlanFile(
  planFile: string,
  scenarioFile: string | undefined,
  { policyFolder, ...trust }: Given = {},
): Promise<PlanCheck> {
  const asking = { parse: await loadSqlParser(), policy: await openPolicy(policyFolder) };
  const { plan, operator } = await planAndOperator(planFile, scenarioFile, trust);
  return await checkPlan(plan, operator, asking);
}

/**
 * A plan, with the operator of the scenario that it is held against.
 * @throws CanaryError PLAN_INVALID | SCENARIO_INVALID | MIRROR_INVALID | SIGNATURE_INVALID | TRUST_INVALID | RUNBOOK_INVALID
 */
export async function planAndOperator(
  planFile: string,
  scenarioFile: string | undefined,
  trust: ReturnType<typeof trustGiven> = {},
): Promise<{ readonly plan: Plan; readonly operator?: Operator & Pick<Scenario, "environment"> }> {
  if (scenarioFile === undefined) return { plan: await readPlanFile(planFile) };
  const job = await newJob({ scenarioFile, planFile, ...trust });
  return { plan: job.plan, operator: { ...operatorOf(job), environment: job.scenario.environment } };
}

/**
 * Reads one plan by itself.
 * @throws CanaryError PLAN_INVALID
 */
export async function readPlanFile(planFile: string): Promise<Plan> {
  return parsePlan(await readPlan(planFile), planFile);
}

async function readPlan(planFile: string): Promise<string> {
  return await readBoundedText(planFile, { code: "PLAN_INVALID", bytesMax: LIMITS.documentBytesMax });
}
