import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findKey } from "../../src/attest/keyring.ts";
import { newKeyPair } from "../../src/attest/keys.ts";
import { verifyPlanSignature } from "../../src/attest/plan-statement.ts";
import { openDocument } from "../../src/attest/signed-document.ts";
import { VERDICT } from "../../src/gate/gate-documents.ts";
import { allowing, type GateWorld, gateWorld, type SignedPlan } from "./gate-world.ts";
import { DAY_MS } from "./promotion-builder.ts";

// Signatures and documents are read once. Whatever can still change must be asked anew by each decision.

const CHANGE = { kind: "shown", resources: [{ path: "service/worker/replicas", to: 3 }] } as const;

let world: GateWorld;
let plan: SignedPlan;
let trusted: GateWorld["keyring"];
beforeAll(async () => {
  world = await gateWorld();
  await using gate = await world.serve();
  plan = world.plan(1);
  world.policy = allowing(2);
  await gate.ask("/v1/verdicts", { body: world.submission(plan), as: "ci" });
  for (const person of ["ada", "grace"])
    await gate.ask("/v1/approvals", { body: { bundle: world.approval(person, plan) }, as: "ci" });
  trusted = world.keyring;
});
afterAll(() => world[Symbol.asyncDispose]());

/** Codes of the reasons; none where it would be admitted. */
async function reasons(): Promise<readonly string[]> {
  const caller = { name: "ci", environments: ["production/*"] };
  const request = { plan: plan.sha256, environment: "production/eu-west", caller, change: CHANGE, key: "0".repeat(64) };
  const { decision } = await world.service.answer({ adapter: "promotions", mode: "check", request });
  return decision.kind === "admit" ? [] : decision.reasons.map(({ code }) => code);
}

function withKey(identity: string, change: (key: GateWorld["keyring"]["keys"][number]) => object): void {
  const changed = trusted.keys.map((key) => (key.identity === identity ? { ...key, ...change(key) } : key));
  world.keyring = { keys: changed as GateWorld["keyring"]["keys"] };
}

const KEYS = [
  ["harness", "VERDICT_SIGNER_NOT_TRUSTED"],
  ["agent-7", "PLAN_UNSIGNED"],
  ["ada", "APPROVALS_MISSING"],
] as const;

test.each(KEYS)(
  "what the key of %s signed and was relied on refuses once the key is revoked, expired, removed or of another role",
  async (identity, code) => {
    const now = world.clock.epochMs();
    expect(await reasons()).toEqual([]);
    withKey(identity, () => ({ revoked: { atEpochMs: now, reason: "stolen" } }));
    expect(await reasons()).toContain(code);
    withKey(identity, () => ({ notAfterEpochMs: now }));
    expect(await reasons()).toContain(code);
    withKey(identity, () => ({ role: "runbook-author" }));
    expect(await reasons()).toContain(code);
    withKey(identity, () => ({ publicPem: newKeyPair().publicPem }));
    expect(await reasons()).toContain(code);
    world.keyring = { keys: trusted.keys.filter((key) => key.identity !== identity) };
    expect(await reasons()).toContain(code);
    world.keyring = trusted;
    expect(await reasons()).toEqual([]);
  },
);

test("a verdict that was relied on refuses when it has expired, and so do approvals", async () => {
  const before = world.clock.nowEpochMs;
  expect(await reasons()).toEqual([]);
  world.clock.nowEpochMs = before + DAY_MS;
  expect(await reasons()).toEqual(expect.arrayContaining(["VERDICT_EXPIRED", "APPROVALS_MISSING"]));
  // Neither refusal is remembered; that the clock went back is one of its own.
  world.clock.nowEpochMs = before;
  expect(await reasons()).toEqual(["CLOCK_UNSOUND"]);
});

test("a bundle that opened before does not open once a byte of it was changed", () => {
  const bundle = world.submission(plan).bundle;
  const asked = { keyring: trusted, role: "canary", at: world.clock.epochMs(), ...VERDICT } as const;
  expect(openDocument(bundle, asked).kind).toBe("opened");
  fc.assert(
    fc.property(fc.nat(bundle.length - 2), fc.constantFrom("A", "B", "0", "1", "=", " ", '"'), (at, other) => {
      fc.pre(bundle[at] !== other);
      const changed = bundle.slice(0, at) + other + bundle.slice(at + 1);
      const opened = openDocument(changed, asked);
      // White space between members is the one thing that may differ: it is not what was signed.
      return opened.kind === "refused" || JSON.stringify(JSON.parse(changed)) === JSON.stringify(JSON.parse(bundle));
    }),
    { numRuns: 300 },
  );
  expect(openDocument(bundle, asked).kind).toBe("opened");
});

test("a signature of one plan that was opened before does not sign another", () => {
  const other = world.plan(2);
  const at = world.clock.epochMs();
  const verify = (bundleText: string, of: SignedPlan) =>
    verifyPlanSignature({ bundleText, plan: of, keyring: trusted, at });
  expect(verify(plan.signature, plan).kind).toBe("signed");
  expect(verify(plan.signature, other)).toMatchObject({ kind: "refused", code: "OTHER_PLAN" });
  expect(verify(plan.signature, plan).kind).toBe("signed");
});

test("a bundle that was opened as one kind of document is no other kind", () => {
  const { bundle } = world.submission(plan);
  const at = world.clock.epochMs();
  expect(openDocument(bundle, { keyring: trusted, role: "canary", at, ...VERDICT }).kind).toBe("opened");
  // As an agent's key, so that nothing but what it says stands in the way.
  const asAgent = {
    keys: trusted.keys.map((key) => (key.role === "canary" ? { ...key, role: "agent" as const } : key)),
  };
  expect(verifyPlanSignature({ bundleText: bundle, plan, keyring: asAgent, at })).toMatchObject({
    kind: "refused",
    code: "STATEMENT_INVALID",
  });
});

test("nobody can change what others will read of a document", () => {
  const asked = { keyring: trusted, role: "canary", at: world.clock.epochMs(), ...VERDICT } as const;
  const { bundle } = world.submission(plan);
  const first = openDocument(bundle, asked);
  expect(first.kind).toBe("opened");
  if (first.kind !== "opened") return;
  expect(() => Object.assign(first.statement.predicate, { verdict: "reject" })).toThrow(TypeError);
  expect(() => Object.assign(first.statement.subject, { 0: null })).toThrow(TypeError);
});

test("a key whose text was read before is not trusted under another name", () => {
  const [first, second] = trusted.keys;
  const swapped = { keys: [{ ...first, keyId: second?.keyId ?? "" }] as GateWorld["keyring"]["keys"] };
  const asked = { keyId: second?.keyId ?? "", role: first?.role ?? "agent", at: 0 } as const;
  expect(findKey(swapped, asked)).toMatchObject({ kind: "refused", code: "KEY_UNREADABLE" });
});
