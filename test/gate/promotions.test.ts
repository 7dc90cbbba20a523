import { expect, test } from "vitest";
import type { PolicyEvidence } from "../../src/gate/evidence.ts";
import { decisionOf } from "../../src/gate/promote.ts";
import { publishVerdict } from "../../src/gate/publish.ts";
import { VERDICT_INPUT } from "../attest/verdict-builder.ts";
import { allowing, gateWorld, type SignedPlan } from "./gate-world.ts";
import { DAY_MS } from "./promotion-builder.ts";

const CHANGE = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };
const ENVIRONMENT = "production/eu-west";

/** The rehearsal saw a row change too, which no step gives a value of. */
const ROW = { path: "db/db/shop/rows/jobs/1", kind: "removed", before: "1" } as const;
const QUIET = {
  ...VERDICT_INPUT.quiet,
  actions: VERDICT_INPUT.quiet.actions.map((action) => ({ ...action, effects: [...action.effects, ROW] })),
};

/** A world with one published promotion, and a gate that serves it. */
async function published() {
  const world = await gateWorld();
  const gate = await world.serve();
  const plan = world.plan(1);
  const submission = world.submission(plan, 2, { quiet: QUIET });
  const { status, json } = await gate.ask("/v1/verdicts", { body: submission, as: "ci" });
  expect(status).toBe(201);
  const body = { plan: `sha256:${plan.sha256}`, environment: ENVIRONMENT, change: CHANGE };
  const promote = (key: string, changes: object = {}) =>
    gate.ask("/v1/promotions", { body: { ...body, ...changes }, as: "deployer", headers: { "idempotency-key": key } });
  return {
    world,
    gate,
    plan: plan as SignedPlan,
    submission,
    verdict: String(json.digest),
    body,
    promote,
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

test("a verdict that was published admits one promotion; the same request again gets the same answer, another is refused", async () => {
  await using it = await published();
  const first = await it.promote("a");
  expect(first).toMatchObject({ status: 200, json: { decision: "admit", verdict: it.verdict, isRetry: false } });
  const again = await it.promote("a");
  expect(again).toMatchObject({ status: 200, json: { ...first.json, isRetry: true } });
  expect(await it.promote("b")).toMatchObject({ status: 403, json: { reasons: [{ code: "VERDICT_USED" }] } });
});

test("an answer is given again only as long as its token is good: later the same key is another promotion", async () => {
  await using it = await published();
  const first = await it.promote("a");
  it.world.clock.nowEpochMs = Date.parse(first.json.tokenExpiresAt) - 1;
  expect(await it.promote("a")).toMatchObject({ status: 200, json: { id: first.json.id, isRetry: true } });
  it.world.clock.nowEpochMs += 1;
  expect(await it.promote("a")).toMatchObject({ status: 403, json: { reasons: [{ code: "VERDICT_USED" }] } });
});

test("a retry that shows another change is refused", async () => {
  await using it = await published();
  await it.promote("a");
  const other = await it.promote("a", {
    change: { kind: "resources", resources: [{ path: "db/db/shop/rows/jobs/1", to: null }] },
  });
  expect(other).toMatchObject({ status: 503, json: { decision: "refuse", token: null } });
});

test("a check with the key of an admitted promotion is told what that promotion would be told: another change is refused", async () => {
  await using it = await published();
  await it.promote("a");
  const check = (change: object | undefined) =>
    it.gate.ask("/v1/promotions/check", {
      body: { plan: it.body.plan, environment: ENVIRONMENT, ...(change === undefined ? {} : { change }) },
      as: "deployer",
      headers: { "idempotency-key": "a" },
    });
  expect(await check(CHANGE)).toMatchObject({ status: 200, json: { decision: "admit", id: null, token: null } });
  expect(await check(undefined)).toMatchObject({ status: 503, json: { decision: "refuse" } });
  const other = { kind: "resources", resources: [{ path: "db/db/shop/rows/jobs/1", to: null }] };
  expect(await check(other)).toMatchObject({ status: 503, json: { decision: "refuse" } });
});

test("of many that ask at once, one is admitted", async () => {
  await using it = await published();
  const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => it.promote(`key-${index}`)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 403)).toHaveLength(39);
});

