import { createPublicKey, verify } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tokenIssuer, tokenKeySet } from "../../src/attest/action-token.ts";
import type { Twin } from "../../src/mirror/twin.ts";
import { executeHttp } from "../../src/replay/actions/http-action.ts";
import type { StepContext } from "../../src/replay/actions/step-result.ts";
import { signer } from "../support/signers.ts";
import { simulatedClock } from "../support/simulated-clock.ts";

const NOON_MS = Date.parse("2026-11-23T12:00:00Z");
const ISSUER = signer("canary", "canary");
const [KEY] = JSON.parse(tokenKeySet(ISSUER.entry.publicPem, ISSUER.key.keyId)).keys;

let ids = 0;
let serverMs = NOON_MS;
let newId = (): string => `id-${++ids}`;
let server: Server;
let seen: string[];

/** A service that lets nobody act without a token for this very request, and takes each once. */
function objectionTo(request: IncomingMessage): string | undefined {
  const [header = "", payload = "", signature = ""] = String(request.headers["x-canary-token"] ?? "").split(".");
  const key = createPublicKey({ key: KEY, format: "jwk" });
  if (!verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url"))) return "no token";
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  if (claims.exp * 1000 <= serverMs) return "too late";
  if (claims.aud !== "api" || claims.htm !== request.method || claims.htu !== request.url) return "another request";
  if (seen.includes(claims.jti)) return "used";
  seen.push(claims.jti);
  return undefined;
}

beforeEach(async () => {
  seen = [];
  serverMs = NOON_MS;
  newId = () => `id-${++ids}`;
  server = createServer((request, response) => {
    const objection = objectionTo(request);
    response.writeHead(objection === undefined ? 200 : 403).end(objection);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

async function post(changes: Partial<StepContext> = {}, headers: Record<string, string> = {}): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const twin = { address: () => ({ host: "127.0.0.1", port }) } as unknown as Twin;
  const context: StepContext = {
    clock: simulatedClock(),
    signal: new AbortController().signal,
    timeoutMs: 5000,
    baseDir: "/",
    actionId: "retry",
    runId: "run-7",
    requires: ["http:post@api/jobs/**"],
    mint: tokenIssuer({ key: ISSUER.key, epochMs: () => NOON_MS, newId: () => newId() }),
    ...changes,
  };
  const step = {
    uses: "http",
    with: { service: "api", port: 8080, method: "POST", path: "/jobs/7/retry", headers, expectStatus: 200 },
  } as const;
  return (await executeHttp(step, twin, context)).output;
}

test("an action whose scopes cover its request may act, each time with a token of its own", async () => {
  expect(await post()).toBe("HTTP 200\n");
  expect(await post()).toBe("HTTP 200\n");
  expect(new Set(seen).size).toBe(2);
});

test("a plan that exceeds its scopes gets no token, and is turned away", async () => {
  expect(await post({ requires: ["http:post@api/orders/**"] })).toBe("HTTP 403\nno token");
  expect(await post({ requires: [] })).toBe("HTTP 403\nno token");
});

test("a plan can not bring a token of its own", async () => {
  expect(await post({ requires: [] }, { "X-Canary-Token": "stolen" })).toBe("HTTP 403\nno token");
});

test("a token is taken once, and only while its action may take", async () => {
  newId = () => "the same";
  await post();
  expect(await post()).toBe("HTTP 403\nused");
  newId = () => "another";
  serverMs = NOON_MS + 5000;
  expect(await post()).toBe("HTTP 403\ntoo late");
});
