import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Approval,
  type NewApproval,
  readApprovalUnverified,
  signApproval,
  signRevocation,
  verifyApproval,
} from "../../src/attest/approval-statement.ts";
import { type ApprovedThing, authorsOf, countApprovals } from "../../src/attest/count-approvals.ts";
import type { Keyring, TrustedKey } from "../../src/attest/keyring.ts";
import { resigned, type Signer, signer } from "../support/signers.ts";
import { ENVELOPE_ATTACKS } from "./envelope-attacks.ts";
import { BUNDLE_TEXT } from "./verdict-builder.ts";

const NOON = Date.parse("2026-11-23T12:00:00Z");
const HOUR_MS = 3_600_000;
const PLAN_SHA256 = "a".repeat(64);
const VERDICT_SHA256 = "b".repeat(64);

const ADA = signer("ada@example.com", "approver");
const ADA_PHONE = signer("Ada@Example.com", "approver");
const BEN = signer("ben@example.com", "approver");
const OPS = signer("on-call", "operator");
const AGENT = signer("agent-7", "agent", { owner: "grace@example.com" });
const GRACE = signer("grace@example.com", "approver");
const PRIYA = signer("priya@example.com", "approver");
const ALL: readonly Signer[] = [ADA, ADA_PHONE, BEN, OPS, AGENT, GRACE, PRIYA];
const KEYRING: Keyring = { keys: ALL.map(({ entry }) => entry) };

const AUTHORS = authorsOf({ agent: { id: "agent-7" } } as Parameters<typeof authorsOf>[0], {
  keyring: KEYRING,
  planSigner: "agent-7",
  runbookAuthor: "priya@example.com",
});
const THING: ApprovedThing = {
  planSha256: PLAN_SHA256,
  environment: "production/eu-west",
  verdictSha256: VERDICT_SHA256,
  authors: AUTHORS,
};

let nonces = 0;
function approvalOf(by: Signer, changes: Partial<NewApproval> = {}): string {
  nonces++;
  return signApproval(
    {
      planSha256: PLAN_SHA256,
      environment: "production/eu-west",
      approvedAtEpochMs: NOON,
      expiresAtEpochMs: NOON + HOUR_MS,
      nonce: nonces.toString(16).padStart(32, "0"),
      ...changes,
    },
    by.key,
  );
}

function idOf(bundle: string): string {
  const read = readApprovalUnverified(bundle);
  return read.kind === "approval" ? read.approvalId : "";
}

function revocationOf(bundle: string, by: Signer, planSha256 = PLAN_SHA256): string {
  const asked = { approvalId: idOf(bundle), planSha256, revokedAtEpochMs: NOON, reason: "wrong region" };
  return signRevocation(asked, by.key);
}

/** Persons who count, and the codes of those who do not. */
function counted(
  approvals: readonly string[],
  changes: {
    readonly thing?: Partial<ApprovedThing>;
    readonly revocations?: readonly string[];
    readonly held?: readonly Approval[];
    readonly keyring?: Keyring;
    readonly at?: number;
  } = {},
): { readonly people: readonly string[]; readonly refused: readonly string[] } {
  const { revocations = [], held = [], keyring = KEYRING, at = NOON } = changes;
  const count = countApprovals({ ...THING, ...changes.thing }, { approvals, revocations, held }, keyring, at);
  return { people: count.counted.map(({ person }) => person), refused: count.refused.map(({ code }) => code) };
}

test("two people who had no hand in the plan are two approvals", () => {
  const verdictSha256 = VERDICT_SHA256;
  expect(counted([approvalOf(ADA), approvalOf(BEN, { verdictSha256 })])).toEqual({
    people: ["ada@example.com", "ben@example.com"],
    refused: [],
  });
});

test("everybody who had a hand in the plan is its author", () => {
  expect(AUTHORS).toEqual(["agent-7", "grace@example.com", "priya@example.com"]);
});