test("a check says the same as a promotion would, and uses nothing up", async () => {
  await using it = await published();
  const before = (await it.world.ledger.head()).size;
  for (let times = 0; times < 3; times++) {
    const checked = await it.gate.ask("/v1/promotions/check", { body: it.body, as: "ci" });
    expect(checked).toMatchObject({ status: 200, json: { decision: "admit", id: null, token: null } });
  }
  expect((await it.world.ledger.head()).size).toBe(before);
  expect((await it.promote("a")).status).toBe(200);
});

test("the ledger proves a decision by its id, also one that refuses", async () => {
  await using it = await published();
  const admitted = (await it.promote("a")).json;
  const refused = (await it.promote("b")).json;
  for (const { id, decision } of [admitted, refused]) {
    const { status, json } = await it.gate.ask(`/v1/decisions/${id}`, { as: "ci" });
    expect(status).toBe(200);
    expect(json).toMatchObject({ id, decision: { answer: decision, plan: it.plan.sha256, caller: "deployer" } });
    expect(json.proof).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex \d+\n/);
  }
  for (const id of ["0", "999", "-1", "01", "1e3", "x"]) {
    expect((await it.gate.ask(`/v1/decisions/${id}`, { as: "ci" })).status).toBe(404);
  }
});

test("the token of an admission lets act once, with the admitted change, while nobody has stopped it", async () => {
  await using it = await published();
  const { token } = (await it.promote("a")).json;
  const use = (body: object) => it.gate.ask("/v1/tokens/use", { body, as: "deployer" });
  expect(await use({ token: `canary_${"A".repeat(43)}`, change: CHANGE })).toMatchObject({ status: 403 });
  expect(await use({ token })).toMatchObject({ status: 403, json: { go: false } });
  expect(await use({ token, change: CHANGE })).toMatchObject({ status: 200, json: { go: true, plan: it.plan.sha256 } });
  expect(await use({ token, change: CHANGE })).toMatchObject({ status: 403 });
});

test("a token is no good after its time, or once promotions are stopped", async () => {
  await using it = await published();
  const { token } = (await it.promote("a")).json;
  const use = () => it.gate.ask("/v1/tokens/use", { body: { token, change: CHANGE }, as: "deployer" });
  const stop = (isEngaged: boolean) =>
    it.gate.ask("/v1/kill-switch", { body: { bundle: it.world.order(isEngaged) }, as: "operator" });
  expect((await stop(true)).status).toBe(200);
  expect(await use()).toMatchObject({ status: 403, json: { reasons: [{ code: "KILL_SWITCH_ENGAGED" }] } });
  it.world.clock.nowEpochMs += 1;
  expect((await stop(false)).status).toBe(200);
  it.world.clock.nowEpochMs += 600_000;
  expect((await use()).status).toBe(403);
});

test("of one token that many use at once, one goes", async () => {
  await using it = await published();
  const { token } = (await it.promote("a")).json;
  const uses = await Promise.all(
    Array.from({ length: 20 }, () =>
      it.gate.ask("/v1/tokens/use", { body: { token, change: CHANGE }, as: "deployer" }),
    ),
  );
  expect(uses.filter(({ status }) => status === 200)).toHaveLength(1);
});

test("an operator stops promotions everywhere, in one environment, of one plan or by one verdict, and lets them go on", async () => {
  await using it = await published();
  const order = (isEngaged: boolean, scope: string) =>
    it.gate.ask("/v1/kill-switch", { body: { bundle: it.world.order(isEngaged, scope) }, as: "operator" });
  const check = () => it.gate.ask("/v1/promotions/check", { body: it.body, as: "ci" });
  const scopes = {
    "*": "KILL_SWITCH_ENGAGED",
    [ENVIRONMENT]: "KILL_SWITCH_ENGAGED",
    [`sha256:${it.plan.sha256}`]: "REVOKED",
    [`sha256:${it.verdict}`]: "REVOKED",
  };
  for (const [scope, code] of Object.entries(scopes)) {
    expect((await order(true, scope)).status).toBe(200);
    expect(await check()).toMatchObject({ status: 403, json: { reasons: [{ code }] } });
    it.world.clock.nowEpochMs += 1;
    expect((await order(false, scope)).status).toBe(200);
    expect((await check()).status).toBe(200);
  }
});

