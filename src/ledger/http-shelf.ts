import { CanaryError, messageOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Shelf } from "./shelf.ts";

const TIMEOUT_MS = 30_000;
/** A full tile of the largest entries. */
const ANSWER_BYTES_MAX = 256 * (LIMITS.ledgerEntryBytesMax + 2);

/**
 * A server that takes files by PUT and gives them by GET under one address: WebDAV, an object store behind a gateway, a static host.
 * @param options.token - sent as a bearer token
 * @throws CanaryError USAGE when the address is no https one, nor http on loopback
 */
export function httpShelf(options: {
  readonly url: string;
  readonly token?: string;
  readonly fetch: typeof fetch;
}): Shelf {
  const base = baseOf(options.url);
  const authorization = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` };
  const ask = async (path: string, init: RequestInit): Promise<Response> => {
    try {
      // A redirect would carry the token to somewhere else.
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const headers = { ...authorization, "content-type": "application/octet-stream" };
      return await options.fetch(new URL(path, base), { ...init, headers, signal, redirect: "error" });
    } catch (cause) {
      throw unavailable(base.host, messageOf(cause), cause);
    }
  };
  return {
    description: `${base.origin}${base.pathname}`,
    get: async (path) => {
      const response = await ask(path, { method: "GET" });
      if (response.status === 404) {
        await response.body?.cancel();
        return undefined;
      }
      await refuseUnlessOk(response, base.host, path);
      return await boundedBody(response, base.host);
    },
    put: async (path, bytes) => {
      const response = await ask(path, { method: "PUT", body: Uint8Array.from(bytes) });
      await refuseUnlessOk(response, base.host, path);
      await response.body?.cancel();
    },
  };
}

function baseOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text.endsWith("/") ? text : `${text}/`) : undefined;
  const isLoopback = url !== undefined && /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(url.hostname);
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback);
  if (url !== undefined && isSafe && url.username === "" && url.password === "" && url.search === "") return url;
  throw new CanaryError({
    code: "USAGE",
    message: "a copy is sent to an https address, or http on loopback, without credentials or query in it",
    hint: "Give the token in CANARY_LEDGER_SHIP_TOKEN.",
  });
}

async function refuseUnlessOk(response: Response, host: string, path: string): Promise<void> {
  if (response.ok) return;
  await response.body?.cancel();
  throw unavailable(host, `it answered ${response.status} for ${path}`);
}

async function boundedBody(response: Response, host: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      if (size > ANSWER_BYTES_MAX) throw unavailable(host, `it answered more than ${ANSWER_BYTES_MAX} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    throw cause instanceof CanaryError ? cause : unavailable(host, messageOf(cause), cause);
  }
  return Buffer.concat(chunks);
}

function unavailable(host: string, why: string, cause?: unknown): CanaryError {
  return new CanaryError({
    code: "LEDGER_UNAVAILABLE",
    message: `the copy at ${host} can not be read or written: ${why}`,
    hint: "Nothing is lost: shipping goes on from where the copy is.",
    cause,
  });
}
