import type { Clock } from "../../core/clock.ts";
import { CanaryError, messageOf } from "../../core/errors.ts";
import type { Notice } from "../../core/notifier.ts";
import type { Deliver } from "./queued-notifier.ts";

/** One try; after it the next waits so long. Suggested by Standard Webhooks, cut to what a run can wait for. */
const RETRY_AFTER_MS = [1000, 3000] as const;
const TRY_MS_MAX = 3000;
/** `Retry-After` and longer outages are the business of a receiver that has a queue. */
const NEVER_AGAIN = 410;

/** What the sink needs of the network: `fetch`, or a test's own. */
export type Post = (url: string, init: RequestInit) => Promise<Pick<Response, "status" | "body">>;

/**
 * Where notices may be posted to: loopback, or a host that the operator lists and that speaks TLS.
 * @throws CanaryError USAGE
 */
export function checkedWebhook(url: string, allowedHosts: readonly string[]): URL {
  const refuse = (message: string, hint: string): never => {
    throw new CanaryError({ code: "USAGE", message, hint });
  };
  const parsed = URL.parse(url);
  if (parsed === null || !["http:", "https:"].includes(parsed.protocol))
    return refuse("the webhook is no http or https URL", "Give --notify-webhook https://host/path.");
  if (parsed.username !== "" || parsed.password !== "")
    return refuse(
      "the webhook's URL carries a password",
      "Receivers check the signature; give the secret in CANARY_NOTIFY_SECRET.",
    );
  if (isLoopback(parsed.hostname)) return parsed;
  if (!allowedHosts.includes(parsed.hostname))
    return refuse(
      `notices may not be posted to ${parsed.hostname}`,
      `Only loopback is, unless the operator lists the host: --notify-host ${parsed.hostname}`,
    );
  if (parsed.protocol !== "https:")
    return refuse(`${parsed.hostname} would be told in the clear`, "Use https for every host but loopback.");
  return parsed;
}

/** Addresses only, and the one name that is reserved for them: what else a name means is up to whoever answers for it. */
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

/**
 * Posts notices as Standard Webhooks 1.0.0: signed over id, time and body, few tries, redirects refused.
 * @param options.secret - `whsec_` and base64 of 24 to 64 bytes
 * @throws CanaryError USAGE when the secret is none
 */
export async function webhookSink(options: {
  readonly url: URL;
  readonly secret: string;
  readonly clock: Clock;
  readonly post?: Post;
}): Promise<Deliver> {
  const { url, clock } = options;
  const post: Post = options.post ?? ((target, init) => fetch(target, init));
  const webhook = await signerOf(options.secret);
  let isGone = false;
  return async (notice, signal) => {
    const body = JSON.stringify(bodyOf(notice));
    for (let tries = 0; ; tries++) {
      if (isGone) return "the receiver has said that it wants no more";
      const failed = await attempt({ url, body, notice, webhook, clock, post, signal });
      if (failed === undefined) return undefined;
      isGone = failed.isGone;
      const waitMs = RETRY_AFTER_MS[tries];
      if (waitMs === undefined || !failed.mayTryAgain) return failed.why;
      await clock.sleep(waitMs, signal);
    }
  };
}

type Webhook = InstanceType<typeof import("standardwebhooks")["Webhook"]>;

async function signerOf(secret: string): Promise<Webhook> {
  const { Webhook } = await import("standardwebhooks");
  const bytes = Buffer.from(secret.replace(/^whsec_/, ""), "base64").length;
  if (!secret.startsWith("whsec_") || bytes < 24 || bytes > 64) {
    throw new CanaryError({
      code: "USAGE",
      message: "the webhook's secret is none of Standard Webhooks",
      hint: "It is whsec_ and the base64 of 24 to 64 random bytes: echo whsec_$(openssl rand -base64 32)",
    });
  }
  return new Webhook(secret);
}

interface Failed {
  readonly why: string;
  readonly mayTryAgain: boolean;
  readonly isGone: boolean;
}

async function attempt(options: {
  readonly url: URL;
  readonly body: string;
  readonly notice: Notice;
  readonly webhook: Webhook;
  readonly clock: Clock;
  readonly post: Post;
  readonly signal: AbortSignal;
}): Promise<Failed | undefined> {
  const { url, body, notice, webhook, clock, post, signal } = options;
  // Each try is signed anew: receivers refuse what is older than five minutes.
  const sentAt = new Date(clock.epochMs());
  try {
    const response = await post(url.href, {
      method: "POST",
      body,
      redirect: "error",
      headers: {
        "content-type": "application/json",
        "webhook-id": notice.id,
        "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1000)),
        "webhook-signature": webhook.sign(notice.id, sentAt, body),
      },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TRY_MS_MAX)]),
    });
    await response.body?.cancel();
    const { status } = response;
    if (status >= 200 && status < 300) return undefined;
    const mayTryAgain = status >= 500 || status === 408 || status === 429;
    return { why: `it answered ${status}`, mayTryAgain, isGone: status === NEVER_AGAIN };
  } catch (error) {
    signal.throwIfAborted();
    return { why: messageOf(error), mayTryAgain: true, isGone: false };
  }
}

/** The convention of Standard Webhooks for bodies. */
export function bodyOf({ type, atEpochMs, data }: Notice): unknown {
  return { type, timestamp: new Date(atEpochMs).toISOString(), data };
}