test("the kill switch takes no order that is another's, old, from the future or sent again", async () => {
  await using it = await published();
  const { world } = it;
  const send = (bundle: string, as = "operator") => it.gate.ask("/v1/kill-switch", { body: { bundle }, as });
  const now = world.clock.nowEpochMs;
  const operator = world.key("olga", "operator");
  expect((await send(world.order(false, "*", world.key("ada", "approver")))).status).toBe(422);
  expect((await send(world.order(false, "*", world.key("harness", "canary")))).status).toBe(422);
  expect((await send(world.order(false, "*", operator, now - 300_001))).status).toBe(422);
  expect((await send(world.order(false, "*", operator, now + 60_001))).status).toBe(422);
  expect((await send(world.order(true), "ci")).status).toBe(403);
  const release = world.order(false);
  expect((await send(release)).status).toBe(200);
  const stop = world.order(true);
  expect((await send(stop)).status).toBe(200);
  expect((await send(stop)).status).toBe(409);
  expect((await send(release)).status).toBe(422);
  expect((await send(world.order(false, "*", operator, now - 1))).status).toBe(422);
  expect((await it.gate.ask("/v1/promotions/check", { body: it.body, as: "ci" })).status).toBe(403);
});

test("tier 3 is promoted once two people have approved and the scenario was drilled", async () => {
  await using world = await gateWorld();
  await using gate = await world.serve();
  world.policy = allowing(2);
  const plan = world.plan(1);
  await gate.ask("/v1/verdicts", { body: world.submission(plan, 3), as: "ci" });
  const body = { plan: plan.sha256, environment: ENVIRONMENT, change: CHANGE };
  const codes = async (): Promise<readonly string[]> => {
    const { json } = await gate.ask("/v1/promotions/check", { body, as: "ci" });
    return json.reasons.map(({ code }: { code: string }) => code);
  };
  const approve = (bundle: string) => gate.ask("/v1/approvals", { body: { bundle }, as: "ci" });
  expect(await codes()).toEqual(["APPROVALS_MISSING", "DRILL_STALE"]);
  expect((await gate.ask("/v1/drills", { body: { bundle: world.drill() }, as: "ci" })).status).toBe(201);
  expect((await approve(world.approval("ada", plan))).status).toBe(201);
  expect((await approve(world.approval("ada", plan))).status).toBe(201);
  expect(await codes()).toEqual(["APPROVALS_MISSING"]);
  expect((await approve(world.approval("grace", world.plan(2)))).status).toBe(201);
  expect((await approve(world.approval("grace", plan, { environment: "staging/eu-west" }))).status).toBe(201);
  expect(await codes()).toEqual(["APPROVALS_MISSING"]);
  expect((await approve(world.approval("grace", plan))).status).toBe(201);
  expect(await codes()).toEqual([]);
  world.clock.nowEpochMs += DAY_MS;
  expect(await codes()).toContain("APPROVALS_MISSING");
});

