import { readFileSync } from "node:fs";
import { type LoadedPolicy, loadPolicy } from "../../src/policy/engine/load-policy.ts";
import type { GateQuestion, PlanFacts } from "../../src/policy/engine/question.ts";

const read = (file: string): string => readFileSync(file, "utf8");

/** Texts of the policy that ships. */
export const SHIPPED = {
  data: read("policies/default/policy.yaml"),
  rules: read("policies/default/rules.cedar"),
  rego: read("policies/opa/canary.rego"),
  schema: read("policies/facts.cedarschema.json"),
} as const;

const shipped = {
  source: "shipped",
  files: [
    { name: "policy.yaml", text: SHIPPED.data },
    { name: "rules.cedar", text: SHIPPED.rules },
  ],
};

/** The shipped policy with another text in place of one of its own. */
export async function policyWith(
  texts: { readonly data?: string; readonly rules?: string; readonly rego?: string; readonly schema?: string },
  monotonicMs: () => number = () => 0,
): Promise<LoadedPolicy> {
  const { data = SHIPPED.data, rules = SHIPPED.rules, rego, schema = SHIPPED.schema } = texts;
  const own = {
    source: "own",
    files: [
      { name: "policy.yaml", text: data },
      { name: "rules.cedar", text: rules },
      ...(rego === undefined ? [] : [{ name: "canary.rego", text: rego }]),
    ],
  };
  return await loadPolicy({ own, shipped, schema, monotonicMs });
}

/** The shipped data with one line replaced. */
export function dataWith(from: string, to: string): string {
  if (!SHIPPED.data.includes(from)) throw new Error(`policy.yaml has no ${from}`);
  return SHIPPED.data.replace(from, to);
}

/** A safe write of tier 2 that nothing stands against, and the gate's question that lets it through. */
export const FACTS: PlanFacts = {
  name: "more-workers",
  sha256: "a".repeat(64),
  confidence: 0.9,
  intent: "Drain the backlog",
  agent: {
    id: "agent-7",
    version: "1.0.0",
    model: { provider: "acme", name: "ops", version: "2026-10-01" },
    inputs: [],
  },
  namespace: "batch",
  tier: { declared: 2, classified: 2, effective: 2 },
  evidence: ["metric"],
  actions: [
    {
      id: "scale",
      uses: ["scale", "scale"],
      deeds: ["scale", "scale"],
      tier: 2,
      destructive: [],
      what: "Scale the worker",
      why: "The queue grows",
      requires: ["containers:scale@batch"],
      changes: ["service/worker/replicas"],
      hosts: [],
    },
  ],
  waysOut: { uses: [], deeds: [], destructive: [], hosts: [] },
  stops: [],
};

export const QUESTION: GateQuestion = {
  stage: "gate",
  plan: FACTS,
  environment: { id: "production/eu-west", class: "production" },
  atEpochMs: Date.parse("2026-11-30T12:00:00Z"),
  verdict: { kind: "promote", reasons: ["ALL_SHOWN"] },
  shown: { dryRun: true, rollback: true, snapshot: true },
  approvals: { count: 1, strong: 1 },
  past: [],
};
