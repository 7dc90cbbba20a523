import { vi } from "vitest";
import { identityProvider } from "../../src/gate/single-sign-on/identity-provider.ts";
import { redirectUri, type SignOnPerson, type SignOnTerms } from "../../src/gate/single-sign-on/sign-on-terms.ts";
import { startProvider, type TestProvider } from "../support/oidc-provider.ts";
import { allowing, type GateWorld, gateWorld, type ServedGate, type SignedPlan } from "./gate-world.ts";
import { ENVIRONMENT } from "./promotion-builder.ts";
import { softwareAuthenticator } from "./software-authenticator.ts";

export const PAGE = "https://gate.example";
export const STRONG_ACR = "urn:example:phishing-resistant";

/** A browser: cookies by host, and where it has been sent last. */
export interface TestBrowser {
  readonly cookies: Map<string, Map<string, string>>;
}

export const newBrowser = (): TestBrowser => ({ cookies: new Map() });

/** What a person got to see at the end of a sign-on. */
export type Answer = Awaited<ReturnType<ServedGate["ask"]>>;

/** A gate where people approve by single sign-on (a real OpenID provider) and by passkey. */
export interface SignOnWorld extends AsyncDisposable {
  readonly world: GateWorld;
  readonly gate: ServedGate;
  readonly provider: TestProvider;
  readonly plan: SignedPlan;
  readonly verdict: string;
  readonly terms: SignOnTerms;
  /** Whose account is whose; may be changed. */
  people: readonly SignOnPerson[];
  readonly passkeys: Readonly<Record<"ada" | "grace", ReturnType<typeof softwareAuthenticator>>>;
  /** Put between the gate and its provider. */
  between: (url: string, answer: () => Promise<Response>) => Promise<Response>;
  /** What the gate answers to the wish to sign on. */
  readonly begin: (
    browser: TestBrowser,
    changes?: { readonly origin?: string; readonly purpose?: "approve" | "take-back" },
  ) => Promise<Answer>;
  /** Goes to the provider and comes back with the address of the callback. */
  readonly visitProvider: (browser: TestBrowser, location: string) => Promise<URL>;
  /** Brings the answer to the gate. */
  readonly finish: (browser: TestBrowser, callback: URL) => Promise<Answer>;
  /** All of it, by somebody with a fresh browser. */
  readonly approve: (account?: TestProvider["account"]) => Promise<Answer>;
  readonly takeBack: () => Promise<Answer>;
  readonly byPasskey: (who: "ada" | "grace", purpose?: "approve" | "take-back") => Promise<Answer>;
  /** Whether the gate would admit the plan now. */
  readonly isAdmitted: () => Promise<boolean>;
  /** Number of approvals in the ledger. */
  readonly recorded: () => Promise<number>;
}

/** Time of the gate and of its provider is one, and stands still. */
export function setTime(world: GateWorld, epochMs: number): void {
  world.clock.nowEpochMs = epochMs;
  vi.setSystemTime(epochMs);
}

