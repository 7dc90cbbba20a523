import type { Configuration, CustomFetch } from "openid-client";
import { z } from "zod";
import { messageOf } from "../../core/errors.ts";
import { redirectUri, type SignOnTerms } from "./sign-on-terms.ts";
import type { SignOnSecrets } from "./sign-on-words.ts";

/** A person waits for each call; the token and the keys are asked for one after the other. */
const CALL_SECONDS_MAX = 4;
/** Discovery documents, key sets and tokens are some kilobytes. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/** What is looked at of an ID token (OpenID Connect Core 1.0, section 2). */
export const ClaimsSchema = z.looseObject({
  iss: z.string(),
  sub: z.string().min(1).max(255),
  auth_time: z.number().int().positive(),
  acr: z.string().min(1).max(255).optional(),
  amr: z.array(z.string().min(1).max(255)).max(20).default([]),
});
export type Claims = z.infer<typeof ClaimsSchema>;

export type Redeemed =
  | { readonly kind: "claims"; readonly claims: Claims }
  /** Somebody said no, or the answer is not about what was asked. */
  | { readonly kind: "refused"; readonly message: string }
  /** The provider gave no answer. */
  | { readonly kind: "unavailable"; readonly message: string };

/** The identity provider, as a relying party sees it. */
export interface IdentityProvider {
  /** Where to send the person. @throws when the provider cannot be asked, or is another than the configured one */
  authorizationUrl(secrets: SignOnSecrets): Promise<string>;
  /** What the answer that a person brought back is worth. */
  redeem(query: URLSearchParams, secrets: SignOnSecrets): Promise<Redeemed>;
}

/**
 * OpenID Connect by its code flow with PKCE, `state`, `nonce` and `max_age`. The ID token's own signature is checked beside the
 * connection's: it is what the gate goes on to witness.
 */
export function identityProvider(
  terms: SignOnTerms,
  world: { readonly fetch: typeof fetch; readonly report: (message: string) => void },
): IdentityProvider {
  let known: Promise<Configuration> | undefined;
  const configuration = async (): Promise<Configuration> => {
    // Found out when it is first needed, so that a gate starts without its provider; a failure is not kept.
    known ??= discover(terms, world.fetch);
    try {
      return await known;
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
  return {
    authorizationUrl: async ({ state, nonce, codeVerifier }) => {
      const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await import("openid-client");
      const url = buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri(terms),
        scope: [...new Set(["openid", ...terms.scopes])].join(" "),
        code_challenge: await calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: "S256",
        state,
        nonce,
        max_age: String(terms.maxAgeSeconds),
        ...(terms.strong.acr.length === 0 ? {} : { acr_values: terms.strong.acr.join(" ") }),
      });
      return url.href;
    },
    redeem: async (query, { state, nonce, codeVerifier }) => {
      const client = await import("openid-client");
      try {
        const tokens = await client.authorizationCodeGrant(
          await configuration(),
          new URL(`${redirectUri(terms)}?${query}`),
          {
            expectedState: state,
            expectedNonce: nonce,
            pkceCodeVerifier: codeVerifier,
            maxAge: terms.maxAgeSeconds,
            idTokenExpected: true,
          },
        );
        const claims = ClaimsSchema.safeParse(tokens.claims());
        if (claims.success && claims.data.iss !== terms.issuer) return refused("the ID token is of another issuer");
        if (claims.success) return { kind: "claims", claims: claims.data };
        return refused("the identity provider does not say when or whom it has authenticated (auth_time, sub)");
      } catch (error) {
        const word = wordOf(error);
        world.report(`single sign-on: ${word ?? "no answer"}: ${messageOf(error)}`);
        if (word === undefined || NO_ANSWER.has(word))
          return { kind: "unavailable", message: "the identity provider gives no answer" };
        return error instanceof client.AuthorizationResponseError
          ? refused(`the identity provider says ${word}`)
          : refused(`the identity provider's answer does not fit this approval (${word})`);
      }
    },
  };
}

type Fetch = typeof fetch;

async function discover(terms: SignOnTerms, fetch: Fetch): Promise<Configuration> {
  const { allowInsecureRequests, ClientSecretPost, customFetch, discovery, enableNonRepudiationChecks } = await import(
    "openid-client"
  );
  const issuer = new URL(terms.issuer);
  // The configuration lets an issuer without TLS stand on loopback only.
  const insecure = issuer.protocol === "http:" ? [allowInsecureRequests] : [];
  return await discovery(issuer, terms.clientId, {}, ClientSecretPost(terms.clientSecret), {
    execute: [...insecure, enableNonRepudiationChecks],
    [customFetch]: boundedFetch(fetch),
    timeout: CALL_SECONDS_MAX,
  });
}

function boundedFetch(fetch: Fetch): CustomFetch {
  return async (url, { body, ...options }) => {
    const response = await fetch(url, { ...options, body: body ?? null });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) throw new Error(`the provider's answer is longer than ${ANSWER_BYTES_MAX} bytes`);
      chunks.push(chunk);
    }
    const { status, headers } = response;
    return new Response(bytes === 0 ? null : Buffer.concat(chunks), { status, headers });
  };
}

/** Words of the library, or of RFC 6749, that say that there was no answer, in contrast to a wrong one. */
const NO_ANSWER: ReadonlySet<string> = new Set([
  "OAUTH_TIMEOUT",
  "OAUTH_ABORT",
  "OAUTH_RESPONSE_IS_NOT_CONFORM",
  "server_error",
  "temporarily_unavailable",
]);

/** What went wrong, as one word; undefined where not even that is known. */
function wordOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const named = "error" in error ? error.error : "code" in error ? error.code : undefined;
  return typeof named === "string" && /^[A-Za-z_]{1,60}$/.test(named) ? named : undefined;
}

function refused(message: string): Redeemed {
  return { kind: "refused", message };
}
