import { readFile, stat } from "node:fs/promises";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { type Plan, parsePlan } from "../plan/plan.ts";
import type { Operator } from "../policy/assess-plan.ts";
import { checkPlan, type PlanCheck } from "../policy/check-plan.ts";
import { loadSqlParser } from "../policy/sql/parse-sql.ts";
import type { Scenario } from "../run/scenario.ts";
import { newJob } from "./new-job.ts";
import { openPolicy } from "./open-policy.ts";

/**
 * Reads a plan, in a scenario if there is one, and asks policy.
 * @throws CanaryError PLAN_INVALID | SCENARIO_INVALID | MIRROR_INVALID | POLICY_INVALID
 */
export async function checkPlanFile(
  planFile: string,
  scenarioFile: string | undefined,
  policyFolder?: string,
): Promise<PlanCheck> {
  const asking = { parse: await loadSqlParser(), policy: await openPolicy(policyFolder) };
  const { plan, operator } = await planAndOperator(planFile, scenarioFile);
  return await checkPlan(plan, operator, asking);
}

/**
 * A plan, with the operator of the scenario that it is held against.
 * @throws CanaryError PLAN_INVALID | SCENARIO_INVALID | MIRROR_INVALID
 */
export async function planAndOperator(
  planFile: string,
  scenarioFile: string | undefined,
): Promise<{ readonly plan: Plan; readonly operator?: Operator & Pick<Scenario, "environment"> }> {
  if (scenarioFile === undefined) return { plan: parsePlan(await readPlan(planFile), planFile) };
  const { plan, scenario, spec } = await newJob({ scenarioFile, planFile });
  return { plan, operator: { ...scenario, knownMirror: spec } };
}

async function readPlan(planFile: string): Promise<string> {
  try {
    const info = await stat(planFile);
    if (info.isFile() && info.size <= LIMITS.documentBytesMax) return await readFile(planFile, "utf8");
  } catch (cause) {
    throw unreadable(planFile, cause);
  }
  throw unreadable(planFile);
}

function unreadable(planFile: string, cause?: unknown): CanaryError {
  const message = `cannot read ${planFile}`;
  return new CanaryError({
    code: "PLAN_INVALID",
    message,
    hint: "Check the path; plans are files of at most 1 MB.",
    cause,
  });
}
