import { createHmac, generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { askPolicyEngine } from "../../src/gate/ask-policy.ts";
import type { AskPolicy } from "../../src/gate/gate-context.ts";
import type { GitHubRule } from "../../src/gate/routes/github-routes.ts";
import { type GitHubApp, gitHubClient } from "../../src/gate/webhooks/github-client.ts";
import { ASKING } from "../support/shipped-policy.ts";
import { type GateWorld, gateWorld, tokenOf } from "./gate-world.ts";
import { admissionRequest, CLUSTER, containerOf, type Loose, scaleRequest } from "./kubernetes/admission-builder.ts";
import { ENVIRONMENT } from "./promotion-builder.ts";

/** A world with plan 1 published, and its gate. */
async function published(
  options: {
    readonly changeMustBeShown?: boolean;
    readonly parts?: (world: GateWorld) => object;
    readonly askPolicy?: AskPolicy;
  } = {},
) {
  const { changeMustBeShown = true, askPolicy } = options;
  const environments = [{ ...ENVIRONMENT, changeMustBeShown }];
  const world = await gateWorld({ environments, ...(askPolicy === undefined ? {} : { askPolicy }) });
  const gate = await world.serve({ parts: options.parts?.(world) ?? {} });
  const plan = world.plan(1);
  expect((await gate.ask("/v1/verdicts", { body: world.submission(plan), as: "ci" })).status).toBe(201);
  const annotate = (object: Loose): void => {
    object.metadata.annotations["canary-harness.dev/plan"] = `sha256:${plan.sha256}`;
  };
  const scaled = (
    changes: Parameters<typeof admissionRequest>[1] = {},
    change: (object: Loose) => void = () => undefined,
  ) =>
    admissionRequest((object) => {
      annotate(object);
      object.spec.replicas = 3;
      change(object);
    }, changes);
  const admit = async (request: object, path = `/v1/admission/${tokenOf("apiserver")}`): Promise<Loose> => {
    const body = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request };
    const { status, json } = await gate.ask(path, { body });
    expect(status).toBe(200);
    expect(json).toMatchObject({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" });
    return json.response;
  };
  return {
    world,
    gate,
    plan,
    scaled,
    admit,
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

test("admission lets a rehearsed change through once, and says why it refuses the second time", async () => {
  await using it = await published();
  const first = await it.admit(it.scaled());
  expect(first).toMatchObject({ uid: "705ab4f5-6393-11e8-b7cc-42010a800002", allowed: true });
  expect(first.auditAnnotations.decision).toMatch(/^\d+$/);
  expect("patch" in first).toBe(false);
  const again = it.scaled({ uid: "another" });
  const old: Loose = again.oldObject;
  old.metadata.generation = 6;
  const second = await it.admit(again);
  expect(second).toMatchObject({ uid: "another", allowed: false, status: { code: 403, reason: "Forbidden" } });
  expect(second.status.message).toMatch(/VERDICT_USED/);
});

test("the API server may ask again for the same change while it is not stored", async () => {
  await using it = await published();
  const first = await it.admit(it.scaled());
  const retry = await it.admit(it.scaled({ uid: "retry" }));
  expect(retry).toMatchObject({ uid: "retry", allowed: true });
  expect(retry.auditAnnotations.decision).toBe(first.auditAnnotations.decision);
});

test("the same change of an object that was made anew under its name is another promotion", async () => {
  await using it = await published();
  expect(await it.admit(it.scaled())).toMatchObject({ allowed: true });
  const anew: Loose = it.scaled({ uid: "another" });
  for (const { metadata } of [anew.object, anew.oldObject]) metadata.uid = "0c0ffee0-0000-4000-8000-000000000000";
  const refused = await it.admit(anew);
  expect(refused).toMatchObject({ allowed: false });
  expect(refused.status.message).toMatch(/VERDICT_USED/);
});

test("a dry run gets the answer, uses nothing up and writes nothing", async () => {
  await using it = await published();
  const before = (await it.world.ledger.head()).size;
  expect(await it.admit(it.scaled({ dryRun: true }))).toMatchObject({ allowed: true });
  expect((await it.world.ledger.head()).size).toBe(before);
  expect(await it.admit(it.scaled())).toMatchObject({ allowed: true });
});

test("an object with a valid plan's annotation that changes something else is refused", async () => {
  await using it = await published();
  const refused = async (change: (object: Loose) => void, code: RegExp): Promise<void> => {
    const response = await it.admit(it.scaled({}, change));
    expect(response.allowed).toBe(false);
    expect(response.status.message).toMatch(code);
  };
  await refused((object) => (containerOf(object).image = "evil:1"), /CHANGE_OUTSIDE_PLAN: service\/worker\/image/);
  await refused((object) => (object.spec.replicas = 300), /CHANGE_VALUE_DIFFERS/);
  await refused((object) => (object.spec.template.spec.hostNetwork = true), /hostNetwork/);
  await refused((object) => (object.metadata.labels.app = "api"), /labels/);
  await refused((object) => object.spec.template.spec.containers.push({ name: "x", image: "x" }), /containers\/x/);
  expect(await it.admit(it.scaled())).toMatchObject({ allowed: true });
});

test("an object without an annotation, of an unguarded namespace, new or going is refused", async () => {
  await using it = await published();
  const bare = admissionRequest((object) => (object.spec.replicas = 3));
  expect((await it.admit(bare)).status.message).toMatch(/PLAN_NOT_NAMED/);
  expect((await it.admit(it.scaled({ namespace: "other" }))).status.message).toMatch(/ENVIRONMENT_UNKNOWN/);
  expect((await it.admit(it.scaled({ operation: "CREATE", oldObject: null }))).status.message).toMatch(/\(create\)/);
  expect((await it.admit(it.scaled({ operation: "DELETE" }))).status.message).toMatch(/\(delete\)/);
});

test("the scale subresource is admitted by the plan that its field manager names", async () => {
  await using it = await published();
  expect((await it.admit(scaleRequest(1, 3))).status.message).toMatch(/PLAN_NOT_NAMED/);
  const options = { fieldManager: `canary-plan.${it.plan.sha256}` };
  expect(await it.admit(scaleRequest(1, 4, { options }))).toMatchObject({ allowed: false });
  expect(await it.admit(scaleRequest(1, 3, { options }))).toMatchObject({ allowed: true });
});

test("whoever is exempt passes, leaves an entry in the ledger, and is told of unless it is one of the cluster's programs", async () => {
  const exemptUsers = [...CLUSTER.exemptUsers, "olga@example.com"];
  await using it = await published({ parts: () => ({ cluster: { ...CLUSTER, exemptUsers } }) });
  const told = () => it.world.told.filter(({ type }) => type === "canary.gate.exempt");
  const by = (username: string, changes: object = {}) =>
    it.admit(it.scaled({ userInfo: { username, groups: [] }, ...changes }));
  const controller = "system:serviceaccount:kube-system:deployment-controller";
  const first = await by(controller);
  expect(told()).toEqual([]);
  const second = await by("olga@example.com");
  const body = { cluster: "eu", namespace: "batch", operation: "UPDATE", changed: ["service/worker/replicas"] };
  for (const [answer, user] of [
    [first, controller],
    [second, "olga@example.com"],
  ]) {
    expect(answer).toMatchObject({ allowed: true, auditAnnotations: { exempt: user } });
    const entry = await it.world.ledger.entry(Number(answer.auditAnnotations.entry));
    expect(entry).toMatchObject({ kind: "exemption", about: [it.plan.sha256], body: { ...body, user } });
  }
  expect(told()).toMatchObject([{ data: { ...body, user: "olga@example.com" } }]);
  expect((await by("olga@example.com", { dryRun: true })).auditAnnotations).toEqual({ exempt: "olga@example.com" });
  expect(told()).toHaveLength(1);
});

test("whoever breaks the glass while the ledger is away passes, and is told of all the same", async () => {
  const cluster = { ...CLUSTER, exemptUsers: ["olga@example.com"] };
  await using it = await published({ parts: () => ({ cluster }) });
  Object.assign(it.world.ledger, { append: () => Promise.reject(new Error("gone")) });
  const answer = await it.admit(it.scaled({ userInfo: { username: "olga@example.com", groups: [] } }));
  expect(answer).toMatchObject({ allowed: true, auditAnnotations: { exempt: "olga@example.com" } });
  expect(it.world.told.map(({ type }) => type)).toContain("canary.gate.exempt");
  expect(it.world.reports).toEqual(["what an exempt user changed could not be recorded: gone"]);
});

test("requests that change nothing pass without a decision", async () => {
  await using it = await published();
  const before = (await it.world.ledger.head()).size;
  const userInfo = { username: "system:serviceaccount:kube-system:deployment-controller", groups: [] };
  expect(await it.admit(admissionRequest(() => undefined, { userInfo }))).toMatchObject({ allowed: true });
  expect(await it.admit(admissionRequest(() => undefined))).toMatchObject({
    allowed: true,
    auditAnnotations: { change: "none" },
  });
  expect((await it.world.ledger.head()).size).toBe(before);
});

test("admission knows who asks: a wrong token, none, and another's are refused before anything is read", async () => {
  await using it = await published();
  const ask = async (path: string, as?: string) =>
    (await it.gate.ask(path, { body: { request: it.scaled() }, ...(as === undefined ? {} : { as }) })).status;
  expect(await ask("/v1/admission/wrong-token-wrong-token")).toBe(401);
  expect(await ask("/v1/admission")).toBe(401);
  expect(await ask("/v1/admission", "ci")).toBe(403);
  expect(await ask("/v1/admission", "apiserver")).toBe(400);
});

test("a review of an unknown version is no answer at all", async () => {
  await using it = await published();
  for (const apiVersion of ["admission.k8s.io/v1beta1", "admission.k8s.io/v2", ""]) {
    const body = { apiVersion, kind: "AdmissionReview", request: it.scaled() };
    expect((await it.gate.ask("/v1/admission", { body, as: "apiserver" })).status).toBe(400);
  }
});

/** What Flagger posts: fluxcd/flagger pkg/apis/flagger/v1beta1/canary.go, `CanaryWebhookPayload`. */
function flaggerPayload(plan: string, changes: object = {}): object {
  const metadata = { plan: `sha256:${plan}` };
  return { name: "worker", namespace: "batch", phase: "Progressing", checksum: "85d557f47b", metadata, ...changes };
}

const flagger = (hook: "gate" | "rollback"): string => `/v1/hooks/flagger/${tokenOf("apiserver")}/${hook}`;

test("Flagger waits until admission has seen the change, then goes on however often it asks while the promotion is open", async () => {
  await using it = await published();
  const ask = (body: object) => it.gate.ask(flagger("gate"), { body });
  const early = await ask(flaggerPayload(it.plan.sha256));
  expect(early.status).toBe(403);
  expect(early.text).toMatch(/CHANGE_NOT_SHOWN/);
  await it.admit(it.scaled());
  expect((await ask(flaggerPayload(it.plan.sha256))).status).toBe(200);
  it.world.clock.nowEpochMs += 599_999;
  expect((await ask(flaggerPayload(it.plan.sha256, { phase: "WaitingPromotion" }))).status).toBe(200);
  expect((await ask(flaggerPayload(it.plan.sha256, { checksum: "other" }))).status).toBe(200);
  it.world.clock.nowEpochMs += 1;
  const late = await ask(flaggerPayload(it.plan.sha256));
  expect(late.status).toBe(403);
  expect(late.text).toMatch(/VERDICT_USED/);
});

test("where nothing sees the change, an operator can let Flagger's word do", async () => {
  await using it = await published({ changeMustBeShown: false });
  const ask = (body: object) => it.gate.ask(flagger("gate"), { body });
  expect((await ask(flaggerPayload("0".repeat(64)))).status).toBe(403);
  expect((await ask(flaggerPayload(it.plan.sha256, { metadata: {} }))).status).toBe(403);
  expect((await ask(flaggerPayload(it.plan.sha256, { namespace: "constructor" }))).status).toBe(403);
  expect((await ask(flaggerPayload(it.plan.sha256))).status).toBe(200);
});

test("the rollback hook rolls back only when somebody stopped it: every other answer leaves it alone", async () => {
  await using it = await published({ changeMustBeShown: false });
  const ask = (body: unknown) => it.gate.ask(flagger("rollback"), { body });
  const stop = (isEngaged: boolean) =>
    it.gate.ask("/v1/kill-switch", { body: { bundle: it.world.order(isEngaged) }, as: "operator" });
  expect((await ask(flaggerPayload(it.plan.sha256))).status).toBe(403);
  expect((await ask(flaggerPayload("0".repeat(64)))).status).toBe(403);
  expect((await ask("{")).status).toBe(403);
  expect((await ask({ name: 1 })).status).toBe(403);
  await stop(true);
  expect((await ask(flaggerPayload(it.plan.sha256))).status).toBe(200);
  await it.world.ledger[Symbol.asyncDispose]();
  expect((await ask(flaggerPayload(it.plan.sha256))).status).toBe(403);
});

test("Argo Rollouts measures promote, hold or reject, always with status 200", async () => {
  await using it = await published({ changeMustBeShown: false });
  const environment = encodeURIComponent(ENVIRONMENT.id);
  const look = async (plan: string) =>
    await it.gate.ask(`/v1/hooks/argo/verdicts/${plan}?environment=${environment}`, { as: "deployer" });
  expect(await look(`sha256:${it.plan.sha256}`)).toMatchObject({
    status: 200,
    json: { verdict: "promote", decision: null },
  });
  expect(await look("0".repeat(64))).toMatchObject({ status: 200, json: { verdict: "reject" } });
  const held = it.world.plan(2);
  const verdict = { kind: "hold", reasons: [{ code: "UNDERPOWERED", message: "too noisy" }] } as const;
  await it.gate.ask("/v1/verdicts", { body: it.world.submission(held, 2, { verdict }), as: "ci" });
  expect(await look(held.sha256)).toMatchObject({ status: 200, json: { verdict: "hold" } });
  await it.gate.ask("/v1/kill-switch", { body: { bundle: it.world.order(true) }, as: "operator" });
  expect(await look(it.plan.sha256)).toMatchObject({ status: 200, json: { verdict: "hold" } });
});

test("an Argo rollout waits for people where they are all that policy misses too", async () => {
  const askPolicy = askPolicyEngine(ASKING.policy, async () => ASKING.parse);
  await using it = await published({ changeMustBeShown: false, askPolicy });
  const look = async (): Promise<Loose> => {
    const path = `/v1/hooks/argo/verdicts/${it.plan.sha256}?environment=${encodeURIComponent(ENVIRONMENT.id)}`;
    return (await it.gate.ask(path, { as: "deployer" })).json;
  };
  expect(await look()).toMatchObject({
    verdict: "hold",
    reason: expect.stringMatching(/^refused: APPROVALS_MISSING: (?!.*POLICY_REFUSED).*\(rule approvals-missing\)/),
  });
  await it.gate.ask("/v1/approvals", { body: { bundle: it.world.approval("ada", it.plan) }, as: "ci" });
  expect(await look()).toMatchObject({ verdict: "promote" });
});

test("an Argo rollout uses the verdict up, once for every revision", async () => {
  await using it = await published({ changeMustBeShown: false });
  const ask = (podTemplateHash: string) => {
    const body = { plan: it.plan.sha256, environment: ENVIRONMENT.id, rollout: "worker", podTemplateHash };
    return it.gate.ask("/v1/hooks/argo/rollouts", { body, as: "deployer" });
  };
  const first = await ask("abc");
  expect(first).toMatchObject({ status: 200, json: { verdict: "promote" } });
  expect(await ask("abc")).toMatchObject({ json: { verdict: "promote", decision: first.json.decision } });
  it.world.clock.nowEpochMs += 600_000;
  expect(await ask("abc")).toMatchObject({ status: 200, json: { verdict: "reject" } });
  expect(await ask("def")).toMatchObject({ status: 200, json: { verdict: "reject" } });
});

const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
const APP: GitHubApp = {
  apiBase: "https://api.github.com",
  appId: "1234",
  privateKey: String(RSA.privateKey.export({ type: "pkcs8", format: "pem" })),
};
const SECRET = "It's a Secret to Everybody";
const COMMIT = "d20ace7968ba43c0219f62d71334c1095bab1602";
const RUN = `${APP.apiBase}/repos/acme/payments/actions/runs/4425592351`;

/** GitHub as far as a rule talks to it; says what it was asked. */
function fakeGitHub(world: GateWorld, answers: { readonly plan: string | undefined; readonly head?: string }) {
  const calls: { readonly url: string; readonly body: Loose }[] = [];
  const work: Promise<void>[] = [];
  const respond: typeof fetch = async (input, init) => {
    const url = String(input);
    calls.push({ url, body: typeof init?.body === "string" ? JSON.parse(init.body) : undefined });
    if (url.endsWith("/access_tokens")) return Response.json({ token: "ghs_installation" }, { status: 201 });
    if (url === RUN) return Response.json({ id: 4425592351, head_sha: answers.head ?? COMMIT });
    if (url.includes("/contents/"))
      return answers.plan === undefined ? new Response("", { status: 404 }) : new Response(answers.plan);
    return new Response(null, { status: 204 });
  };
  const rule: GitHubRule = {
    apiBase: APP.apiBase,
    webhookSecret: SECRET,
    repositories: [
      { repository: "acme/payments", environments: { production: ENVIRONMENT.id }, planPath: ".canary/plan.json" },
    ],
    client: gitHubClient(APP, { fetch: respond, nowEpochMs: () => world.clock.nowEpochMs }),
    background: (promise) => void work.push(promise),
  };
  return { calls, work, rule };
}

/** As in GitHub's description of the webhook `deployment_protection_rule` `requested`. */
function protectionRule(changes: object = {}): object {
  return {
    action: "requested",
    environment: "production",
    event: "push",
    deployment_callback_url: `${RUN}/deployment_protection_rule`,
    deployment: { id: 1, sha: COMMIT, ref: "main", environment: "production", creator: { login: "agent-7[bot]" } },
    pull_requests: [],
    repository: { full_name: "acme/payments" },
    organization: {},
    installation: { id: 12345678 },
    sender: {},
    ...changes,
  };
}

async function gitHubWorld(answers: (plan: string) => Parameters<typeof fakeGitHub>[1]) {
  const made: { gitHub?: ReturnType<typeof fakeGitHub> } = {};
  const it = await published({
    changeMustBeShown: false,
    parts: (world) => {
      made.gitHub = fakeGitHub(world, answers(world.plan(1).text));
      return { github: made.gitHub.rule };
    },
  });
  const gitHub = made.gitHub;
  if (gitHub === undefined) throw new Error("the gate has no rule");
  const deliver = async (payload: object, changes: { readonly id?: string; readonly signature?: string } = {}) => {
    const body = JSON.stringify(payload);
    const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
    const { status } = await it.gate.ask("/v1/hooks/github", {
      body,
      headers: {
        "x-github-event": "deployment_protection_rule",
        "x-github-delivery": changes.id ?? "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-hub-signature-256": changes.signature ?? signature,
      },
    });
    await Promise.all(gitHub.work);
    return status;
  };
  const reviews = () =>
    gitHub.calls.filter(({ url }) => url === `${RUN}/deployment_protection_rule`).map(({ body }) => body);
  return Object.assign(it, { deliver, reviews, calls: gitHub.calls });
}

test("a GitHub deployment is approved when the plan at its very commit is admitted", async () => {
  await using it = await gitHubWorld((plan) => ({ plan }));
  expect(await it.deliver(protectionRule())).toBe(202);
  expect(it.reviews()).toMatchObject([{ environment_name: "production", state: "approved" }]);
  expect(it.calls.every(({ url }) => url.startsWith("https://api.github.com/"))).toBe(true);
});

test("a GitHub run that is started again is another deployment, and needs another verdict", async () => {
  await using it = await gitHubWorld((plan) => ({ plan }));
  const again = protectionRule({ deployment: { id: 2, sha: COMMIT } });
  expect(await it.deliver(protectionRule())).toBe(202);
  expect(await it.deliver(again, { id: "72d3162e-0002" })).toBe(202);
  expect(it.reviews()).toMatchObject([{ state: "approved" }, { state: "rejected" }]);
  expect(it.reviews()[1].comment).toMatch(/VERDICT_USED/);
  const nameless = protectionRule({ deployment: { sha: COMMIT } });
  expect(await it.deliver(nameless, { id: "72d3162e-0003" })).toBe(400);
});

test("a GitHub deployment is rejected when the run is about another commit, or its plan is missing or unknown", async () => {
  const answers = [
    (plan: string) => ({ plan, head: "0".repeat(40) }),
    () => ({ plan: undefined }),
    (plan: string) => ({ plan: `${plan} ` }),
  ];
  for (const answer of answers) {
    await using it = await gitHubWorld(answer);
    expect(await it.deliver(protectionRule())).toBe(202);
    expect(it.reviews()).toMatchObject([{ state: "rejected" }]);
  }
});

test("GitHub's webhook is taken only with its signature, once, and answered only under the configured API", async () => {
  await using it = await gitHubWorld((plan) => ({ plan }));
  expect(await it.deliver(protectionRule(), { signature: `sha256=${"0".repeat(64)}` })).toBe(401);
  expect(await it.deliver(protectionRule(), { signature: "" })).toBe(401);
  for (const deployment_callback_url of [
    "http://169.254.169.254/latest/meta-data",
    "https://api.github.com.evil.example/repos/acme/payments/actions/runs/1/deployment_protection_rule",
    "https://api.github.com/repos/acme/other/actions/runs/1/deployment_protection_rule",
    "https://api.github.com/repos/acme/payments/actions/runs/1/../../../x/deployment_protection_rule",
    "https://api.github.com/repos/acme/payments/actions/runs/1/deployment_protection_rule?x",
    "https://user@api.github.com/repos/acme/payments/actions/runs/1/deployment_protection_rule",
  ]) {
    expect(await it.deliver(protectionRule({ deployment_callback_url }), { id: "aaaaaaaa-1" })).toBe(422);
  }
  expect(await it.deliver(protectionRule({ repository: { full_name: "evil/payments" } }))).toBe(422);
  expect(await it.deliver(protectionRule({ environment: "__proto__x" }))).toBe(422);
  expect(it.calls).toEqual([]);
  expect(await it.deliver(protectionRule())).toBe(202);
  expect(await it.deliver(protectionRule())).toBe(409);
  expect(it.reviews()).toHaveLength(1);
});

const WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

test("a promotion can be asked for by Standard Webhooks: signed, fresh, once", async () => {
  await using it = await published({
    parts: () => ({ senders: [{ name: "argo", environments: ["production/*"], secret: WHSEC }] }),
  });
  const { clock } = it.world;
  const send = async (
    changes: { id?: string; atMs?: number; secret?: string; tamper?: true; to?: string; signature?: string } = {},
  ) => {
    const { id = "msg_1", atMs = clock.nowEpochMs, secret = WHSEC } = changes;
    const change = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };
    const data = { plan: it.plan.sha256, environment: ENVIRONMENT.id, change };
    const body = JSON.stringify({ type: "promotion.requested", timestamp: new Date(atMs).toISOString(), data });
    const timestamp = String(Math.floor(atMs / 1000));
    const key = Buffer.from(secret.replace("whsec_", ""), "base64");
    const signature = `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
    return await it.gate.ask(`/v1/hooks/standard/${changes.to ?? "argo"}`, {
      body: changes.tamper === true ? `${body} ` : body,
      headers: {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": changes.signature ?? `v1,${"A".repeat(43)}= ${signature}`,
      },
    });
  };
  const other = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
  expect((await send({ tamper: true })).status).toBe(401);
  expect((await send({ secret: other })).status).toBe(401);
  expect((await send({ to: "nobody" })).status).toBe(401);
  expect((await send({ signature: "v1a,x v2,y" })).status).toBe(401);
  expect((await send({ atMs: clock.nowEpochMs - 301_000 })).status).toBe(401);
  expect((await send({ atMs: clock.nowEpochMs + 301_000 })).status).toBe(401);
  expect(await send()).toMatchObject({ status: 200, json: { decision: "admit" } });
  expect((await send()).status).toBe(409);
  expect(await send({ id: "msg_2" })).toMatchObject({ status: 403, json: { reasons: [{ code: "VERDICT_USED" }] } });
});

test("the signature schemes give the vectors that their specifications print", async () => {
  const { isSignedByGitHub, isSignedStandard } = await import("../../src/gate/webhooks/signatures.ts");
  const gitHub = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  expect(isSignedByGitHub(Buffer.from("Hello, World!"), gitHub, SECRET)).toBe(true);
  expect(isSignedByGitHub(Buffer.from("Hello, World"), gitHub, SECRET)).toBe(false);
  const headers = {
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    timestamp: "1614265330",
    signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  };
  const body = Buffer.from('{"test": 2432232314}');
  const now = { secret: WHSEC, nowEpochMs: 1_614_265_330_000 };
  expect(isSignedStandard(body, headers, now)).toBe(true);
  expect(isSignedStandard(body, headers, { ...now, nowEpochMs: now.nowEpochMs + 300_001 })).toBe(false);
});
