import { describe, expect, test } from "vitest";
import { askPolicyEngine } from "../../src/gate/ask-policy.ts";
import { decidePromotion } from "../../src/gate/decide-promotion.ts";
import type { PolicyEvidence } from "../../src/gate/evidence.ts";
import type { GateReason } from "../../src/gate/gate-reason.ts";
import { ASKING } from "../support/shipped-policy.ts";
import {
  DAY_MS,
  PLAN,
  type Question,
  question,
  statement,
  verdictEvidence,
  withEvidence,
} from "./promotion-builder.ts";

const two = question(2);
const HELD = { kind: "hold", reasons: [{ code: "UNDERPOWERED", message: "too noisy" }] } as const;
const NOBODY = { people: [], refused: [] };

/** A policy that refuses by these rules. */
function refusing(...rules: readonly string[]): PolicyEvidence {
  const reasons = rules.map((rule) => ({ rule, message: `${rule} it is`, remedy: "do it" }));
  return {
    kind: "answer",
    allow: false,
    approvals: { k: 1, strong: 0 },
    reasons,
    verdictValidForMs: DAY_MS,
    policy: "",
  };
}

function reasonsOf({ request, evidence, atEpochMs }: Question): readonly GateReason[] {
  const decision = decidePromotion(request, evidence, atEpochMs);
  return decision.kind === "admit" ? [] : decision.reasons;
}

/** Codes of a refusal, each with the rules that it names. */
function told(asked: Question): readonly string[] {
  return reasonsOf(asked).map(({ code, message }) => `${code} ${/ \(rule (.*)\)$/.exec(message)?.[1] ?? ""}`.trim());
}

/** The question as the policy that ships answers it. */
async function asShipped(asked: Question): Promise<Question> {
  const { environment, verdicts, approvals } = asked.evidence;
  if (environment === undefined) throw new Error("the question has no environment");
  const [verdict] = verdicts;
  const ask = askPolicyEngine(ASKING.policy, async () => ASKING.parse);
  const policy = await ask({
    plan: PLAN,
    environment,
    ...(verdict === undefined ? {} : { statement: verdict.statement }),
    approvals,
    atEpochMs: asked.atEpochMs,
    past: [],
  });
  return withEvidence(asked, { policy });
}

describe("with the policy that ships, one lack is one reason", () => {
  test("people who are missing", async () => {
    expect(told(await asShipped(withEvidence(two, { approvals: NOBODY })))).toEqual([
      "APPROVALS_MISSING approvals-missing",
    ]);
  });

  test("a verdict that holds", async () => {
    const approvals = { people: [{ name: "ada", strong: true }], refused: [] };
    const held = withEvidence(two, {
      approvals,
      verdicts: [verdictEvidence({ statement: statement(2, { verdict: HELD }) })],
    });
    expect(told(await asShipped(held))).toEqual(["VERDICT_NOT_PROMOTE verdict-missing"]);
  });

  test("a verdict that was never published", async () => {
    const approvals = { people: [{ name: "ada", strong: true }], refused: [] };
    expect(told(await asShipped(withEvidence(two, { approvals, verdicts: [] })))).toEqual([
      "VERDICT_MISSING verdict-missing, rollback-not-proven",
    ]);
  });
});

test("a rule that asks for something else is a reason of its own, beside what the gate misses itself", () => {
  const asked = withEvidence(two, {
    approvals: NOBODY,
    policy: refusing("strong-approvals-missing", "outside-window", "constructor"),
  });
  expect(told(asked)).toEqual([
    "APPROVALS_MISSING strong-approvals-missing",
    "POLICY_REFUSED outside-window",
    "POLICY_REFUSED constructor",
  ]);
});

test("where the gate itself misses nothing, the same rule refuses by itself", () => {
  const approvals = { people: [{ name: "ada", strong: true }], refused: [] };
  for (const rule of ["approvals-missing", "verdict-missing", "rollback-not-proven", "never-unattended"])
    expect(told(withEvidence(two, { approvals, policy: refusing(rule) }))).toEqual([`POLICY_REFUSED ${rule}`]);
});

test("a policy that says no without a reason is a reason", () => {
  const approvals = { people: [{ name: "ada", strong: true }], refused: [] };
  expect(told(withEvidence(two, { approvals, policy: refusing() }))).toEqual(["POLICY_REFUSED"]);
});

test("every reason says what to do next, and what is missing to approve says how it reaches the gate", async () => {
  const reasons = reasonsOf(await asShipped(withEvidence(two, { approvals: NOBODY, verdicts: [] })));
  expect(reasons.filter(({ remedy }) => remedy === "")).toEqual([]);
  const [missing] = reasonsOf(await asShipped(withEvidence(two, { approvals: NOBODY })));
  expect(missing?.remedy).toContain("canary verdict publish");
});
