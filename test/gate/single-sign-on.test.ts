import { generateKeyPairSync } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import type { TrustedKey } from "../../src/attest/keyring.ts";
import { verifyWitnessedApproval } from "../../src/attest/witnessed-approval.ts";
import { startProvider } from "../support/oidc-provider.ts";
import { newBrowser, PAGE, type SignOnWorld, STRONG_ACR, setTime, signOnWorld } from "./sign-on-world.ts";

afterEach(() => vi.useRealTimers());

type Loose = ReturnType<typeof JSON.parse>;
const HOUR_S = 3600;

test("a person approves by single sign-on, a second by passkey, and the plan is admitted", async () => {
  await using it = await signOnWorld();
  const { status, headers } = await it.approve();
  expect(status).toBe(303);
  expect(headers.get("location")).toMatch(new RegExp(`^/approvals/plans/${it.plan.sha256}#by-[0-9a-f]{32}$`));
  expect(await it.isAdmitted()).toBe(false);
  expect((await it.byPasskey("grace")).status).toBe(200);
  expect(await it.isAdmitted()).toBe(true);
});

test("two people approve by single sign-on, and the page names both and how", async () => {
  await using it = await signOnWorld();
  await it.approve();
  await it.approve({ sub: "provider-8", acr: STRONG_ACR });
  expect(await it.isAdmitted()).toBe(true);
  const { text } = await it.gate.ask(`/approvals/plans/${it.plan.sha256}`);
  expect(text).toContain("2 of 2: ada, grace");
  expect(text).toContain("by single sign-on");
});

test("the gate signs what it saw: the plan's digest, the environment, and who was authenticated by whom and when", async () => {
  await using it = await signOnWorld();
  await it.approve({ sub: "provider-7", acr: STRONG_ACR, amr: ["hwk"], authenticatedSecondsAgo: 30 });
  const { world } = it;
  const [entry] = await world.ledger.entriesAbout(it.plan.sha256, ["approval"]);
  const text = await world.sources.documents.text(String(entry?.body["bundle"]));
  const at = world.clock.nowEpochMs;
  expect(verifyWitnessedApproval(text, world.keyring, at)).toMatchObject({
    kind: "approval",
    approval: {
      person: "ada",
      planSha256: it.plan.sha256,
      environment: "production/eu-west",
      verdictSha256: it.verdict,
      shownBy: "single-sign-on",
    },
    signOn: {
      issuer: it.provider.issuer,
      clientId: "canary-gate",
      subject: "provider-7",
      authenticatedAt: new Date(at - 30_000).toISOString(),
      acr: STRONG_ACR,
      amr: ["hwk"],
    },
  });
  const bundle = JSON.parse(text);
  const payload = Buffer.from(bundle.dsseEnvelope.payload, "base64").toString().replace("ada", "eve");
  bundle.dsseEnvelope.payload = Buffer.from(payload).toString("base64");
  const changed = verifyWitnessedApproval(JSON.stringify(bundle), world.keyring, at);
  expect(changed).toMatchObject({ kind: "refused", code: "SIGNATURE_MISMATCH" });
  expect(verifyWitnessedApproval(text, world.keyring, at + 24 * HOUR_S * 1000)).toMatchObject({ code: "EXPIRED" });
  expect(verifyWitnessedApproval(text, world.keyring, at - 61_000)).toMatchObject({ code: "NOT_YET_VALID" });
});

test("one person by passkey and by single sign-on counts once, and as strongly as the stronger of both", async () => {
  await using it = await signOnWorld();
  await it.approve({ sub: "provider-7", acr: "urn:example:password" });
  expect((await it.byPasskey("ada")).status).toBe(200);
  expect(await it.isAdmitted()).toBe(false);
  // Once more by single sign-on, strongly now: still one person.
  await it.approve({ sub: "provider-7", acr: STRONG_ACR });
  expect(await it.isAdmitted()).toBe(false);
  expect(await it.recorded()).toBe(3);
  expect((await it.byPasskey("grace")).status).toBe(200);
  // Two strong ones are needed: ada's passkey counts, whichever of hers came first.
  expect(await it.isAdmitted()).toBe(true);
});

