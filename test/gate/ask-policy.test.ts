import { expect, test } from "vitest";
import { askPolicyEngine, expectPolicy } from "../../src/gate/ask-policy.ts";
import type { PolicyAsked } from "../../src/gate/gate-context.ts";
import type { PolicyDecision } from "../../src/policy/engine/question.ts";
import { QUESTION } from "../support/policy-question.ts";
import { ASKING } from "../support/shipped-policy.ts";
import { ENVIRONMENT, PLAN, statement } from "./promotion-builder.ts";

const ASKED: PolicyAsked = {
  plan: PLAN,
  environment: ENVIRONMENT,
  statement: statement(2),
  approvals: { people: [], refused: [] },
  atEpochMs: Date.UTC(2026, 10, 23),
  past: [],
};

test("a grammar that cannot be loaded is no answer, and is tried again by the next question", async () => {
  let calls = 0;
  const parser = async () => {
    calls += 1;
    if (calls === 1) throw new Error("the module is gone");
    return ASKING.parse;
  };
  const ask = askPolicyEngine(ASKING.policy, parser);
  expect(await ask(ASKED)).toEqual({ kind: "error", why: "the module is gone" });
  expect(await ask(ASKED)).toMatchObject({ kind: "answer", allow: false });
});

test("policy is there to be asked once its grammar is loaded and its engine says anything at all", async () => {
  const { policy, parse } = ASKING;
  const noAnswer: PolicyDecision = {
    ...(await policy.engine.decide(QUESTION)),
    allow: false,
    reasons: [{ rule: "POLICY_ERROR", message: "no idea", remedy: "" }],
  };
  const broken = { ...policy, engine: { ...policy.engine, decide: async () => noAnswer } };
  await expect(expectPolicy(policy, async () => parse)).resolves.toBeUndefined();
  await expect(expectPolicy(broken, async () => parse)).rejects.toThrow("no idea");
  await expect(expectPolicy(policy, () => Promise.reject(new Error("the module is gone")))).rejects.toThrow("gone");
});
