import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import Provider, { type Configuration } from "oidc-provider";

const KEY_NAME = "provider-key";
/** Of all providers of a test file: making one takes longer than everything else. */
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** Who can sign on at a provider under test, with the claims that it gives about them. */
export interface ProviderAccount {
  readonly sub: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly acr?: string;
  readonly amr?: readonly string[];
  /** Seconds ago that the person was authenticated, as the provider says. */
  readonly authenticatedSecondsAgo?: number;
}

/** A real OpenID provider (the certified `oidc-provider`) on loopback; disposing closes it. */
export interface TestProvider extends AsyncDisposable {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who signs on next, without a page that asks them. */
  account: ProviderAccount;
  /** How often somebody was asked to authenticate. */
  readonly prompts: () => number;
  /** An ID token that says whatever a test wants, signed with the provider's own key or another one. */
  readonly sign: (claims: object, key?: KeyObject) => string;
}

/**
 * Starts it.
 * @param options.redirectUri - of the one client that it knows
 */
export async function startProvider(options: {
  readonly redirectUri: string;
  readonly account: ProviderAccount;
}): Promise<TestProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const state = { account: options.account, prompts: 0 };
  const jwk = { ...privateKey.export({ format: "jwk" }), kid: KEY_NAME, use: "sig", alg: "RS256" };
  const client = { clientId: "canary-gate", clientSecret: "a secret of at least thirty-two characters" };
  const provider = new Provider(issuer, {
    ...configuration(client, options.redirectUri, state),
    jwks: { keys: [jwk] },
  });
  const callback = provider.callback();
  server.on("request", (request, response) => {
    if (request.url?.startsWith("/interaction/") !== true) return void callback(request, response);
    state.prompts += 1;
    void logIn(provider, state.account, { request, response });
  });
  return {
    issuer,
    ...client,
    get account() {
      return state.account;
    },
    set account(account) {
      state.account = account;
    },
    prompts: () => state.prompts,
    sign: (claims, key = privateKey) => {
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
      const said = `${part({ alg: "RS256", typ: "JWT", kid: KEY_NAME })}.${part(claims)}`;
      return `${said}.${sign("RSA-SHA256", Buffer.from(said), key).toString("base64url")}`;
    },
    [Symbol.asyncDispose]: () => closed(server),
  };
}

async function logIn(
  provider: Provider,
  { sub, acr, amr, authenticatedSecondsAgo = 0 }: ProviderAccount,
  {
    request,
    response,
  }: {
    readonly request: Parameters<Provider["interactionFinished"]>[0];
    readonly response: Parameters<Provider["interactionFinished"]>[1];
  },
): Promise<void> {
  const ts = Math.floor(Date.now() / 1000) - authenticatedSecondsAgo;
  const login = {
    accountId: sub,
    ts,
    ...(acr === undefined ? {} : { acr }),
    ...(amr === undefined ? {} : { amr: [...amr] }),
  };
  await provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
}

function configuration(
  client: { readonly clientId: string; readonly clientSecret: string },
  redirectUri: string,
  state: { readonly account: ProviderAccount },
): Configuration {
  return {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: "client_secret_post",
        require_auth_time: true,
      },
    ],
    claims: {
      openid: ["sub", "groups", "amr"],
      email: ["email", "email_verified"],
      auth_time: null,
      acr: null,
    },
    acrValues: ["urn:example:phishing-resistant", "urn:example:password"],
    conformIdTokenClaims: false,
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({ sub, ...(state.account.sub === sub ? state.account.claims : {}) }),
    }),
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    features: { devInteractions: { enabled: false } },
    // Named, so that it does not tell how it would choose them.
    ttl: { AuthorizationCode: 3600, Interaction: 600, Grant: 3600, Session: 3600, AccessToken: 600, IdToken: 600 },
    pkce: { required: () => true },
    cookies: { keys: ["a key for the cookies of a provider under test"] },
    // Nobody is asked whether the gate may know who they are: it is their employer's.
    loadExistingGrant: async (context) => {
      const { client: asking, session } = context.oidc;
      const grant = new context.oidc.provider.Grant({
        clientId: asking?.clientId ?? "",
        accountId: session?.accountId ?? "",
      });
      grant.addOIDCScope("openid email");
      await grant.save();
      return grant;
    },
  };
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