/** @param changes - to how people sign on */
export async function signOnWorld(
  changes: (provider: TestProvider) => Partial<SignOnTerms> = () => ({}),
): Promise<SignOnWorld> {
  await using opening = new AsyncDisposableStack();
  const world = opening.use(await gateWorld());
  vi.useFakeTimers({ toFake: ["Date"], now: world.clock.nowEpochMs });
  opening.defer(() => void vi.useRealTimers());
  const provider = opening.use(
    await startProvider({
      redirectUri: redirectUri({ origin: PAGE }),
      account: { sub: "provider-7", acr: STRONG_ACR },
    }),
  );
  const state = {
    people: [
      { identity: "ada", account: "provider-7" },
      { identity: "grace", account: "provider-8" },
    ] as readonly SignOnPerson[],
    between: (_url: string, answer: () => Promise<Response>) => answer(),
  };
  const terms: SignOnTerms = {
    issuer: provider.issuer,
    origin: PAGE,
    clientId: provider.clientId,
    clientSecret: provider.clientSecret,
    accountClaim: "sub",
    people: () => state.people,
    scopes: [],
    strong: { acr: [STRONG_ACR], amr: [] },
    maxAgeSeconds: 120,
    witness: world.key("gate of the shop", "gate"),
    ...changes(provider),
  };
  world.signOn = terms;
  const passkeys = { ada: softwareAuthenticator("ada", PAGE), grace: softwareAuthenticator("grace", PAGE) };
  world.passkeys = [passkeys.ada.passkey, passkeys.grace.passkey];
  const between: typeof fetch = (input, init) => state.between(String(input), () => fetch(input, init));
  const gate = opening.use(
    await world.serve({
      parts: {
        passkeys: { origin: PAGE, passkeys: () => world.passkeys },
        signOn: { terms, provider: identityProvider(terms, { fetch: between, report: () => undefined }) },
      },
    }),
  );
  world.policy = allowing(2);
  const plan = world.plan(1);
  const { json } = await gate.ask("/v1/verdicts", { body: world.submission(plan, 3), as: "ci" });
  await gate.ask("/v1/drills", { body: { bundle: world.drill() }, as: "ci" });
  const about = { purpose: "approve", plan: plan.sha256, verdict: json.digest, environment: ENVIRONMENT.id };
  const ask = async (browser: TestBrowser, path: string, options: Parameters<ServedGate["ask"]>[1] = {}) => {
    const cookie = cookieHeader(browser, PAGE);
    const headers = { ...options.headers, ...(cookie === "" ? {} : { cookie }) };
    const answer = await gate.ask(path, { ...options, headers });
    keepCookies(browser, PAGE, answer.headers);
    return answer;
  };
  const begin: SignOnWorld["begin"] = (browser, { origin = PAGE, purpose = "approve" } = {}) =>
    ask(browser, "/v1/sign-on/start", { body: { ...about, purpose }, headers: { origin } });
  const finish: SignOnWorld["finish"] = (browser, { pathname, search }) => ask(browser, `${pathname}${search}`);
  const signOn = async (purpose: "approve" | "take-back"): Promise<Answer> => {
    const browser = newBrowser();
    const started = await begin(browser, { purpose });
    if (started.status !== 200) return started;
    return await finish(browser, await visitProvider(browser, started.json.location));
  };
  const owned = opening.move();
  return {
    world,
    gate,
    provider,
    plan,
    verdict: json.digest,
    terms,
    passkeys,
    get people() {
      return state.people;
    },
    set people(people) {
      state.people = people;
    },
    get between() {
      return state.between;
    },
    set between(put) {
      state.between = put;
    },
    begin,
    visitProvider,
    finish,
    approve: async (account) => {
      if (account !== undefined) provider.account = account;
      return await signOn("approve");
    },
    takeBack: () => signOn("take-back"),
    byPasskey: async (who, purpose = "approve") => {
      const asked = await gate.ask("/v1/passkeys/challenge", { body: { ...about, purpose } });
      const assertion = passkeys[who].answer(asked.json.challenge);
      return await gate.ask("/v1/passkeys/approve", { body: { words: asked.json.words, assertion } });
    },
    isAdmitted: async () => {
      const change = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };
      const body = { plan: plan.sha256, environment: ENVIRONMENT.id, change };
      return (await gate.ask("/v1/promotions/check", { body, as: "ci" })).status === 200;
    },
    recorded: async () => (await world.ledger.entriesAbout(plan.sha256, ["approval"])).length,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Follows the provider's redirects until they lead to the gate. */
async function visitProvider(browser: TestBrowser, location: string): Promise<URL> {
  let url = new URL(location);
  for (let hops = 0; url.origin !== PAGE; hops += 1) {
    if (hops > 10) throw new Error(`the provider leads nowhere: ${url}`);
    const response = await fetch(url, { redirect: "manual", headers: { cookie: cookieHeader(browser, url.origin) } });
    keepCookies(browser, url.origin, response.headers);
    const next = response.headers.get("location");
    if (next === null) throw new Error(`the provider answers ${response.status}: ${await response.text()}`);
    url = new URL(next, url);
  }
  return url;
}

function cookieHeader({ cookies }: TestBrowser, origin: string): string {
  return [...(cookies.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`).join("; ");
}

function keepCookies({ cookies }: TestBrowser, origin: string, headers: Headers): void {
  const kept = cookies.get(origin) ?? new Map<string, string>();
  cookies.set(origin, kept);
  for (const line of headers.getSetCookie()) {
    const [name = "", value = ""] = line.split(";", 1)[0]?.split(/=(.*)/s) ?? [];
    if (value === "" || /max-age=0\b/i.test(line)) kept.delete(name);
    else kept.set(name, value);
  }
}
