/** One request that an action is about to send, for which it gets a token of its own. */
export interface TokenRequest {
  /** `<run>/<action>`. */
  readonly subject: string;
  /** Service that the token is for. */
  readonly audience: string;
  readonly method: string;
  /** Path with its query. */
  readonly path: string;
  /** The action's scopes that cover the request, as its plan wrote them. */
  readonly scopes: readonly string[];
  /** How long the action may take, ms; the token lives no longer. */
  readonly lifetimeMs: number;
}

/** Makes the token of one request; wired by `cli`, which owns the key. */
export type MintToken = (request: TokenRequest) => string;
