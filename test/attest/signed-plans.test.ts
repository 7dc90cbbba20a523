import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Keyring, TrustedKey } from "../../src/attest/keyring.ts";
import { signPlan, verifyPlanSignature } from "../../src/attest/plan-statement.ts";
import { signRunbook, verifyRunbookSignature } from "../../src/attest/runbook-statement.ts";
import { parsePlan } from "../../src/plan/plan.ts";
import { parseRunbook } from "../../src/runbook/runbook.ts";
import { bentBundle, resigned, signer } from "../support/signers.ts";
import { ENVELOPE_ATTACKS } from "./envelope-attacks.ts";

const NOON = Date.parse("2026-11-23T12:00:00Z");
const PLAN_TEXT = JSON.stringify({
  schema: "canary.plan/v1",
  name: "scale-out",
  agent: { id: "agent-7", version: "1.0.0", model: { provider: "acme", name: "ops", version: "1" } },
  target: { environment: "production/eu-west" },
  tier: 2,
  confidence: 0.9,
  intent: "drain the backlog",
  actions: [{ id: "look", what: "wait", why: "to see", uses: "wait", with: { seconds: 1 } }],
  rollback: { withinSeconds: 30 },
});
const PLAN = parsePlan(PLAN_TEXT, "plan");
const RUNBOOK_TEXT = JSON.stringify({
  schema: "canary.runbook/v1",
  name: "backlog",
  author: "priya@example.com",
  steps: [{ id: "scale-out", what: "add workers", actions: [{ uses: "scale", with: { service: "worker" } }] }],
});
const RUNBOOK = parseRunbook(RUNBOOK_TEXT, "runbook");

const AGENT = signer("agent-7", "agent");
const AUTHOR = signer("priya@example.com", "runbook-author");
const PLAN_BUNDLE = signPlan(PLAN, AGENT.key, NOON);
const RUNBOOK_BUNDLE = signRunbook(RUNBOOK, AUTHOR.key, NOON);

const trusting = (...keys: readonly TrustedKey[]): Keyring => ({ keys });
const codeOf = (result: { readonly kind: string; readonly code?: string }): string => result.code ?? result.kind;

function planCode(bundleText: string, changes: Partial<Parameters<typeof verifyPlanSignature>[0]> = {}): string {
  const keyring = trusting(AGENT.entry, AUTHOR.entry);
  return codeOf(verifyPlanSignature({ bundleText, plan: PLAN, keyring, at: NOON, ...changes }));
}

function runbookCode(bundleText: string, changes: Partial<Parameters<typeof verifyRunbookSignature>[0]> = {}): string {
  const keyring = trusting(AGENT.entry, AUTHOR.entry);
  return codeOf(verifyRunbookSignature({ bundleText, runbook: RUNBOOK, keyring, at: NOON, ...changes }));
}

test("what was just signed is signed, and says by whom", () => {
  const asked = { bundleText: PLAN_BUNDLE, plan: PLAN, keyring: trusting(AGENT.entry), at: NOON };
  expect(verifyPlanSignature(asked)).toMatchObject({ kind: "signed", signer: { identity: "agent-7" } });
  expect(runbookCode(RUNBOOK_BUNDLE)).toBe("signed");
});

describe.each(ENVELOPE_ATTACKS)("$name", ({ bend, code }) => {
  test("is refused as the signature of a plan", () => expect(planCode(bend(PLAN_BUNDLE, AGENT))).toBe(code));
  test("is refused as the signature of a runbook", () => {
    expect(runbookCode(bend(RUNBOOK_BUNDLE, AUTHOR))).toBe(code);
  });
});

test("a plan of which one byte was changed is another plan", () => {
  fc.assert(
    fc.property(fc.nat(PLAN_TEXT.length), fc.constantFrom(" ", "\n", "\t"), (at, space) => {
      const text = PLAN_TEXT.slice(0, at) + space + PLAN_TEXT.slice(at);
      const plan = { ...PLAN, sha256: parsedDigest(text) };
      expect(planCode(PLAN_BUNDLE, { plan })).toBe("OTHER_PLAN");
    }),
  );
});

function parsedDigest(text: string): string {
  try {
    return parsePlan(text, "changed").sha256;
  } catch {
    return "0".repeat(64);
  }
}

test("a signature that says something else of the plan than the plan does is refused", () => {
  const elsewhere = resigned(PLAN_BUNDLE, AGENT.key, ({ predicate }) => (predicate.environment = "staging"));
  expect(planCode(elsewhere)).toBe("OTHER_PLAN");
  const other = resigned(PLAN_BUNDLE, AGENT.key, ({ predicate }) => (predicate.agent.version = "2.0.0"));
  expect(planCode(other)).toBe("OTHER_PLAN");
});

test("an agent can not sign another agent's plan, nor an author another author's runbook", () => {
  const other = signer("agent-8", "agent");
  expect(planCode(signPlan(PLAN, other.key, NOON), { keyring: trusting(other.entry) })).toBe("OTHER_AGENT");
  const writer = signer("max@example.com", "runbook-author");
  expect(runbookCode(signRunbook(RUNBOOK, writer.key, NOON), { keyring: trusting(writer.entry) })).toBe("OTHER_AUTHOR");
});

test("a key in the wrong role, unknown, expired or revoked signs nothing", () => {
  const { entry } = AGENT;
  const cases: readonly (readonly [readonly TrustedKey[], string])[] = [
    [[], "KEY_UNKNOWN"],
    [[{ ...entry, role: "canary" }], "KEY_WRONG_ROLE"],
    [[{ ...entry, role: "approver" }], "KEY_WRONG_ROLE"],
    [[{ ...entry, notAfterEpochMs: NOON }], "KEY_EXPIRED"],
    [[{ ...entry, notBeforeEpochMs: NOON + 1 }], "KEY_NOT_YET_VALID"],
    [[{ ...entry, revoked: { atEpochMs: NOON, reason: "lost" } }], "KEY_REVOKED"],
    [[entry, { ...entry, role: "approver" }], "KEY_AMBIGUOUS"],
  ];
  for (const [keys, code] of cases) expect(planCode(PLAN_BUNDLE, { keyring: { keys } })).toBe(code);
});

test("a plan's signature is no runbook's, whoever's key it is", () => {
  const both = signer("priya@example.com", "runbook-author");
  const asPlan = signPlan(PLAN, both.key, NOON);
  expect(runbookCode(asPlan, { keyring: trusting(both.entry) })).toBe("STATEMENT_INVALID");
});

test("a signature from the future is refused, a minute of difference between clocks is not", () => {
  expect(planCode(PLAN_BUNDLE, { at: NOON - 60_000 })).toBe("signed");
  expect(planCode(PLAN_BUNDLE, { at: NOON - 60_001 })).toBe("NOT_YET_VALID");
  expect(planCode(PLAN_BUNDLE, { at: Number.NaN })).toBe("NOT_YET_VALID");
});

test("any changed bit of payload or signature is refused", () => {
  fc.assert(
    fc.property(fc.constantFrom("payload", "sig"), fc.nat(100_000), fc.nat(7), (field, at, bit) => {
      const bent = bentBundle(PLAN_BUNDLE, ({ dsseEnvelope }) => {
        const holder = field === "payload" ? dsseEnvelope : dsseEnvelope.signatures[0];
        const bytes = Buffer.from(holder[field], "base64");
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << bit);
        holder[field] = bytes.toString("base64");
      });
      expect(planCode(bent)).toBe("SIGNATURE_MISMATCH");
    }),
    { numRuns: 200 },
  );
});
