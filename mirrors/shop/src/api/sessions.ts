import { createHmac } from "node:crypto";
import type { Cache } from "../service/cache.ts";
import { answerOf } from "../service/dependency.ts";

const SESSION_SECONDS = 3_600;

/**
 * Token of the n-th session ever opened: unguessable without the secret, yet the same on two copies of the shop
 * that share it, so the n-th log-in has one token on both. A cache that lost its counter gives tokens out again: right
 * for a mirror, wrong for a shop with money in it.
 */
export function sessionToken(secret: string, sequence: number): string {
  return createHmac("sha256", secret).update(`session ${sequence}`).digest("base64url").slice(0, 32);
}

/** Opens a session in the cache and answers its token. @throws DependencyFailure */
export async function openSession(cache: Cache, secret: string, customerId: number): Promise<string> {
  const sequence = await answerOf("cache", cache.increment("session:sequence"));
  const token = sessionToken(secret, sequence);
  await answerOf("cache", cache.setText(keyOf(token), String(customerId), SESSION_SECONDS));
  return token;
}

/** The customer of a session, `undefined` when there is none. @throws DependencyFailure */
export async function customerOfSession(cache: Cache, token: string): Promise<number | undefined> {
  const text = await answerOf("cache", cache.getText(keyOf(token)));
  return text === null ? undefined : Number(text);
}

/** Tokens come from strangers: anything that is none of ours must not choose a key. */
function keyOf(token: string): string {
  return /^[\w-]{32}$/.test(token) ? `session:${token}` : "session:none";
}
