import { readBoundedText } from "../attest/bounded-file.ts";
import { LIMITS } from "../core/limits.ts";
import { type Plan, parsePlan } from "../plan/plan.ts";
import { checkPlan, type PlanCheck } from "../policy/check-plan.ts";
import { loadSqlParser } from "../policy/sql/parse-sql.ts";
import { operatorOf } from "../run/admit-job.ts";
import { newJob } from "./new-job.ts";
import type { trustGiven } from "./trust-options.ts";

/**
 * Reads a plan, in a scenario if there is one, and asks policy.
 * @throws CanaryError PLAN_INVALID | SCENARIO_INVALID | MIRROR_INVALID | SIGNATURE_INVALID | TRUST_INVALID | RUNBOOK_INVALID
 */
export async function checkPlanFile(
  planFile: string,
  scenarioFile: string | undefined,
  trust: ReturnType<typeof trustGiven> = {},
): Promise<PlanCheck> {
  const parse = await loadSqlParser();
  if (scenarioFile === undefined) return checkPlan(await readPlanFile(planFile), undefined, parse);
  const job = await newJob({ scenarioFile, planFile, ...trust });
  return checkPlan(job.plan, operatorOf(job), parse);
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
