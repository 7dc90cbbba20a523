import { expect, test } from "vitest";
import { rememberingAnswers } from "../../../src/policy/engine/remembered-answers.ts";
import { ruleRequest } from "../../../src/policy/engine/rule-context.ts";
import type { RuleAnswer } from "../../../src/policy/engine/rule-evaluator.ts";
import { FACTS, QUESTION } from "../../support/policy-question.ts";
import { ASKING } from "../../support/shipped-policy.ts";

const YES: RuleAnswer = { allow: true, permittedBy: ["promotion"] };
const requestOf = (name: string, approvals = 1) =>
  ruleRequest({ ...QUESTION, plan: { ...FACTS, name }, approvals: { count: approvals, strong: 0 } }, ASKING.policy.data)
    .request;

function counting(answer: () => RuleAnswer) {
  let asked = 0;
  const rules = rememberingAnswers({
    engine: "cedar",
    withinMs: 1000,
    evaluate: async () => {
      asked += 1;
      return answer();
    },
  });
  return { rules, asked: () => asked };
}

test("the same facts are evaluated once, and any other fact anew", async () => {
  const { rules, asked } = counting(() => YES);
  for (let times = 0; times < 3; times++) expect(await rules.evaluate(requestOf("a"))).toBe(YES);
  expect(asked()).toBe(1);
  await rules.evaluate(requestOf("a", 2));
  await rules.evaluate(requestOf("b"));
  expect(asked()).toBe(3);
});

test("a failure is not remembered", async () => {
  let broken = true;
  const { rules } = counting(() => {
    if (broken) throw new Error("broken");
    return YES;
  });
  await expect(rules.evaluate(requestOf("a"))).rejects.toThrow("broken");
  broken = false;
  expect(await rules.evaluate(requestOf("a"))).toBe(YES);
});

test("what was asked longest ago is forgotten first, and long questions are never kept", async () => {
  const { rules, asked } = counting(() => YES);
  for (let index = 0; index < 501; index++) await rules.evaluate(requestOf(`plan-${index}`));
  await rules.evaluate(requestOf("plan-500"));
  expect(asked()).toBe(501);
  await rules.evaluate(requestOf("plan-0"));
  expect(asked()).toBe(502);
  for (let times = 0; times < 2; times++) await rules.evaluate(requestOf("x".repeat(9000)));
  expect(asked()).toBe(504);
});
