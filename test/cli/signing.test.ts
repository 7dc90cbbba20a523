import { expect, test } from "vitest";
import { signerOf } from "../../src/cli/signing.ts";
import { SIGNING_KEY } from "../attest/verdict-builder.ts";
import { ASKING } from "../support/shipped-policy.ts";
import { simulateRun } from "../support/simulated-run.ts";

const EVIDENCE = { recordingSha256: "ab".repeat(32), reportSha256: "cd".repeat(32) };

test("a run's verdict names the policy that admitted the plan, and is good for as long as that policy says", async () => {
  const { end } = await simulateRun({ seed: 1, plan: "scale-one" });
  if (end.kind !== "report") throw end.error;
  const { policyDecision } = end.report;
  expect(policyDecision).toMatchObject({ allow: true, policy: ASKING.policy.engine.policy });
  if (policyDecision === undefined) return;
  const obligations = { ...policyDecision.obligations, verdictValidForMs: 7_200_000 };
  const text = await signerOf(SIGNING_KEY)(
    { ...end.report, policyDecision: { ...policyDecision, obligations } },
    EVIDENCE,
  );
  const { predicate } = JSON.parse(Buffer.from(JSON.parse(text).dsseEnvelope.payload, "base64").toString());
  expect(predicate.policy).toEqual(ASKING.policy.engine.policy);
  expect(Date.parse(predicate.expiresAt) - Date.parse(predicate.finishedAt)).toBe(7_200_000);
});
