import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { admit, readPlan } from "../policy/admit.ts";
import { type CaseResult, parseCases, runCase } from "../policy/engine/cases.ts";
import { explainPolicy, type PolicyExplanation } from "../policy/engine/explain-decision.ts";
import type { PolicyIdentity } from "../policy/engine/question.ts";
import { loadSqlParser } from "../policy/sql/parse-sql.ts";
import { planAndOperator } from "./check-plan-file.ts";
import { openPolicy } from "./open-policy.ts";

/** What a table of cases showed. */
export interface TableResult {
  readonly policy: PolicyIdentity;
  readonly cases: readonly CaseResult[];
}

/**
 * Asks a policy every case of a table. Plans are read relative to the table.
 * @throws CanaryError POLICY_INVALID for a table or a policy that can not be read
 */
export async function testPolicy(table: string, policyFolder?: string): Promise<TableResult> {
  const [policy, parse] = await Promise.all([openPolicy(policyFolder), loadSqlParser()]);
  const all = parseCases(await readTable(table), table);
  const cases: CaseResult[] = [];
  for (const one of all) {
    const file = path.resolve(path.dirname(table), one.plan);
    cases.push(await runCase(one, { policy, parse, planText: await readTable(file) }));
  }
  return { policy: policy.engine.policy, cases };
}

/**
 * Says which rules decide about a plan, before a rehearsal and at the gate, and what would change their answer.
 * @param at - the moment of the promotion, epoch milliseconds
 * @throws CanaryError PLAN_INVALID | SCENARIO_INVALID | MIRROR_INVALID | POLICY_INVALID
 */
export async function explainPlan(
  planFile: string,
  options: { readonly scenario?: string; readonly policy?: string; readonly atEpochMs: number },
): Promise<PolicyExplanation & { readonly plan: { readonly name: string; readonly sha256: string } }> {
  const [policy, parse] = await Promise.all([openPolicy(options.policy), loadSqlParser()]);
  const { plan, operator } = await planAndOperator(planFile, options.scenario);
  const asking = { policy, parse };
  const { facts } = readPlan(plan, operator ?? {}, asking);
  const explained = await explainPolicy({
    admission: await admit(plan, operator ?? {}, asking),
    facts,
    environment: { id: plan.target.environment, class: operator?.environment.class ?? "production" },
    policy,
    atEpochMs: options.atEpochMs,
  });
  return { plan: { name: plan.name, sha256: plan.sha256 }, ...explained };
}

async function readTable(file: string): Promise<string> {
  const info = await stat(file).catch(() => undefined);
  if (info?.isFile() === true && info.size <= LIMITS.documentBytesMax) return await readFile(file, "utf8");
  throw new CanaryError({
    code: "POLICY_INVALID",
    message: `cannot read ${file}`,
    hint: "Tables of cases and the plans that they name are files of at most 1 MB.",
  });
}
