import { createPublicKey, sign } from "node:crypto";
import type { MintToken } from "../core/action-token.ts";
import { invariant } from "../core/invariant.ts";
import type { SigningKey } from "./keys.ts";

/** Who issues the tokens of actions: the claim `iss`. */
export const TOKEN_ISSUER = "canary-harness";

/** No token lives longer, whatever the action's time box is. */
const LIFETIME_SECONDS_MAX = 300;

/**
 * Mints the tokens of actions: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037), each for one request. `htm` and `htu` bind it to
 * method and path as in RFC 9449, `scope` lists what was granted as in RFC 9068, `jti` lets the service take it once.
 */
export function tokenIssuer(options: {
  readonly key: SigningKey;
  readonly epochMs: () => number;
  /** Never the same twice. */
  readonly newId: () => string;
}): MintToken {
  const header = encoded({ alg: "EdDSA", typ: "JWT", kid: options.key.keyId });
  return ({ subject, audience, method, path, scopes, lifetimeMs }) => {
    const issuedAt = Math.floor(options.epochMs() / 1000);
    const payload = encoded({
      iss: TOKEN_ISSUER,
      sub: subject,
      aud: audience,
      iat: issuedAt,
      nbf: issuedAt,
      exp: issuedAt + Math.min(LIFETIME_SECONDS_MAX, Math.max(1, Math.ceil(lifetimeMs / 1000))),
      jti: options.newId(),
      htm: method,
      htu: path,
      scope: scopes.join(" "),
    });
    const signed = `${header}.${payload}`;
    return `${signed}.${sign(null, Buffer.from(signed), options.key.privateKey).toString("base64url")}`;
  };
}

/** The public half as a JSON Web Key Set (RFC 7517), for services that check tokens. */
export function tokenKeySet(publicPem: string, keyId: string): string {
  const { x } = createPublicKey(publicPem).export({ format: "jwk" });
  invariant(typeof x === "string", "an Ed25519 key has one coordinate");
  return JSON.stringify({ keys: [{ kty: "OKP", crv: "Ed25519", x, kid: keyId, alg: "EdDSA", use: "sig" }] });
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
