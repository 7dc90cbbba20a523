import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { PasskeysSchema } from "../../src/gate/approvals-page/passkeys.ts";
import type { AskPolicy } from "../../src/gate/gate-context.ts";
import { allowing, gateWorld } from "./gate-world.ts";
import { ENVIRONMENT } from "./promotion-builder.ts";
import { type Misbehaviour, softwareAuthenticator } from "./software-authenticator.ts";

const PAGE = "https://gate.example";

/** A gate with a page, a plan of tier 3 that two people must approve, and two people with passkeys. */
async function opened() {
  const world = await gateWorld();
  const gate = await world.serve({ parts: { passkeys: { origin: PAGE, passkeys: () => world.passkeys } } });
  const [ada, grace] = [softwareAuthenticator("ada", PAGE), softwareAuthenticator("grace", PAGE)];
  world.passkeys = [ada.passkey, grace.passkey];
  world.policy = allowing(2);
  const plan = world.plan(1);
  const { json } = await gate.ask("/v1/verdicts", { body: world.submission(plan, 3), as: "ci" });
  await gate.ask("/v1/drills", { body: { bundle: world.drill() }, as: "ci" });
  const about = { purpose: "approve", plan: plan.sha256, verdict: json.digest, environment: ENVIRONMENT.id };
  const challenge = async (changes: object = {}) =>
    (await gate.ask("/v1/passkeys/challenge", { body: { ...about, ...changes } })).json;
  const approve = async (who: typeof ada, wrong: Misbehaviour = {}, changes: object = {}) => {
    const asked = await challenge();
    const assertion = who.answer(asked.challenge, wrong);
    return await gate.ask("/v1/passkeys/approve", { body: { words: { ...asked.words, ...changes }, assertion } });
  };
  const missing = async (): Promise<boolean> => {
    const change = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };
    const body = { plan: plan.sha256, environment: ENVIRONMENT.id, change };
    return (await gate.ask("/v1/promotions/check", { body, as: "ci" })).status !== 200;
  };
  return {
    world,
    gate,
    ada,
    grace,
    plan,
    challenge,
    approve,
    missing,
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

test("two people approve with their passkeys, and the plan is admitted", async () => {
  await using it = await opened();
  expect(await it.missing()).toBe(true);
  expect(await it.approve(it.ada)).toMatchObject({ status: 200, json: { person: "ada" } });
  expect(await it.approve(it.ada)).toMatchObject({ status: 200 });
  expect(await it.missing()).toBe(true);
  expect((await it.approve(it.grace)).status).toBe(200);
  expect(await it.missing()).toBe(false);
});

test("an answer that is not this passkey's, page's, plan's or person's own does not count", async () => {
  await using it = await opened();
  const stranger = softwareAuthenticator("ada", PAGE);
  const refused = [
    await it.approve(stranger),
    await it.approve({
      ...stranger,
      answer: (challenge) => ({ ...stranger.answer(challenge), id: it.ada.passkey.id, rawId: it.ada.passkey.id }),
    }),
    await it.approve(it.ada, { origin: "https://gate.example.evil" }),
    await it.approve(it.ada, { host: "evil.example" }),
    await it.approve(it.ada, { flags: 0x01 }),
    await it.approve(it.ada, { flags: 0x00 }),
    await it.approve(it.ada, { type: "webauthn.create" }),
    await it.approve(it.ada, { challenge: "AAAA" }),
    await it.approve(it.ada, {}, { plan: it.world.plan(2).sha256 }),
    await it.approve(it.ada, {}, { environment: "production/other" }),
    await it.approve(it.ada, {}, { verdict: "0".repeat(64) }),
    await it.approve(it.ada, {}, { untilEpochMs: it.world.clock.nowEpochMs + 1_000_000 }),
  ];
  expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 422));
  it.world.passkeys = [it.grace.passkey];
  expect((await it.approve(it.ada)).status).toBe(422);
});

