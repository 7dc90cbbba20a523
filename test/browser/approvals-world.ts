import type { Browser, BrowserContext, CDPSession, Page } from "playwright-core";
import type { Passkey } from "../../src/gate/approvals-page/passkeys.ts";
import { identityProvider } from "../../src/gate/single-sign-on/identity-provider.ts";
import { redirectUri, type SignOnTerms } from "../../src/gate/single-sign-on/sign-on-terms.ts";
import { allowing, type GateWorld, gateWorld, type SignedPlan } from "../gate/gate-world.ts";
import { ENVIRONMENT } from "../gate/promotion-builder.ts";
import { startProvider, type TestProvider } from "../support/oidc-provider.ts";

export const STRONG_ACR = "urn:example:phishing-resistant";

/** A gate with its approvals page, on which people approve by passkey and with a real OpenID provider. */
export interface ApprovalsWorld extends AsyncDisposable {
  readonly world: GateWorld;
  readonly provider: TestProvider;
  /** `http://localhost:<port>`: browsers let passkeys be used there without TLS. */
  readonly origin: string;
  /** Publishes a plan of tier 3 with its verdict, and a drill. */
  readonly publish: (options?: {
    readonly change?: (plan: Record<string, unknown>) => void;
    readonly verdict?: Parameters<GateWorld["submission"]>[2];
  }) => Promise<SignedPlan>;
  readonly pageOf: (plan: SignedPlan) => string;
  readonly isAdmitted: (plan: SignedPlan) => Promise<boolean>;
  readonly recorded: (plan: SignedPlan) => Promise<number>;
}

/** Its clock stands still at the real time, which the browser and the provider go by. */
export async function approvalsWorld(): Promise<ApprovalsWorld> {
  await using opening = new AsyncDisposableStack();
  const world = opening.use(await gateWorld());
  world.clock.nowEpochMs = Date.now();
  const state = { origin: "", terms: undefined as SignOnTerms | undefined };
  const later = (): SignOnTerms => {
    if (state.terms === undefined) throw new Error("the gate listens, and does not know its provider yet");
    return state.terms;
  };
  const providerOf = () => identityProvider(later(), { fetch, report: () => undefined });
  const passkeys = {
    get origin() {
      return state.origin;
    },
    passkeys: () => world.passkeys,
  };
  const signOn = {
    get terms() {
      return later();
    },
    provider: {
      authorizationUrl: (...asked: Parameters<ReturnType<typeof providerOf>["authorizationUrl"]>) =>
        providerOf().authorizationUrl(...asked),
      redeem: (...asked: Parameters<ReturnType<typeof providerOf>["redeem"]>) => providerOf().redeem(...asked),
    },
  };
  // The address is the page's own name, and known only once the gate listens.
  const gate = opening.use(await world.serve({ parts: { passkeys, signOn } }));
  state.origin = gate.url.replace("127.0.0.1", "localhost");
  world.pageOrigin = state.origin;
  const account = { sub: "provider-7", acr: STRONG_ACR };
  const provider = opening.use(await startProvider({ redirectUri: redirectUri(state), account }));
  state.terms = {
    issuer: provider.issuer,
    origin: state.origin,
    clientId: provider.clientId,
    clientSecret: provider.clientSecret,
    accountClaim: "sub",
    people: () => [{ identity: "ada@example.com", account: "provider-7" }],
    scopes: [],
    strong: { acr: [STRONG_ACR], amr: [] },
    maxAgeSeconds: 120,
    witness: world.key("gate of the shop", "gate"),
  };
  world.signOn = state.terms;
  world.policy = allowing(2);
  await gate.ask("/v1/drills", { body: { bundle: world.drill() }, as: "ci" });
  const owned = opening.move();
  return {
    world,
    provider,
    origin: state.origin,
    publish: async ({ change, verdict } = {}) => {
      const finishedEpochMs = world.clock.nowEpochMs - 25 * 60_000;
      const plan = world.plan(1, change);
      const times = { startedEpochMs: finishedEpochMs - 300_000, finishedEpochMs };
      const body = world.submission(plan, 3, { ...times, ...verdict });
      const { status, text } = await gate.ask("/v1/verdicts", { body, as: "ci" });
      if (status !== 201 && status !== 200) throw new Error(`the verdict was not taken: ${text}`);
      return plan;
    },
    pageOf: (plan) => `${state.origin}/approvals/plans/${plan.sha256}`,
    isAdmitted: async (plan) => {
      const change = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };
      const body = { plan: plan.sha256, environment: ENVIRONMENT.id, change };
      return (await gate.ask("/v1/promotions/check", { body, as: "ci" })).status === 200;
    },
    recorded: async (plan) => (await world.ledger.entriesAbout(plan.sha256, ["approval"])).length,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A person at a browser of their own. */
export interface PersonAtBrowser extends AsyncDisposable {
  readonly page: Page;
  /** Everything that the pages logged, and every address elsewhere that they asked for. */
  readonly noise: string[];
  /** What the person's authenticator does when it is asked: confirms that it is them, or not. */
  readonly confirms: (isThem: boolean) => Promise<void>;
}

/** Opens one, with an authenticator that verifies its user (Chrome DevTools Protocol, domain WebAuthn). */
export async function personAt(
  browser: Browser,
  look: { readonly width?: number; readonly scheme?: "light" | "dark" } = {},
): Promise<PersonAtBrowser> {
  const { width = 1200, scheme = "light" } = look;
  const context: BrowserContext = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
  const page = await context.newPage();
  const cdp: CDPSession = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const noise: string[] = [];
  page.on("console", (message) => noise.push(message.text()));
  page.on("pageerror", (error) => noise.push(error.message));
  page.on("dialog", (dialog) => {
    noise.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return {
    page,
    noise,
    confirms: async (isUserVerified) =>
      void (await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified })),
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** Makes a passkey at the page; the operator lists it. */
export async function enrol(
  { page }: PersonAtBrowser,
  identity: string,
  { world, origin }: ApprovalsWorld,
): Promise<void> {
  await page.goto(`${origin}/approvals/enrol`);
  await page.getByLabel("Who you are").fill(identity);
  await page.getByRole("button", { name: "Make a passkey" }).click();
  await page.getByText("Give these lines to the operator").waitFor();
  const lines = (await page.locator("#lines").textContent()) ?? "";
  const passkey: Passkey = JSON.parse(lines.replace("- ", ""));
  world.passkeys = [...world.passkeys, passkey];
}
