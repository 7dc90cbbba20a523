import { readFile, stat } from "node:fs/promises";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { parsePlan } from "../plan/plan.ts";
import { checkPlan, type PlanCheck } from "../policy/check-plan.ts";
import { loadSqlParser } from "../policy/sql/parse-sql.ts";
import { newJob } from "./new-job.ts";

/**
 * Reads a plan, in a scenario if there is one, and asks policy.
 * @throws CanaryError PLAN_INVALID | SCENARIO_INVALID | MIRROR_INVALID
 */
export async function checkPlanFile(planFile: string, scenarioFile: string | undefined): Promise<PlanCheck> {
  const parse = await loadSqlParser();
  if (scenarioFile === undefined) return checkPlan(parsePlan(await readPlan(planFile), planFile), undefined, parse);
  const { plan, scenario, spec } = await newJob({ scenarioFile, planFile });
  return checkPlan(plan, { ...scenario, knownMirror: spec }, parse);
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