test("of two sign-ons by one person the strong one counts, whichever came first", async () => {
  await using it = await signOnWorld();
  await it.byPasskey("grace");
  await it.approve({ sub: "provider-7", acr: "urn:example:password" });
  expect(await it.isAdmitted()).toBe(false);
  await it.approve({ sub: "provider-7", acr: STRONG_ACR });
  expect(await it.isAdmitted()).toBe(true);
});

test("a person takes back what they approved at the page, by whatever way, and can approve anew", async () => {
  await using it = await signOnWorld();
  await it.approve();
  await it.byPasskey("grace");
  expect(await it.isAdmitted()).toBe(true);
  expect(await it.byPasskey("ada", "take-back")).toMatchObject({ status: 200, json: { person: "ada" } });
  expect(await it.isAdmitted()).toBe(false);
  await it.approve();
  expect(await it.isAdmitted()).toBe(true);
  expect((await it.takeBack()).headers.get("location")).toBe(`/approvals/plans/${it.plan.sha256}#approvals`);
  expect(await it.isAdmitted()).toBe(false);
  // There is nothing left to take back, and grace's was never ada's to take.
  const again = await it.takeBack();
  expect([again.status, again.text.includes("ada has not approved it")]).toEqual([422, true]);
  await it.byPasskey("ada");
  expect(await it.isAdmitted()).toBe(true);
});

test("what was approved with a key is taken back with a key", async () => {
  await using it = await signOnWorld();
  await it.gate.ask("/v1/approvals", { body: { bundle: it.world.approval("ada", it.plan) }, as: "ci" });
  await it.byPasskey("grace");
  expect(await it.isAdmitted()).toBe(true);
  const answer = await it.byPasskey("ada", "take-back");
  expect([answer.status, answer.json.detail]).toEqual([422, expect.stringContaining("canary approve revoke")]);
  expect(await it.isAdmitted()).toBe(true);
});

test("a sign-on that the provider does not call strong is none of the strong ones", async () => {
  await using it = await signOnWorld();
  await it.approve({ sub: "provider-7", acr: "urn:example:password" });
  expect((await it.byPasskey("grace")).status).toBe(200);
  expect(await it.isAdmitted()).toBe(false);
  const { text } = await it.gate.ask(`/approvals/plans/${it.plan.sha256}`);
  expect(text).toContain("1 more person has to approve, strongly authenticated.");
});

test("who had a hand in the plan is refused in words, by single sign-on and by passkey", async () => {
  await using it = await signOnWorld();
  const { world } = it;
  const isAgents = ({ role, identity }: TrustedKey): boolean => role === "agent" && identity === "agent-7";
  world.keyring = { keys: world.keyring.keys.map((key) => (isAgents(key) ? { ...key, owner: "ADA" } : key)) };
  const answer = await it.approve();
  expect(answer.status).toBe(422);
  expect(answer.text).toContain("ada had a hand in the plan, so somebody else must agree");
  expect((await it.byPasskey("ada")).status).toBe(422);
  expect(await it.recorded()).toBe(0);
});

/** What a hostile or broken provider says instead; the signature is right unless said otherwise. */
const FORGERIES: Readonly<Record<string, (claims: Loose, it: SignOnWorld) => string>> = {
  "of another issuer": (claims, { provider }) => provider.sign({ ...claims, iss: "https://elsewhere.example" }),
  "for another client": (claims, { provider }) => provider.sign({ ...claims, aud: "another-client" }),
  "for two clients, given to the other": (claims, { provider }) =>
    provider.sign({ ...claims, aud: [claims.aud, "another-client"], azp: "another-client" }),
  "that has expired": (claims, { provider }) =>
    provider.sign({ ...claims, iat: claims.iat - 2 * HOUR_S, exp: claims.exp - 2 * HOUR_S }),
  "without an expiry": ({ exp: _, ...claims }, { provider }) => provider.sign(claims),
  "with another nonce": (claims, { provider }) => provider.sign({ ...claims, nonce: "n".repeat(43) }),
  "without a nonce": ({ nonce: _, ...claims }, { provider }) => provider.sign(claims),
  "that does not say when": ({ auth_time: _, ...claims }, { provider }) => provider.sign(claims),
  "of an authentication an hour ago": (claims, { provider }) =>
    provider.sign({ ...claims, auth_time: claims.auth_time - HOUR_S }),
  "of an authentication that is yet to come": (claims, { provider }) =>
    provider.sign({ ...claims, auth_time: claims.auth_time + HOUR_S }),
  "without a subject": ({ sub: _, ...claims }, { provider }) => provider.sign(claims),
  "that another key signed": (claims, { provider }) =>
    provider.sign(claims, generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey),
  "that nobody signed": (claims) =>
    `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.`,
  "that is none": () => "not.a.token",
};

