import { createHmac, timingSafeEqual } from "node:crypto";

/** Standard Webhooks 1.0.0: how far its time may be from ours, before and after. */
export const TOLERANCE_MS = 5 * 60_000;

/**
 * Whether GitHub signed a body: `X-Hub-Signature-256: sha256=<hex>`, HMAC-SHA256 of the bytes as they came.
 * It says nothing of when: deliveries are remembered (`recordDelivery`).
 */
export function isSignedByGitHub(body: Uint8Array, header: string | undefined, secret: string): boolean {
  const given = /^sha256=([0-9a-f]{64})$/.exec(header ?? "")?.[1];
  if (given === undefined) return false;
  const right = createHmac("sha256", secret).update(body).digest();
  return timingSafeEqual(Buffer.from(given, "hex"), right);
}

/** The headers of Standard Webhooks, as they came. */
export interface StandardHeaders {
  readonly id: string | undefined;
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
}

/**
 * Whether a body was signed by Standard Webhooks' scheme `v1` (HMAC-SHA256 over id, time and body), now: one of the listed
 * signatures is enough, so that secrets can be exchanged.
 * @param secret - `whsec_` and base64 of the key
 */
export function isSignedStandard(
  body: Uint8Array,
  { id, timestamp, signature }: StandardHeaders,
  terms: { readonly secret: string; readonly nowEpochMs: number },
): boolean {
  if (id === undefined || timestamp === undefined || signature === undefined) return false;
  if (!/^[\w.:-]{1,200}$/.test(id) || !/^\d{1,12}$/.test(timestamp)) return false;
  if (!(Math.abs(terms.nowEpochMs - Number(timestamp) * 1000) <= TOLERANCE_MS)) return false;
  const key = Buffer.from(terms.secret.replace(/^whsec_/, ""), "base64");
  const right = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  return signature
    .split(" ")
    .slice(0, 10)
    .some((one) => {
      const given = Buffer.from(/^v1,([A-Za-z0-9+/]{43}=)$/.exec(one)?.[1] ?? "", "base64");
      return given.length === right.length && timingSafeEqual(given, right);
    });
}
