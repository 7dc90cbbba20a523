import type { IncomingMessage, ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import { DependencyFailure } from "../service/dependency.ts";
import { type Log, reasonOf } from "../service/log.ts";
import type { ApiMetrics } from "./api-metrics.ts";
import { HttpFailure } from "./http-failure.ts";
import { readJsonBody } from "./read-body.ts";
import { matchRoute, type Reply, type Route } from "./route.ts";

/** What the listener answers from. `check` rejects while the api cannot serve. */
export interface ApiParts {
  readonly routes: readonly Route[];
  readonly metrics: ApiMetrics;
  readonly registry: Registry;
  readonly check: () => Promise<void>;
  readonly log: Log;
}

/** The api as a `node:http` listener: never throws, always answers. Probes and scrapes are not measured. */
export function apiListener(parts: ApiParts): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const url = new URL(request.url ?? "/", "http://api");
    if (url.pathname === "/metrics") void sendMetrics(parts, response);
    else if (url.pathname === "/healthz") void sendHealth(parts, response);
    else void serve(parts, request, response, url);
  };
}

async function serve(parts: ApiParts, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const method = request.method ?? "";
  const stopTimer = parts.metrics.requestSeconds.startTimer();
  let label = "unknown";
  try {
    const { route, parameter } = matchRoute(parts.routes, method, url.pathname);
    label = route.path;
    const token = request.headers["x-session-token"];
    const reply = await route.handle({
      query: url.searchParams,
      parameter,
      sessionToken: typeof token === "string" ? token : undefined,
      body: method === "POST" ? await readJsonBody(request) : undefined,
    });
    send(response, reply);
  } catch (error) {
    send(response, failureReply(error, parts.log));
  }
  stopTimer({ method: label === "unknown" ? "other" : method, route: label, status: response.statusCode });
}

/** Refusals as they are; a dependency that is away 503; anything else is a bug of ours, 500. */
function failureReply(error: unknown, log: Log): Reply {
  if (error instanceof HttpFailure) {
    return { status: error.status, body: { error: { code: error.code, message: error.message } } };
  }
  if (error instanceof DependencyFailure) {
    log.warn("dependency failed", { dependency: error.dependency, reason: reasonOf(error.cause) });
    const message = `${error.dependency} did not answer; try again`;
    return { status: 503, body: { error: { code: `${error.dependency}_unavailable`, message } } };
  }
  log.warn("unexpected failure", { reason: reasonOf(error) });
  return { status: 500, body: { error: { code: "internal", message: "unexpected failure" } } };
}

function send(response: ServerResponse, reply: Reply): void {
  const text = JSON.stringify(reply.body);
  response
    .writeHead(reply.status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
    .end(text);
}

async function sendMetrics({ registry }: ApiParts, response: ServerResponse): Promise<void> {
  const text = await registry.metrics();
  response.writeHead(200, { "content-type": registry.contentType }).end(text);
}

async function sendHealth({ check }: ApiParts, response: ServerResponse): Promise<void> {
  try {
    await check();
    response.writeHead(200).end("ok\n");
  } catch (error) {
    response.writeHead(503).end(`${reasonOf(error)}\n`);
  }
}