/** Lets the gate get another ID token than the provider's own. */
function forging(it: SignOnWorld, forge: (claims: Loose) => string): void {
  it.between = async (url, answer) => {
    if (!url.endsWith("/token")) return await answer();
    const tokens: Loose = await (await answer()).json();
    const claims = JSON.parse(Buffer.from(tokens.id_token.split(".")[1], "base64url").toString());
    return Response.json({ ...tokens, id_token: forge(claims) });
  };
}

test.each(Object.entries(FORGERIES))("an ID token %s approves nothing", async (_, forge) => {
  await using it = await signOnWorld();
  forging(it, (claims) => forge(claims, it));
  const answer = await it.approve();
  expect(answer.status).toBe(422);
  expect(answer.text).toContain("Nothing was recorded.");
  expect(await it.recorded()).toBe(0);
  // The way that was tampered with is sound otherwise.
  forging(it, (claims) => it.provider.sign(claims));
  expect((await it.approve()).status).toBe(303);
});

test("the ID token of another person, or of an earlier sign-on, approves nothing", async () => {
  await using it = await signOnWorld();
  const earlier: Loose[] = [];
  forging(it, (claims) => it.provider.sign(earlier[earlier.push(claims) - 1]));
  expect((await it.approve({ sub: "provider-8", acr: STRONG_ACR })).status).toBe(303);
  forging(it, () => it.provider.sign(earlier[0]));
  expect((await it.approve({ sub: "provider-9" })).status).toBe(422);
  expect(await it.recorded()).toBe(1);
});

test("a provider that calls itself otherwise than the configuration does is never asked for anybody", async () => {
  await using it = await signOnWorld();
  await using other = await startProvider({ redirectUri: `${PAGE}/approvals/sign-on/callback`, account: { sub: "x" } });
  it.between = (url) => fetch(url.replace(it.provider.issuer, other.issuer));
  const { status, json } = await it.begin(newBrowser());
  expect(status).toBe(503);
  expect(json.code).toBe("SIGN_ON_UNAVAILABLE");
});

test("an answer counts once, also when the provider would take its code again", async () => {
  await using it = await signOnWorld();
  const browser = newBrowser();
  const { json } = await it.begin(browser);
  const kept = new Map(browser.cookies.get(PAGE));
  const callback = await it.visitProvider(browser, json.location);
  const tokens: Response[] = [];
  it.between = async (url, answer) => {
    if (!url.endsWith("/token")) return await answer();
    const response = tokens[0] ?? (await answer());
    tokens[0] = response;
    return response.clone();
  };
  expect((await it.finish(browser, callback)).status).toBe(303);
  expect(browser.cookies.get(PAGE)?.size).toBe(0);
  expect((await it.finish(browser, callback)).status).toBe(422);
  browser.cookies.set(PAGE, new Map(kept));
  const again = await it.finish(browser, callback);
  expect([again.status, again.text.includes("this answer came before")]).toEqual([422, true]);
  browser.cookies.set(PAGE, new Map(kept));
  it.between = (_, answer) => answer();
  expect((await it.finish(browser, callback)).text).toContain("invalid_grant");
  expect(await it.recorded()).toBe(1);
});

