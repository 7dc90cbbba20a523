import fc from "fast-check";
import { expect, test } from "vitest";
import { messageOf } from "../../../src/core/errors.ts";
import { loadCedarRules } from "../../../src/policy/engine/cedar-rules.ts";
import { type RuleRequest, ruleRequest } from "../../../src/policy/engine/rule-context.ts";
import type { RuleEvaluator } from "../../../src/policy/engine/rule-evaluator.ts";
import { QUESTION, SHIPPED } from "../../support/policy-question.ts";
import { ASKING } from "../../support/shipped-policy.ts";

const { request: REQUEST } = ruleRequest(QUESTION, ASKING.policy.data);

/** Two requests that differ in some of these; of each the first is what the question has. */
const CHANGES: Readonly<Record<string, (request: RuleRequest) => RuleRequest>> = {
  id: (request) => ({ ...request, principal: { ...request.principal, id: "agent-8" } }),
  version: (request) => ({ ...request, principal: { ...request.principal, version: "2.0.0" } }),
  environment: (request) => ({ ...request, resource: { ...request.resource, id: "staging/a" } }),
  class: (request) => ({ ...request, resource: { ...request.resource, class: "staging" } }),
  name: inGroup("plan", { name: "other" }),
  namespace: (request) => {
    const { namespace: _, ...plan } = request.context.plan;
    return { ...request, context: { ...request.context, plan } };
  },
  changes: inGroup("plan", { changes: ["service/web/replicas"] }),
  tier: inGroup("plan", { tier: 3 }),
  actions: inGroup("plan", { actions: 30 }),
  confidence: inGroup("plan", { confidence: 0.3 }),
  withheld: inGroup("found", { withheld: ["scale"] }),
  needed: inGroup("needs", { approvals: 2 }),
  approvals: inGroup("given", { approvals: 0 }),
  recent: inGroup("given", { recentPromotions: 30 }),
};

function inGroup(group: "plan" | "needs" | "found" | "given", facts: RuleRequest["context"]["plan"]) {
  return (request: RuleRequest): RuleRequest => {
    const changed = { ...request.context[group], ...facts };
    return { ...request, context: { ...request.context, [group]: changed } };
  };
}

const changed = (names: readonly string[]): RuleRequest =>
  names.reduce((request, name) => CHANGES[name]?.(request) ?? request, REQUEST);

const PERMIT = '@id("all") @message("m") permit(principal, action, resource);';
const forbid = (condition: string, head = "principal"): string =>
  `${PERMIT}\n@id("no") @message("m") @remedy("r") forbid(${head}, action, resource) when { ${condition} };`;

const RULES: readonly (readonly [string, string])[] = [
  ["the rules that ship", SHIPPED.rules],
  ["a scope of one agent", forbid("true", 'principal == Agent::"agent-8"')],
  ["what is known of the agent", forbid('principal.version == "2.0.0"')],
  ["an agent that is named", forbid('Agent::"agent-7".version == "2.0.0"')],
  ["the environment", forbid('resource == Environment::"staging/a"')],
  ["what is known of the environment", forbid('resource.class == "staging"')],
  ["one fact", forbid("context.plan.tier == 3")],
  ["whether a fact is there", forbid("!(context.plan has namespace)")],
  ["whether a fact of a fact is there", forbid("!(context has plan.namespace)")],
  ["a fact in the words of another rule", forbid('context.plan.name like "oth*"')],
  ["a list", forbid('context.plan.changes.contains("service/web/replicas")')],
  ["a decimal", forbid('context.plan.confidence.lessThan(decimal("0.5"))')],
  ["a group that is chosen", forbid("(if context.plan.tier == 3 then context.needs else context.needs).approvals > 1")],
  ["a whole group", forbid("[context.needs].contains(context.needs) && context.plan.tier == 3")],
  ["a record that is made", forbid('{ ".": context.plan.tier, "Var": "context" }["."] == 3')],
];

test.each(RULES)("what was remembered for %s is what Cedar would say now", async (_what, text) => {
  const load = async () => await loadCedarRules([{ name: "rules.cedar", text }], SHIPPED.schema);
  const remembering = await load();
  const said = (rules: RuleEvaluator, request: RuleRequest) => rules.evaluate(request).catch(messageOf);
  await fc.assert(
    fc.asyncProperty(fc.subarray(Object.keys(CHANGES), { maxLength: 3 }), async (names) => {
      const request = changed(names);
      expect(await said(remembering, request)).toEqual(await said(await load(), request));
    }),
    { numRuns: 20, examples: [[[]], ...Object.keys(CHANGES).map((name): [string[]] => [[name]])] },
  );
});
