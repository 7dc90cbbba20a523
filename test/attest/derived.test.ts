import { createPublicKey } from "node:crypto";
import { bundleFromJSON } from "@sigstore/bundle";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import { describe, expect, test } from "vitest";
import { signApproval, signRevocation, verifyApproval } from "../../src/attest/approval-statement.ts";
import { handoverOf, signHandover } from "../../src/attest/handover-statement.ts";
import { signPlan, verifyPlanSignature } from "../../src/attest/plan-statement.ts";
import { signRunbook } from "../../src/attest/runbook-statement.ts";
import { verdictStatement } from "../../src/attest/verdict-statement.ts";
import { signVsa } from "../../src/attest/vsa-statement.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import { planOf, scale } from "../support/action-builder.ts";
import { bentBundle } from "../support/signers.ts";
import {
  BUNDLE_TEXT,
  FINISHED_EPOCH_MS,
  PAIR,
  SIGNING_KEY,
  TRUSTED,
  VERDICT_INPUT,
  verified,
} from "./verdict-builder.ts";

const NOW = FINISHED_EPOCH_MS + 1000;
const PLAN = planOf(scale("more", { service: "worker", from: 1, to: 3 }));
const verdict = { statement: verdictStatement(VERDICT_INPUT), sha256: sha256Hex(BUNDLE_TEXT) };
const by = { key: SIGNING_KEY, verifierId: "https://canary.example/gate", nowEpochMs: NOW };
const VSA = signVsa(verdict, by);
const times = { approvedAtEpochMs: NOW, expiresAtEpochMs: NOW + 1000 };
const approval = { planSha256: PLAN.sha256, environment: "test", nonce: "0".repeat(32), ...times };
const signOff = { ...approval, id: "1".repeat(64), person: "ada", keyId: "k", shownBy: "key" } as const;

const BUNDLES: readonly (readonly [string, string])[] = [
  ["verdict", BUNDLE_TEXT],
  ["plan", signPlan(PLAN, SIGNING_KEY, NOW)],
  ["runbook", signRunbook({ name: "r", author: "a", sha256: "2".repeat(64) } as never, SIGNING_KEY, NOW)],
  ["approval", signApproval(approval, SIGNING_KEY)],
  [
    "revocation",
    signRevocation(
      { approvalId: "3".repeat(64), planSha256: PLAN.sha256, revokedAtEpochMs: NOW, reason: "r" },
      SIGNING_KEY,
    ),
  ],
  ["hand-over", signHandover(handoverOf(PLAN, [signOff], NOW), PLAN.sha256, SIGNING_KEY)],
  ["verification summary", VSA],
];

/** The second implementation: sigstore-js with our key and no transparency log. Throws when it refuses. */
function verifyWithSigstore(bundleText: string): void {
  const none = { mediaType: "", tlogs: [], certificateAuthorities: [], timestampAuthorities: [], ctlogs: [] };
  const publicKey = createPublicKey(PAIR.publicPem);
  const trust = toTrustMaterial(none, () => ({ publicKey, validFor: () => true }));
  const verifier = new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
  verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(bundleText))));
}

const statementOf = (bundleText: string) =>
  JSON.parse(Buffer.from(JSON.parse(bundleText).dsseEnvelope.payload, "base64").toString());

describe.each(BUNDLES)("a signed %s", (_, bundleText) => {
  test("is one that an independent implementation accepts, and with a changed byte refuses", () => {
    expect(() => verifyWithSigstore(bundleText)).not.toThrow();
    const bent = bentBundle(bundleText, ({ dsseEnvelope }) => {
      const bytes = Buffer.from(dsseEnvelope.payload, "base64");
      bytes[30] = (bytes[30] ?? 0) ^ 1;
      dsseEnvelope.payload = bytes.toString("base64");
    });
    expect(() => verifyWithSigstore(bent)).toThrow();
  });

  test("is a statement of one subject or more with a digest, and of a type of its own", () => {
    const { _type, subject, predicateType } = statementOf(bundleText);
    expect(_type).toBe("https://in-toto.io/Statement/v1");
    for (const { digest } of subject) expect(digest.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(BUNDLES.filter(([, other]) => statementOf(other).predicateType === predicateType)).toHaveLength(1);
  });
});

test.each(BUNDLES.filter(([, bundleText]) => bundleText !== BUNDLE_TEXT))(
  "a signed %s is no verdict, though its signature is right",
  (_, bundleText) => {
    expect(verified({ bundleText })).toMatchObject({
      kind: "invalid",
      problems: [expect.stringMatching(/no canary verdict/)],
    });
  },
);

test("a summary names the plan, the environment, and the verdict that it was derived from", () => {
  expect(statementOf(VSA)).toMatchObject({
    subject: [{ name: "plan/scale-batch-workers.plan.yaml", digest: { sha256: VERDICT_INPUT.plan.sha256 } }],
    predicate: {
      verifier: { id: "https://canary.example/gate", version: { "canary-harness": "0.1.0" } },
      resourceUri: "env://production/eu-west",
      policy: { digest: { sha256: VERDICT_INPUT.scenario.sha256 } },
      inputAttestations: [{ digest: { sha256: sha256Hex(BUNDLE_TEXT) } }],
      verificationResult: "PASSED",
      verifiedLevels: ["CANARY_PROMOTE", "CANARY_ROLLBACK_PROVEN"],
    },
  });
});

test.each(["hold", "reject"] as const)("a verdict to %s has not passed", (kind) => {
  const reasons = [{ code: "UNDERPOWERED", message: "m" }] as const;
  const statement = verdictStatement({ ...VERDICT_INPUT, verdict: { kind, reasons: [...reasons] } });
  expect(statementOf(signVsa({ ...verdict, statement }, by)).predicate).toMatchObject({
    verificationResult: "FAILED",
    verifiedLevels: ["FAILED"],
  });
});

test("a derived statement stands in for no document of ours, whoever signed it", () => {
  const asked = { plan: PLAN, at: NOW, bundleText: VSA };
  expect(verifyPlanSignature({ ...asked, keyring: { keys: [{ ...TRUSTED, role: "agent" }] } })).toMatchObject({
    code: "STATEMENT_INVALID",
  });
  expect(verifyApproval(VSA, { keys: [{ ...TRUSTED, role: "approver" }] }, NOW)).toMatchObject({
    code: "STATEMENT_INVALID",
  });
});