test("an answer counts once, and not when the page was open for too long", async () => {
  await using it = await opened();
  const { words, challenge } = await it.challenge();
  const body = { words, assertion: it.ada.answer(challenge) };
  expect((await it.gate.ask("/v1/passkeys/approve", { body })).status).toBe(200);
  expect((await it.gate.ask("/v1/passkeys/approve", { body })).status).toBe(422);
  const late = await it.challenge();
  it.world.clock.nowEpochMs += 600_000;
  const answer = { words: late.words, assertion: it.grace.answer(late.challenge) };
  expect((await it.gate.ask("/v1/passkeys/approve", { body: answer })).status).toBe(422);
});

test("a passkey that is taken out approves nothing any more, also what it has approved", async () => {
  await using it = await opened();
  await it.approve(it.ada);
  await it.approve(it.grace);
  expect(await it.missing()).toBe(false);
  it.world.passkeys = [it.ada.passkey];
  expect(await it.missing()).toBe(true);
  it.world.passkeys = [it.ada.passkey, { ...it.grace.passkey, identity: "mallory" }];
  expect(await it.missing()).toBe(true);
});

test("the page shows plan, verdict and what is missing, as text, and allows nothing from elsewhere", async () => {
  await using it = await opened();
  await it.approve(it.ada);
  const { status, text, headers } = await it.gate.ask(`/approvals/plans/${it.plan.sha256}`);
  expect(status).toBe(200);
  for (const words of [
    "scale-batch-workers",
    "Scale worker from 1 to 3",
    "PROMOTE",
    "ALL_SHOWN",
    "WAITS FOR APPROVAL",
    "1 of 2: ada",
    "1 more person has to approve, strongly authenticated.",
  ]) {
    expect(text).toContain(words);
  }
  const policy = headers.get("content-security-policy") ?? "";
  for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"])
    expect(policy).toContain(rule);
  expect(text).not.toMatch(/<script(?! src="\/approvals\/page\.js")/);
  expect((await it.gate.ask(`/approvals/plans/${"0".repeat(64)}`)).status).toBe(404);
  expect((await it.gate.ask("/approvals/page.js")).headers.get("content-type")).toMatch(/^text\/javascript/);
});

test("what only people can change and what no approval helps against are told apart", async () => {
  await using it = await opened();
  const page = async (): Promise<string> => (await it.gate.ask(`/approvals/plans/${it.plan.sha256}`)).text;
  const tooFew = {
    rule: "approvals-missing",
    message: "0 of 2 people have approved the plan",
    remedy: "approve it",
  };
  const frozen = { rule: "change-freeze", message: "production is frozen until Monday", remedy: "wait" };
  const asked: { reasons: readonly (typeof frozen)[] } = { reasons: [] };
  const askPolicy: AskPolicy = async ({ approvals }) => {
    const reasons = [...(approvals.people.length < 2 ? [tooFew] : []), ...asked.reasons];
    const answer = allowing(2);
    return answer.kind === "answer" ? { ...answer, allow: reasons.length === 0, reasons } : answer;
  };
  Object.assign(it.world.sources, { askPolicy });
  expect(await page()).toContain("WAITS FOR APPROVAL");
  expect(await page()).not.toContain(tooFew.message);
  asked.reasons = [frozen];
  const blocked = await page();
  expect(blocked).toContain("BLOCKED");
  expect(blocked).toContain(frozen.message);
  expect(blocked).not.toContain(tooFew.message);
  // It will pass, so that people may agree meanwhile.
  expect(blocked).toContain("Approve with a passkey");
  await it.approve(it.ada);
  await it.approve(it.grace);
  expect(await page()).toContain("BLOCKED");
  asked.reasons = [];
  expect(await page()).toContain(">APPROVED<");
  expect(await it.missing()).toBe(false);
});

