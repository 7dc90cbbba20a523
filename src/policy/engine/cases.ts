import { z } from "zod";
import { parseDocument, readDocument } from "../../core/document.ts";
import { messageOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { type Plan, parsePlan } from "../../plan/plan.ts";
import { readPlan } from "../admit.ts";
import type { SqlParser } from "../sql/parse-sql.ts";
import { ENVIRONMENT_CLASSES } from "../tier-table.ts";
import type { LoadedPolicy } from "./load-policy.ts";
import { mergePatch } from "./merge-patch.ts";
import { type PolicyData, parsePolicyData } from "./policy-data.ts";
import type { PolicyDecision, PolicyQuestion } from "./question.ts";

const Short = z.string().min(1).max(200);
const Count = z.number().int().min(0).max(1000);
const Patch = z.record(z.string(), z.unknown());
const PlanFile = z.string().min(1).max(400);
const Tier = z.literal([0, 1, 2, 3, 4]);

const PastSchema = z.strictObject({
  minutesAgo: z.number().min(-100_000).max(1_000_000),
  plan: Short.default("another"),
  agent: Short.optional(),
  tier: Tier.default(2),
  changes: z.array(z.string().min(1).max(500)).max(100).default([]),
  confidence: z.number().min(0).max(1).default(1),
  outcome: z.enum(["promoted", "done", "failed", "refused"]).default("done"),
  /** As if it had happened so often. */
  times: z.number().int().min(1).max(1000).default(1),
});

const CaseSchema = z.strictObject({
  name: Short,
  /** A plan's file, relative to the table; absent: the table's. */
  plan: PlanFile.optional(),
  /** Laid over the plan, and over the policy's data, before they are read (JSON merge patch). */
  change: Patch.default({}),
  data: Patch.default({}),
  class: z.enum(ENVIRONMENT_CLASSES).default("production"),
  withoutDryRun: z.enum(["tell", "refuse"]).default("tell"),
  stage: z.enum(["admit", "gate"]).default("admit"),
  at: z.iso.datetime({ offset: true }).default("2026-11-30T12:00:00Z"),
  verdict: z.enum(["promote", "hold", "reject", "none"]).default("promote"),
  reasons: z.array(Short).max(100).default(["ALL_SHOWN"]),
  shown: z
    .strictObject({
      dryRun: z.boolean().default(true),
      rollback: z.boolean().default(true),
      snapshot: z.boolean().default(true),
    })
    .prefault({}),
  approvals: z.strictObject({ count: Count.default(0), strong: Count.default(0) }).prefault({}),
  past: z.array(PastSchema).max(100).default([]),
  expect: z.strictObject({
    allow: z.boolean(),
    /** Ids of every rule that refuses; what is not listed must not. */
    rules: z.array(Short).max(100).default([]),
    approvals: z.strictObject({ k: Count, strong: Count }).optional(),
    escalations: z
      .array(z.enum(["confidence", "evidence", "supervisor"]))
      .max(20)
      .optional(),
  }),
});

/** Schema of `canary.policy-cases/v1`: what a policy is expected to answer. */
export const CasesSchema = z.strictObject({
  schema: z.literal("canary.policy-cases/v1"),
  /** The plan of every case that names none; relative to the table. */
  plan: PlanFile,
  cases: z.array(CaseSchema).min(1).max(LIMITS.policyCasesMax),
});
export type PolicyCase = z.infer<typeof CaseSchema> & { readonly plan: string };

/** What became of one case; no findings: as expected. */
export interface CaseResult {
  readonly name: string;
  readonly findings: readonly string[];
  /** Absent where the case could not be asked. */
  readonly decision?: PolicyDecision;
}

/** @throws CanaryError POLICY_INVALID listing every problem with its line and path */
export function parseCases(text: string, source: string): readonly PolicyCase[] {
  const asked = { source, what: "a canary.policy-cases/v1", code: "POLICY_INVALID" } as const;
  const { cases, plan } = parseDocument(CasesSchema, text, asked);
  return cases.map((one) => ({ ...one, plan: one.plan ?? plan }));
}

/** Asks a policy one case. A plan or data that can not be read are findings: a table tests no more than it can ask. */
export async function runCase(
  one: PolicyCase,
  on: { readonly policy: LoadedPolicy; readonly parse: SqlParser; readonly planText: string },
): Promise<CaseResult> {
  try {
    const policy = Object.keys(one.data).length === 0 ? on.policy : on.policy.withData(changedData(one, on.policy));
    const question = questionOf(one, changedPlan(one, on.planText), { ...on, policy });
    const decision = await policy.engine.decide(question);
    return { name: one.name, findings: findingsOf(one.expect, decision), decision };
  } catch (error) {
    return { name: one.name, findings: [`can not be asked: ${messageOf(error)}`] };
  }
}

function changedPlan({ change, plan: file }: PolicyCase, text: string): Plan {
  const { value } = readDocument(text, { source: file, what: "a plan", code: "PLAN_INVALID" });
  return parsePlan(JSON.stringify(mergePatch(value, change)), file);
}

function changedData({ data, name }: PolicyCase, policy: LoadedPolicy): PolicyData {
  return parsePolicyData(JSON.stringify(mergePatch(policy.data, data)), `the data of case ${name}`);
}

function questionOf(
  one: PolicyCase,
  plan: Plan,
  asking: { readonly policy: LoadedPolicy; readonly parse: SqlParser },
): PolicyQuestion {
  const environment = { id: plan.target.environment, class: one.class };
  const { facts } = readPlan(plan, { environment }, asking);
  const asked = { plan: facts, environment, withoutDryRun: one.withoutDryRun };
  if (one.stage === "admit") return { ...asked, stage: "admit" };
  const atEpochMs = Date.parse(one.at);
  return {
    ...asked,
    stage: "gate",
    atEpochMs,
    verdict: { kind: one.verdict, reasons: one.reasons },
    shown: one.shown,
    approvals: one.approvals,
    past: one.past.flatMap(({ minutesAgo, times, agent, plan: other, ...past }) =>
      Array.from({ length: times }, () => ({
        ...past,
        planSha256: other,
        agent: agent ?? plan.agent.id,
        environment: environment.id,
        atEpochMs: atEpochMs - minutesAgo * 60_000,
      })),
    ),
  };
}

function findingsOf(
  expected: PolicyCase["expect"],
  { allow, reasons, obligations }: PolicyDecision,
): readonly string[] {
  const refused = reasons.map(({ rule }) => rule);
  const words = (ids: readonly string[]): string => (ids.length === 0 ? "none" : ids.toSorted().join(", "));
  const { k, strong } = obligations.approvals;
  const escalations = obligations.escalations.map(({ about }) => about);
  return [
    ...(allow === expected.allow ? [] : [`it ${allow ? "allows" : "refuses"}, which was not expected`]),
    ...(words(refused) === words(expected.rules)
      ? []
      : [`refused by ${words(refused)}; expected ${words(expected.rules)}`]),
    ...(expected.approvals === undefined || (expected.approvals.k === k && expected.approvals.strong === strong)
      ? []
      : [`asks for ${k} approvals, ${strong} of them strong`]),
    ...(expected.escalations === undefined || words(expected.escalations) === words(escalations)
      ? []
      : [`escalates for ${words(escalations)}; expected ${words(expected.escalations)}`]),
  ];
}