describe("an approval does not count", () => {
  test.each<[string, readonly string[], Parameters<typeof counted>[1], readonly string[]]>([
    ["by who answers for the agent", [approvalOf(GRACE)], {}, ["BY_AUTHOR"]],
    ["by the author of the runbook", [approvalOf(PRIYA)], {}, ["BY_AUTHOR"]],
    ["by the author in other letters", [approvalOf(ADA)], { thing: { authors: ["ADA@example.com"] } }, ["BY_AUTHOR"]],
    ["by the agent itself, with its key for plans", [approvalOf(AGENT)], {}, ["KEY_WRONG_ROLE"]],
    ["by an operator", [approvalOf(OPS)], {}, ["KEY_WRONG_ROLE"]],
    ["by nobody known", [approvalOf(signer("ada@example.com", "approver"))], {}, ["KEY_UNKNOWN"]],
    ["for another digest", [approvalOf(ADA, { planSha256: "c".repeat(64) })], {}, ["OTHER_PLAN"]],
    ["for another environment", [approvalOf(ADA, { environment: "staging" })], {}, ["OTHER_ENVIRONMENT"]],
    ["for another verdict", [approvalOf(ADA, { verdictSha256: "c".repeat(64) })], {}, ["OTHER_VERDICT"]],
    ["before its time", [approvalOf(ADA, { approvedAtEpochMs: NOON + 60_001 })], {}, ["NOT_YET_VALID"]],
    ["at the end of its time", [approvalOf(ADA)], { at: NOON + HOUR_MS }, ["EXPIRED"]],
    ["at no time", [approvalOf(ADA)], { at: Number.NaN }, ["NOT_YET_VALID"]],
    ["when it is a verdict", [BUNDLE_TEXT], {}, ["KEY_UNKNOWN"]],
    ["when it is a revocation", [revocationOf(approvalOf(ADA), ADA)], {}, ["STATEMENT_INVALID"]],
  ])("%s", (_, approvals, changes, refused) => {
    expect(counted(approvals, changes)).toEqual({ people: [], refused });
  });

  test("on a verdict when nobody says which one is in question", () => {
    const { verdictSha256: _, ...thing } = THING;
    const count = countApprovals(
      thing,
      { approvals: [approvalOf(ADA, { verdictSha256: VERDICT_SHA256 })], revocations: [] },
      KEYRING,
      NOON,
    );
    expect(count.refused).toMatchObject([{ code: "OTHER_VERDICT" }]);
  });

  test("twice by one person, also with two keys or in two spellings", () => {
    expect(counted([approvalOf(ADA), approvalOf(ADA)])).toMatchObject({
      people: [ADA.entry.identity],
      refused: ["SAME_PERSON"],
    });
    expect(counted([approvalOf(ADA), approvalOf(ADA_PHONE)])).toMatchObject({ refused: ["SAME_PERSON"] });
    const bundle = approvalOf(BEN);
    expect(counted([bundle, bundle])).toMatchObject({ people: ["ben@example.com"], refused: ["SAME_PERSON"] });
  });

  test.each<[string, Partial<TrustedKey>, string]>([
    ["expired", { notAfterEpochMs: NOON }, "KEY_EXPIRED"],
    ["was revoked", { revoked: { atEpochMs: NOON, reason: "lost" } }, "KEY_REVOKED"],
    ["is of another role", { role: "canary" }, "KEY_WRONG_ROLE"],
  ])("when its key %s", (_, changes, code) => {
    expect(counted([approvalOf(ADA)], { keyring: { keys: [{ ...ADA.entry, ...changes }] } }).refused).toEqual([code]);
  });
});

describe.each(ENVELOPE_ATTACKS)("$name", ({ bend, code }) => {
  test("is refused as an approval", () => {
    expect(counted([bend(approvalOf(ADA), ADA), approvalOf(BEN)])).toEqual({
      people: ["ben@example.com"],
      refused: [code],
    });
  });
});