test("a verdict that has been used up, or a plan that was taken back, leaves nothing to approve", async () => {
  await using it = await opened();
  const page = async (): Promise<string> => (await it.gate.ask(`/approvals/plans/${it.plan.sha256}`)).text;
  await it.approve(it.ada);
  await it.approve(it.grace);
  const change = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };
  const body = { plan: it.plan.sha256, environment: ENVIRONMENT.id, change };
  const headers = { "idempotency-key": "a" };
  expect((await it.gate.ask("/v1/promotions", { body, headers, as: "deployer" })).status).toBe(200);
  const used = await page();
  expect(used).toContain("VERDICT_USED");
  expect(used).not.toContain("<button");
  await it.gate.ask("/v1/kill-switch", {
    body: { bundle: it.world.order(true, `sha256:${it.plan.sha256}`) },
    as: "any",
  });
  expect(await page()).toContain("REVOKED");
});

test("words that an agent wrote stay words on the page", async () => {
  await using it = await opened();
  const plan = it.world.plan(7, (document) => {
    document["intent"] = "<img src=x onerror=alert(1)>\u202e";
  });
  await it.gate.ask("/v1/verdicts", { body: it.world.submission(plan, 3), as: "ci" });
  const { text } = await it.gate.ask(`/approvals/plans/${plan.sha256}`);
  expect(text).toContain("&lt;img src=x onerror=alert(1)&gt;");
  expect(text).not.toContain("<img");
  expect(text).not.toContain("\u202e");
});

test("a new passkey gives lines that the operator's file takes, and counts only once it stands there", async () => {
  await using it = await opened();
  const linus = softwareAuthenticator("linus@example.com", PAGE);
  const { json: asked } = await it.gate.ask("/v1/passkeys/challenge", {
    body: { purpose: "enrol", identity: "linus@example.com" },
  });
  const body = { words: asked.words, attestation: linus.attestation(asked.challenge) };
  const { status, json } = await it.gate.ask("/v1/passkeys/enrol", { body });
  expect(status).toBe(200);
  expect(json.lines).toMatch(/^ {2}- \{/);
  const entry = JSON.parse(json.lines.replace("  - ", ""));
  expect(PasskeysSchema.parse({ schema: "canary.passkeys/v1", passkeys: [entry] }).passkeys).toEqual([linus.passkey]);
  expect((await it.approve(linus)).status).toBe(422);
  const other = { ...body, words: { ...asked.words, identity: "ada" } };
  expect((await it.gate.ask("/v1/passkeys/enrol", { body: other })).status).toBe(422);
});

test("an approval that was written into the ledger without its passkey's signature does not count, whoever wrote it", async () => {
  await using it = await opened();
  await it.approve(it.grace);
  const { ledger, clock } = it.world;
  const at = new Date(clock.nowEpochMs).toISOString();
  const { words, challenge } = await it.challenge();
  const write = async (nonce: string, assertion: object, changes: object = {}) => {
    const answer = JSON.stringify({ words, assertion });
    const body = {
      schema: "canary.gate-held-approval/v1",
      person: "ada",
      credential: it.ada.passkey.id,
      shownBy: "passkey",
      plan: words.plan,
      environment: words.environment,
      verdict: words.verdict,
      expiresAt: new Date(clock.nowEpochMs + 86_400_000).toISOString(),
      nonce,
      answer: createHash("sha256").update(answer).digest("hex"),
      ...changes,
    };
    await ledger.append([{ kind: "approval", at, body, about: [words.plan] }], { documents: [Buffer.from(answer)] });
  };
  const { id } = it.ada.passkey;
  const own = it.ada.answer(challenge);
  await write(words.nonce, { ...it.grace.answer(challenge), id, rawId: id });
  await write(words.nonce, it.ada.answer(challenge, { challenge: "AAAA" }));
  await write(words.nonce, it.ada.answer(challenge, { origin: "https://evil.gate.example" }));
  await write(words.nonce, it.ada.answer(challenge, { flags: 0x01 }));
  await write(words.nonce, own, { expiresAt: new Date(clock.nowEpochMs + 7 * 86_400_000).toISOString() });
  await write("0".repeat(32), own);
  expect(await it.missing()).toBe(true);
  await write(words.nonce, own);
  expect(await it.missing()).toBe(false);
});
