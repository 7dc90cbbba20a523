import { expect, test } from "vitest";
import { signApproval } from "../../src/attest/approval-statement.ts";
import { signRunbook } from "../../src/attest/runbook-statement.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import { parseRunbook } from "../../src/runbook/runbook.ts";
import { ENVELOPE_ATTACKS } from "../attest/envelope-attacks.ts";
import { signVsa } from "../attest/foreign-statements.ts";
import { resigned, type Signer } from "../support/signers.ts";
import { allowing, type GateWorld, gateWorld, type ServedGate, type SignedPlan } from "./gate-world.ts";
import { DAY_MS } from "./promotion-builder.ts";

// Evidence that somebody forged, bent or borrowed, brought to a gate that listens by a caller who may publish.

const CHANGE = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };

interface Attacked extends AsyncDisposable {
  readonly world: GateWorld;
  readonly gate: ServedGate;
  readonly plan: SignedPlan;
  readonly send: (path: string, body: object) => Promise<number>;
  /** Codes of what stands against promoting the plan. */
  readonly reasons: (other?: SignedPlan) => Promise<readonly string[]>;
  readonly size: () => Promise<number>;
}

async function attacked(people = 0): Promise<Attacked> {
  const world = await gateWorld();
  const gate = await world.serve();
  world.policy = allowing(people);
  const plan = world.plan(1);
  return {
    world,
    gate,
    plan,
    send: async (path, body) => (await gate.ask(path, { body, as: "ci" })).status,
    reasons: async ({ sha256 } = plan) => {
      const body = { plan: sha256, environment: "production/eu-west", change: CHANGE };
      const headers = { "idempotency-key": sha256 };
      const { json } = await gate.ask("/v1/promotions", { body, as: "deployer", headers });
      return json.decision === "admit" ? [] : json.reasons.map(({ code }: { code: string }) => code);
    },
    size: async () => (await world.ledger.head()).size,
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

/** A key of the world as a signer of a bent envelope. */
const by = ({ world }: Attacked, identity: string, role: Parameters<GateWorld["key"]>[1]): Signer =>
  ({ key: world.key(identity, role) }) as Signer;

test.each(ENVELOPE_ATTACKS)("the gate takes no verdict, no plan and no approval with $name", async ({ bend }) => {
  await using it = await attacked(1);
  const submission = it.world.submission(it.plan);
  const before = await it.size();
  const bundle = bend(submission.bundle, by(it, "harness", "canary"));
  expect(await it.send("/v1/verdicts", { ...submission, bundle })).toBe(422);
  const planSignature = bend(submission.planSignature, by(it, "agent-7", "agent"));
  expect(await it.send("/v1/verdicts", { ...submission, planSignature })).toBe(422);
  expect(await it.size()).toBe(before);
  expect(await it.send("/v1/verdicts", submission)).toBe(201);
  const approval = bend(it.world.approval("ada", it.plan), by(it, "ada", "approver"));
  expect(await it.send("/v1/approvals", { bundle: approval })).toBe(422);
  expect(await it.reasons()).toEqual(["APPROVALS_MISSING"]);
});

const elsewhere = { id: "staging/eu-west", class: "staging" } as const;
test.each<[string, (it: Attacked) => Parameters<GateWorld["submission"]>[2], string]>([
  ["another environment", () => ({ environment: elsewhere }), "VERDICT_OF_ANOTHER_ENVIRONMENT"],
  ["another mirror", () => ({ mirror: { ...mirror(), sha256: sha256Hex("softer") } }), "MIRROR_NOT_ACCEPTED"],
  ["another scenario", () => ({ scenario: { file: "s.yaml", sha256: sha256Hex("softer") } }), "SCENARIO_NOT_ACCEPTED"],
  ["another policy", () => ({ policyInUse: policy(sha256Hex("softer")) }), "POLICY_NOT_ACCEPTED"],
  ["a time that is over", (it) => ({ finishedEpochMs: it.world.clock.nowEpochMs - DAY_MS }), "VERDICT_EXPIRED"],
])("a rightly signed verdict of %s promotes nothing here", async (_, changes, code) => {
  await using it = await attacked();
  expect(await it.send("/v1/verdicts", it.world.submission(it.plan, 2, changes(it)))).toBe(201);
  expect(await it.reasons()).toEqual([code]);
});

test("a rightly signed verdict of another plan is not taken for this one, and its own does not help", async () => {
  await using it = await attacked();
  const [own, other] = [it.world.submission(it.plan), it.world.submission(it.world.plan(2))];
  expect(await it.send("/v1/verdicts", { ...own, bundle: other.bundle })).toBe(422);
  expect(await it.send("/v1/verdicts", other)).toBe(201);
  expect(await it.reasons()).toEqual(["PLAN_UNKNOWN", "VERDICT_MISSING"]);
});

test("a verdict of the future is not taken", async () => {
  await using it = await attacked();
  const finishedEpochMs = it.world.clock.nowEpochMs + DAY_MS;
  expect(await it.send("/v1/verdicts", it.world.submission(it.plan, 2, { finishedEpochMs }))).toBe(422);
  expect(await it.reasons()).toEqual(["PLAN_UNKNOWN", "VERDICT_MISSING"]);
});

test("a summary that was derived from a verdict is none, whoever signed it", async () => {
  await using it = await attacked();
  const submission = it.world.submission(it.plan);
  const before = await it.size();
  for (const role of ["canary", "agent", "approver", "operator"] as const) {
    const bundle = signVsa(it.world.key(`${role}-x`, role));
    expect(await it.send("/v1/verdicts", { ...submission, bundle })).toBe(422);
    expect(await it.send("/v1/approvals", { bundle })).toBe(422);
    expect(await it.send("/v1/drills", { bundle })).toBe(422);
  }
  expect(await it.size()).toBe(before);
});

test.each(["agent", "approver", "operator", "ledger", "runbook-author"] as const)(
  "a key for the role %s signs no verdict, and the key that signs verdicts signs nothing else",
  async (role) => {
    await using it = await attacked(1);
    const submission = it.world.submission(it.plan);
    const untouched = (): void => undefined;
    const bundle = resigned(submission.bundle, it.world.key(`${role}-x`, role), untouched);
    expect(await it.send("/v1/verdicts", { ...submission, bundle })).toBe(422);
    const harness = it.world.key("harness", "canary");
    const planSignature = resigned(submission.planSignature, harness, untouched);
    expect(await it.send("/v1/verdicts", { ...submission, planSignature })).toBe(422);
    const approval = resigned(it.world.approval("ada", it.plan), harness, untouched);
    expect(await it.send("/v1/approvals", { bundle: approval })).toBe(422);
  },
);

test.each<[string, (it: Attacked) => readonly string[]]>([
  ["by who answers for the agent", ({ world, plan }) => [world.approval("grace", plan), world.approval("ada", plan)]],
  ["twice by one person", ({ world, plan }) => [world.approval("ada", plan), world.approval("ada", plan)]],
  ["for another plan", ({ world }) => [world.approval("ada", world.plan(2)), world.approval("ben", world.plan(2))]],
  [
    "for another environment",
    ({ world, plan }) => ["ada", "ben"].map((who) => world.approval(who, plan, { environment: elsewhere.id })),
  ],
  [
    "for another verdict",
    ({ world, plan }) => ["ada", "ben"].map((who) => world.approval(who, plan, { verdictSha256: sha256Hex("other") })),
  ],
  [
    "by the agent, with its key for plans",
    ({ world, plan }) => [
      resigned(world.approval("ben", plan), world.key("agent-7", "agent"), () => undefined),
      world.approval("ada", plan),
    ],
  ],
])("of two approvals that are needed, those %s are not enough", async (_, approvals) => {
  await using it = await attacked(2);
  expect(await it.send("/v1/verdicts", it.world.submission(it.plan))).toBe(201);
  for (const bundle of approvals(it)) await it.send("/v1/approvals", { bundle });
  const { keys } = it.world.keyring;
  it.world.keyring = { keys: keys.map((key) => (key.role === "agent" ? { ...key, owner: "Grace" } : key)) };
  expect(await it.reasons()).toEqual(["APPROVALS_MISSING"]);
});

/** A runbook by an author, its signature by somebody, and a plan that names it. */
function withRunbook({ world }: Attacked, author: string, signer = author) {
  const actions = [{ uses: "scale", with: { service: "worker", replicas: 3 } }];
  const steps = [{ id: "scale", what: "add workers", actions }];
  const runbook = JSON.stringify({ schema: "canary.runbook/v1", name: "backlog", author, steps });
  const read = parseRunbook(runbook, "runbook");
  const runbookSignature = signRunbook(read, world.key(signer, "runbook-author"), world.clock.nowEpochMs);
  const plan = world.plan(7, (document) => {
    document["runbook"] = { name: "backlog", sha256: read.sha256, step: "scale" };
  });
  return { plan, submission: { ...world.submission(plan), runbook, runbookSignature } };
}

test("who wrote the runbook of a plan is none of its approvers", async () => {
  await using it = await attacked(2);
  const { plan, submission } = withRunbook(it, "grace");
  expect(await it.send("/v1/verdicts", submission)).toBe(201);
  for (const who of ["grace", "ada"]) await it.send("/v1/approvals", { bundle: it.world.approval(who, plan) });
  expect(await it.reasons(plan)).toEqual(["APPROVALS_MISSING"]);
  await it.send("/v1/approvals", { bundle: it.world.approval("ben", plan) });
  expect(await it.reasons(plan)).toEqual([]);
});

test("a plan that names a runbook is taken only with it, signed by its author", async () => {
  await using it = await attacked();
  const { plan, submission } = withRunbook(it, "grace");
  const { runbook, runbookSignature, ...bare } = submission;
  const stolen = withRunbook(it, "grace", "mallory").submission.runbookSignature;
  const another = withRunbook(it, "ada").submission;
  const before = await it.size();
  for (const wrong of [
    bare,
    { ...bare, runbook },
    { ...bare, runbookSignature },
    { ...submission, runbookSignature: stolen },
    { ...submission, runbook: `${runbook} ` },
    { ...submission, runbook: another.runbook, runbookSignature: another.runbookSignature },
    { ...submission, runbook: "no runbook" },
    { ...it.world.submission(it.plan), runbook, runbookSignature },
  ]) {
    expect(await it.send("/v1/verdicts", wrong)).toBe(422);
  }
  expect(await it.size()).toBe(before);
  expect(await it.send("/v1/verdicts", submission)).toBe(201);
  const { keys } = it.world.keyring;
  const revoked = { atEpochMs: it.world.clock.nowEpochMs, reason: "stolen" };
  it.world.keyring = { keys: keys.map((key) => (key.role === "runbook-author" ? { ...key, revoked } : key)) };
  expect(await it.reasons(plan)).toEqual(["PLAN_UNSIGNED"]);
});

test("approvals count until they expire or are taken back, and not with a key that was revoked", async () => {
  await using it = await attacked(2);
  const { world, plan } = it;
  await it.send("/v1/verdicts", world.submission(plan));
  const check = async (): Promise<number> => {
    const body = { plan: plan.sha256, environment: "production/eu-west", change: CHANGE };
    return (await it.gate.ask("/v1/promotions/check", { body, as: "ci" })).status;
  };
  const asked = { planSha256: plan.sha256, environment: "production/eu-west", nonce: "0".repeat(32) };
  const now = world.clock.nowEpochMs;
  const short = { ...asked, approvedAtEpochMs: now, expiresAtEpochMs: now + 60_000 };
  await it.send("/v1/approvals", { bundle: signApproval(short, world.key("ada", "approver")) });
  await it.send("/v1/approvals", { bundle: world.approval("grace", plan) });
  expect(await check()).toBe(200);
  const { keys } = world.keyring;
  const revoked = { atEpochMs: now, reason: "stolen" };
  world.keyring = { keys: keys.map((key) => (key.identity === "grace" ? { ...key, revoked } : key)) };
  expect(await check()).toBe(403);
  world.keyring = { keys };
  expect(await check()).toBe(200);
  world.clock.nowEpochMs += 60_000;
  expect(await check()).toBe(403);
});

function mirror() {
  const facts = { isolation: "strict", cores: { kind: "pinned", control: "0", shadow: "1" }, images: {} } as const;
  return { name: "shop", fidelity: [], facts };
}

function policy(sha256: string) {
  return { name: "default", engine: "cedar", sha256 } as const;
}