describe("an approval that was taken back", () => {
  const bundle = approvalOf(ADA);
  test.each<[string, string, readonly string[]]>([
    ["by its person does not count", revocationOf(bundle, ADA), ["REVOKED"]],
    ["by the same person with another key does not count", revocationOf(bundle, ADA_PHONE), ["REVOKED"]],
    ["by an operator does not count", revocationOf(bundle, OPS), ["REVOKED"]],
    ["by somebody else counts", revocationOf(bundle, BEN), []],
    ["by an agent counts", revocationOf(bundle, AGENT), []],
    ["for another plan counts", revocationOf(bundle, ADA, "c".repeat(64)), []],
  ])("%s", (_, revocation, refused) => {
    expect(counted([bundle], { revocations: [revocation] }).refused).toEqual(refused);
  });

  test("with a key that has expired since does not count: a doubt may always be told", () => {
    const keyring = { keys: [ADA.entry, { ...OPS.entry, notAfterEpochMs: NOON - 1 }] };
    expect(counted([bundle], { revocations: [revocationOf(bundle, OPS)], keyring }).refused).toEqual(["REVOKED"]);
  });

  test("leaves the person free to agree anew", () => {
    const anew = approvalOf(ADA);
    expect(counted([bundle, anew], { revocations: [revocationOf(bundle, ADA)] })).toEqual({
      people: ["ada@example.com"],
      refused: ["REVOKED"],
    });
  });

  test("in another spelling of its envelope does not count either", () => {
    const spelled = JSON.stringify(JSON.parse(bundle), null, 2);
    expect(counted([spelled], { revocations: [revocationOf(bundle, ADA)] }).refused).toEqual(["REVOKED"]);
  });

  test("by something that is no revocation counts, and that is told", () => {
    const count = countApprovals(THING, { approvals: [bundle], revocations: ["{}"] }, KEYRING, NOON);
    expect(count).toMatchObject({
      counted: [{ person: "ada@example.com" }],
      refusedRevocations: [{ code: "BUNDLE_INVALID" }],
    });
  });
});

test("approvals that a gate authenticated are held to the same rules", () => {
  const verified = verifyApproval(approvalOf(BEN), KEYRING, NOON);
  if (verified.kind !== "approval") throw new Error(verified.message);
  const held = (person: string, changes: Partial<Approval> = {}): Approval => ({
    ...verified.approval,
    person,
    shownBy: "passkey",
    ...changes,
  });
  const given = [
    held("carl@example.com"),
    held("grace@example.com"),
    held("ada@example.com"),
    held("dan@example.com", { expiresAtEpochMs: NOON }),
  ];
  expect(counted([approvalOf(ADA)], { held: given })).toEqual({
    people: ["ada@example.com", "carl@example.com"],
    refused: ["BY_AUTHOR", "SAME_PERSON", "EXPIRED"],
  });
});

test("nobody signs an approval for longer than a week, and none that was is believed", () => {
  expect(() => approvalOf(ADA, { expiresAtEpochMs: NOON + 8 * 24 * HOUR_MS })).toThrow();
  expect(() => approvalOf(ADA, { expiresAtEpochMs: NOON })).toThrow();
  const long = resigned(
    approvalOf(ADA),
    ADA.key,
    ({ predicate }) => (predicate.expiresAt = "2027-11-23T12:00:00.000Z"),
  );
  expect(counted([long]).refused).toEqual(["STATEMENT_INVALID"]);
});

test("the order of approvals changes nobody's count", () => {
  const bundles = [ADA, ADA_PHONE, BEN, GRACE, PRIYA, AGENT].map((one) => approvalOf(one));
  fc.assert(
    fc.property(fc.shuffledSubarray(bundles, { minLength: bundles.length }), (shuffled) => {
      const { people, refused } = counted(shuffled);
      expect(people.map((person) => person.toLowerCase()).toSorted()).toEqual(["ada@example.com", "ben@example.com"]);
      expect(refused.toSorted()).toEqual(["BY_AUTHOR", "BY_AUTHOR", "KEY_WRONG_ROLE", "SAME_PERSON"]);
    }),
  );
});

test("of more approvals than anybody needs the rest is not looked at", () => {
  const bundle = approvalOf(ADA);
  const { people, refused } = counted(Array.from({ length: 201 }, () => bundle));
  expect(people).toHaveLength(1);
  expect(refused.at(199 - 1)).toBe("SAME_PERSON");
  expect(refused).toContain("TOO_MANY");
});