test("an answer counts only in the browser that asked, for what it asked, and in time", async () => {
  await using it = await signOnWorld(() => ({ maxAgeSeconds: 900 }));
  const browser = newBrowser();
  const callbackOf = async (): Promise<URL> => await it.visitProvider(browser, (await it.begin(browser)).json.location);
  const cookies = (): Map<string, string> => browser.cookies.get(PAGE) ?? new Map();
  const [[name = "", first = ""] = []] = [...((await callbackOf()) && cookies())];
  const callback = await callbackOf();
  const refused = async (cookie: string, url = callback): Promise<void> => {
    cookies().set(name, cookie);
    expect((await it.finish(browser, url)).status).toBe(422);
  };
  const second = cookies().get(name) ?? "";
  expect((await it.finish(newBrowser(), callback)).status).toBe(422);
  await refused(first);
  await refused(`${second}x`);
  await refused(`${second}.${second}`);
  await refused(`${second}; ${name}=a.b`);
  const [words = "", mac = ""] = second.split(".");
  const said = JSON.parse(Buffer.from(words, "base64url").toString());
  const other = Buffer.from(JSON.stringify({ ...said, plan: "0".repeat(64) })).toString("base64url");
  await refused(`${other}.${mac}`);
  const without = (part: string): URL => {
    const url = new URL(callback);
    url.searchParams.delete(part);
    return url;
  };
  await refused(second, without("state"));
  await refused(second, without("code"));
  const withState = new URL(callback);
  withState.searchParams.set(
    "state",
    new URL((await it.begin(newBrowser())).json.location).searchParams.get("state") ?? "",
  );
  await refused(second, withState);
  await refused(second, new URL(`${callback}&state=another`));
  await refused(second, new URL(`${PAGE}${callback.pathname}`));
  setTime(it.world, it.world.clock.nowEpochMs + 600_000);
  await refused(second);
  expect(await it.recorded()).toBe(0);
  setTime(it.world, it.world.clock.nowEpochMs - 1);
  cookies().set(name, second);
  expect((await it.finish(browser, callback)).status).toBe(303);
});

test("only the gate's own page can send somebody to sign on", async () => {
  await using it = await signOnWorld();
  for (const origin of ["https://gate.example.evil", "http://gate.example", "null"]) {
    const { status, headers } = await it.begin(newBrowser(), { origin });
    expect(status).toBe(403);
    expect(headers.get("set-cookie")).toBeNull();
  }
  const { headers } = await it.begin(newBrowser());
  expect(headers.get("set-cookie")).toMatch(
    /^__Host-canary-sign-on=\S+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
  );
});