test("what is published must be signed by the right keys, about this plan, and comes in once", async () => {
  await using it = await published();
  const { world, gate, submission } = it;
  const publish = async (changes: Partial<typeof submission>) =>
    (await gate.ask("/v1/verdicts", { body: { ...submission, ...changes }, as: "ci" })).status;
  expect(await publish({})).toBe(200);
  const other = world.plan(2);
  expect(await publish({ plan: other.text, planSignature: other.signature })).toBe(422);
  expect(await publish({ plan: `${submission.plan} ` })).toBe(422);
  expect(await publish({ planSignature: other.signature })).toBe(422);
  expect(await publish({ planSignature: submission.bundle })).toBe(422);
  expect(await publish({ bundle: submission.planSignature })).toBe(422);
  expect(await publish({ bundle: submission.bundle.replace(/"sig":"..../, '"sig":"AAAA') })).toBe(422);
  expect(await publish({ plan: "not a plan" })).toBe(422);
  const untrusted = { keys: world.keyring.keys.filter(({ role }) => role !== "canary") };
  world.keyring = untrusted;
  expect(await publish({})).toBe(422);
});

test("another spelling of a verdict's envelope is the same verdict", async () => {
  await using it = await published();
  expect((await it.promote("a")).status).toBe(200);
  const bundle = JSON.parse(it.submission.bundle);
  bundle.dsseEnvelope.payload = bundle.dsseEnvelope.payload
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
  const respelled = { ...it.submission, bundle: JSON.stringify(bundle, null, 1) };
  expect((await it.gate.ask("/v1/verdicts", { body: respelled, as: "ci" })).status).toBe(200);
  expect(await it.promote("b")).toMatchObject({ status: 403, json: { reasons: [{ code: "VERDICT_USED" }] } });
});

test("a key that is revoked after its verdict was published admits nothing", async () => {
  await using it = await published();
  const { world } = it;
  const revoked = { atEpochMs: world.clock.nowEpochMs, reason: "stolen" };
  world.keyring = { keys: world.keyring.keys.map((key) => (key.role === "canary" ? { ...key, revoked } : key)) };
  expect(await it.promote("a")).toMatchObject({
    status: 403,
    json: { reasons: [{ code: "VERDICT_SIGNER_NOT_TRUSTED" }] },
  });
  world.keyring = { keys: world.keyring.keys.map((key) => (key.role === "agent" ? { ...key, revoked } : key)) };
  const { json } = await it.promote("a");
  expect(json.reasons.map(({ code }: { code: string }) => code)).toEqual([
    "PLAN_UNSIGNED",
    "VERDICT_SIGNER_NOT_TRUSTED",
  ]);
});

test("a later rejection is known and outweighs the promotion", async () => {
  await using it = await published();
  const later = it.world.clock.nowEpochMs;
  const rejected = it.world.submission(it.plan, 2, {
    verdict: { kind: "reject", reasons: [{ code: "WORK_SHRANK", message: "it serves less" }] },
    finishedEpochMs: later,
  });
  expect((await it.gate.ask("/v1/verdicts", { body: rejected, as: "ci" })).status).toBe(201);
  expect(await it.promote("a")).toMatchObject({ status: 403, json: { reasons: [{ code: "VERDICT_NOT_PROMOTE" }] } });
});

test("callers promote in their own environments, and only what they may", async () => {
  await using it = await published();
  const headers = { "idempotency-key": "a" };
  expect(await it.gate.ask("/v1/promotions", { body: it.body, as: "staging", headers })).toMatchObject({
    status: 403,
    json: { reasons: [{ code: "CALLER_NOT_ALLOWED" }] },
  });
  expect((await it.gate.ask("/v1/promotions", { body: it.body, as: "ci", headers })).status).toBe(403);
  expect((await it.gate.ask("/v1/promotions", { body: it.body, headers })).status).toBe(401);
  expect((await it.gate.ask("/v1/promotions", { body: it.body, as: "nobody", headers })).status).toBe(401);
  expect((await it.gate.ask("/v1/promotions", { body: it.body, as: "deployer" })).status).toBe(400);
});

test("what is recorded of a decision can be read again by whoever audits the ledger", async () => {
  await using it = await published();
  const { id } = (await it.promote("a")).json;
  const entry = await it.world.ledger.entry(Number(id));
  expect(entry === undefined ? undefined : decisionOf(entry)).toMatchObject({
    answer: "admit",
    adapter: "promotions",
    environment: ENVIRONMENT,
    verdict: it.verdict,
    agent: "agent-7",
    tier: 2,
    changed: ["service/worker/replicas"],
  });
  expect(JSON.stringify(entry)).not.toContain("canary_");
});

test("whoever listens is told of admissions, refusals, verdicts and the kill switch", async () => {
  await using it = await published();
  await it.promote("a");
  await it.promote("b");
  await it.gate.ask("/v1/kill-switch", { body: { bundle: it.world.order(true) }, as: "operator" });
  expect(it.world.told.map(({ type }) => type)).toEqual([
    "canary.verdict.published",
    "canary.gate.admitted",
    "canary.gate.refused",
    "canary.gate.kill-switch",
  ]);
  expect(JSON.stringify(it.world.told)).not.toContain("canary_");
});

/** A world whose policy can be made to wait: `reached` when it is asked, `go` lets it answer. */
async function waitingPolicy() {
  const [reached, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let waits = false;
  const world = await gateWorld({
    askPolicy: async () => {
      if (waits) {
        reached.resolve();
        await go.promise;
      }
      return allowing();
    },
  });
  const gate = await world.serve();
  const plan = world.plan(1);
  await gate.ask("/v1/verdicts", { body: world.submission(plan), as: "ci" });
  const body = { plan: plan.sha256, environment: ENVIRONMENT, change: CHANGE };
  const promote = () => gate.ask("/v1/promotions", { body, as: "deployer", headers: { "idempotency-key": "a" } });
  const hold = (): void => {
    waits = true;
  };
  return {
    world,
    gate,
    plan,
    promote,
    hold,
    reached: reached.promise,
    go: go.resolve,
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

test.each(["*", ENVIRONMENT, "plan"])(
  "a kill order for %s that is recorded while a promotion is decided stops it",
  async (scope) => {
    await using it = await waitingPolicy();
    it.hold();
    const promoted = it.promote();
    await it.reached;
    const bundle = it.world.order(true, scope === "plan" ? `sha256:${it.plan.sha256}` : scope);
    expect((await it.gate.ask("/v1/kill-switch", { body: { bundle }, as: "operator" })).status).toBe(200);
    it.go();
    const code = scope === "plan" ? "REVOKED" : "KILL_SWITCH_ENGAGED";
    expect(await promoted).toMatchObject({ status: 403, json: { reasons: [{ code }] } });
  },
);

test("a rejection that is published while a promotion is decided outweighs it", async () => {
  await using it = await waitingPolicy();
  it.hold();
  const promoted = it.promote();
  await it.reached;
  const rejected = it.world.submission(it.plan, 2, {
    verdict: { kind: "reject", reasons: [{ code: "WORK_SHRANK", message: "it serves less" }] },
    finishedEpochMs: it.world.clock.nowEpochMs,
  });
  expect((await it.gate.ask("/v1/verdicts", { body: rejected, as: "ci" })).status).toBe(201);
  it.go();
  expect(await promoted).toMatchObject({ status: 403, json: { reasons: [{ code: "VERDICT_NOT_PROMOTE" }] } });
});

test("a kill order that is recorded while a token is used stops its bearer", async () => {
  await using it = await waitingPolicy();
  const { token } = (await it.promote()).json;
  it.hold();
  const used = it.gate.ask("/v1/tokens/use", { body: { token, change: CHANGE }, as: "deployer" });
  await it.reached;
  expect(
    (await it.gate.ask("/v1/kill-switch", { body: { bundle: it.world.order(true) }, as: "operator" })).status,
  ).toBe(200);
  it.go();
  expect(await used).toMatchObject({ status: 403, json: { go: false } });
});

test("of many that are asked for at once no more are admitted than policy allows", async () => {
  await using world = await gateWorld({
    askPolicy: async ({ past }) => ({ ...allowing(), allow: past.length < 3 }) as PolicyEvidence,
  });
  const plans = Array.from({ length: 12 }, (_, number) => world.plan(number));
  for (const plan of plans) await publishVerdict(world.submission(plan), "ci", world.sources);
  const answers = await Promise.all(
    plans.map((plan) =>
      world.service.answer({
        adapter: "promotions",
        mode: "promote",
        request: {
          plan: plan.sha256,
          environment: ENVIRONMENT,
          caller: { name: "deployer", environments: ["production/*"] },
          change: { kind: "shown", resources: [{ path: "service/worker/replicas", to: 3 }] },
          key: plan.sha256,
        },
      }),
    ),
  );
  expect(answers.filter(({ decision }) => decision.kind === "admit")).toHaveLength(3);
  const codes = answers.flatMap(({ decision }) =>
    decision.kind === "admit" ? [] : decision.reasons.map(({ code }) => code),
  );
  expect(new Set(codes)).toEqual(new Set(["POLICY_REFUSED"]));
});

test("the last promotion that policy allows is not refused its retry and its token for having been admitted itself", async () => {
  await using world = await gateWorld({
    askPolicy: async ({ past }) => ({ ...allowing(), allow: past.length < 1 }) as PolicyEvidence,
  });
  await using gate = await world.serve();
  const [one, other] = [world.plan(1), world.plan(2)];
  for (const plan of [one, other]) await publishVerdict(world.submission(plan), "ci", world.sources);
  const promote = ({ sha256 }: SignedPlan) => {
    const body = { plan: sha256, environment: ENVIRONMENT, change: CHANGE };
    return gate.ask("/v1/promotions", { body, as: "deployer", headers: { "idempotency-key": sha256 } });
  };
  const first = await promote(one);
  expect(first.status).toBe(200);
  expect(await promote(other)).toMatchObject({ status: 403, json: { reasons: [{ code: "POLICY_REFUSED" }] } });
  expect(await promote(one)).toMatchObject({ status: 200, json: { id: first.json.id, isRetry: true } });
  const body = { token: first.json.token, change: CHANGE };
  expect((await gate.ask("/v1/tokens/use", { body, as: "deployer" })).status).toBe(200);
});