test("the provider is asked for a code with PKCE, state, nonce and a fresh authentication", async () => {
  await using it = await signOnWorld();
  const { json } = await it.begin(newBrowser());
  const asked = Object.fromEntries(new URL(json.location).searchParams);
  expect(asked).toMatchObject({
    response_type: "code",
    code_challenge_method: "S256",
    redirect_uri: `${PAGE}/approvals/sign-on/callback`,
    scope: "openid",
    max_age: "120",
    acr_values: STRONG_ACR,
  });
  for (const secret of ["state", "nonce", "code_challenge"]) expect(asked[secret]).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

test("who is still signed on from before has to show themselves again", async () => {
  await using it = await signOnWorld();
  const browser = newBrowser();
  const approve = async (): Promise<number> => {
    const { json } = await it.begin(browser);
    return (await it.finish(browser, await it.visitProvider(browser, json.location))).status;
  };
  expect([await approve(), it.provider.prompts()]).toEqual([303, 1]);
  setTime(it.world, it.world.clock.nowEpochMs + 60_000);
  expect([await approve(), it.provider.prompts()]).toEqual([303, 1]);
  setTime(it.world, it.world.clock.nowEpochMs + 120_000);
  expect([await approve(), it.provider.prompts()]).toEqual([303, 2]);
});

test("an account that is not listed approves nothing, and is told what the operator needs", async () => {
  await using it = await signOnWorld();
  const answer = await it.approve({ sub: "provider-99", acr: STRONG_ACR });
  expect(answer.status).toBe(422);
  expect(answer.text).toContain("&quot;account&quot;:&quot;provider-99&quot;");
  expect(await it.recorded()).toBe(0);
});

test("an address counts only when the provider has verified it, and a group only when the person is in it", async () => {
  await using it = await signOnWorld(() => ({
    accountClaim: "email",
    scopes: ["email"],
    groups: { claim: "groups", anyOf: ["sre"] },
  }));
  it.people = [{ identity: "ada", account: "ada@example.com" }];
  const right = { email: "ada@example.com", email_verified: true, groups: ["dev", "sre"] };
  const wrong: readonly object[] = [
    { email_verified: false },
    { email_verified: "true" },
    { email_verified: undefined },
    { email: undefined },
    { email: ["ada@example.com"] },
    { email: "ADA@example.com" },
    { groups: undefined },
    { groups: [] },
    { groups: ["SRE"] },
    { groups: { 0: "sre" } },
  ];
  for (const changes of wrong) {
    expect((await it.approve({ sub: "7", claims: { ...right, ...changes } })).status, JSON.stringify(changes)).toBe(
      422,
    );
  }
  expect(await it.recorded()).toBe(0);
  expect((await it.approve({ sub: "7", claims: right })).status).toBe(303);
});

test("who is taken out of the list, or whose gate is no longer trusted, has approved nothing any more", async () => {
  await using it = await signOnWorld();
  await it.approve();
  await it.byPasskey("grace");
  const { people, terms, world } = it;
  const { keyring } = world;
  const counts = async (): Promise<boolean> => await it.isAdmitted();
  expect(await counts()).toBe(true);
  it.people = [];
  expect(await counts()).toBe(false);
  it.people = [{ identity: "eve", account: "provider-7" }];
  expect(await counts()).toBe(false);
  it.people = people;
  const trusts = [
    undefined,
    { ...terms, issuer: "https://other.example" },
    { ...terms, accountClaim: "email" },
    { ...terms, strong: { acr: [], amr: ["hwk"] } },
  ];
  for (const trust of trusts) {
    world.signOn = trust;
    expect(await counts()).toBe(false);
  }
  world.signOn = terms;
  const withGate = (change: (key: TrustedKey) => TrustedKey): void => {
    world.keyring = { keys: keyring.keys.map((key) => (key.role === "gate" ? change(key) : key)) };
  };
  withGate((key) => ({ ...key, revoked: { atEpochMs: 0, reason: "stolen" } }));
  expect(await counts()).toBe(false);
  withGate((key) => ({ ...key, role: "canary" }));
  expect(await counts()).toBe(false);
  withGate((key) => key);
  expect(await counts()).toBe(true);
});

test("a provider that gives no answer stops nothing but signing on", async () => {
  await using it = await signOnWorld();
  const browser = newBrowser();
  it.between = async () => {
    throw new TypeError("fetch failed");
  };
  expect((await it.begin(browser)).status).toBe(503);
  expect((await it.gate.ask(`/approvals/plans/${it.plan.sha256}`)).status).toBe(200);
  it.between = (_, answer) => answer();
  const { json } = await it.begin(browser);
  const callback = await it.visitProvider(browser, json.location);
  it.between = async () =>
    new Response("x".repeat(2 * 1024 * 1024), { headers: { "content-type": "application/json" } });
  expect((await it.finish(browser, callback)).status).toBe(503);
  expect(await it.recorded()).toBe(0);
});

test("what the provider says in its refusal is shown as a word, never as markup", async () => {
  await using it = await signOnWorld();
  const said = async (error: string): Promise<string> => {
    const browser = newBrowser();
    const { json } = await it.begin(browser);
    const callback = new URL(`${PAGE}/approvals/sign-on/callback`);
    const state = new URL(json.location).searchParams.get("state") ?? "";
    callback.search = new URLSearchParams({ error, state, iss: it.provider.issuer }).toString();
    return (await it.finish(browser, callback)).text;
  };
  expect(await said("access_denied")).toContain("the identity provider says access_denied");
  expect(await said("<img src=x onerror=alert(1)>")).not.toContain("<img");
});
