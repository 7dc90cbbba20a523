import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { pathToFileURL } from "node:url";
import type { RequestHandler } from "msw";
import type { Clock } from "../../core/clock.ts";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { invariant } from "../../core/invariant.ts";
import { LIMITS } from "../../core/limits.ts";
import type { StubSpec } from "../mirror-spec.ts";
import type { Role, StubCall } from "../twin.ts";
import type { StubAnswer } from "../twin-faults.ts";
import { brokenAnswer } from "./broken-stub.ts";

/** A listener that answers for the third parties of one twin. */
export interface StubListener extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Third parties that it answers for. */
  readonly hosts: readonly string[];
  calls(): readonly StubCall[];
  /** Answers every call to a host like this, whatever its handlers would say; `undefined` gives it back to them. */
  answerWith(host: string, answer: StubAnswer | undefined): void;
}

/**
 * Answers HTTP calls to the stubs' hosts with the handlers of their modules, on one address only.
 * Each twin loads the modules anew, so that a stub that remembers something does not mix the twins.
 * A call that no handler matches is answered 501 and recorded like the others.
 * @throws CanaryError MIRROR_INVALID when a module has no handlers; MIRROR_UNAVAILABLE when the address is not ours
 */
export async function listenForStubs(options: {
  readonly stubs: readonly StubSpec[];
  readonly address: string;
  /** A free one where absent. */
  readonly port?: number;
  readonly role: Role;
  readonly runId: string;
  readonly clock: Clock;
}): Promise<StubListener> {
  const handlersByHost = new Map<string, readonly RequestHandler[]>();
  for (const stub of options.stubs) {
    const known = handlersByHost.get(stub.host) ?? [];
    handlersByHost.set(stub.host, [...known, ...(await loadHandlers(stub, `${options.runId}-${options.role}`))]);
  }
  const { getResponse } = await import("msw");
  const calls: StubCall[] = [];
  const broken = new Map<string, StubAnswer>();
  const server = createServer((request, response) => {
    const host = (request.headers.host ?? "").replace(/:\d+$/, "");
    const handlers = handlersByHost.get(host) ?? [];
    const wrong = broken.get(host);
    answer(request, async (asked) =>
      wrong === undefined ? await getResponse([...handlers], asked) : brokenAnswer(wrong),
    )
      .catch((cause: unknown) => new Response(`the stub failed: ${messageOf(cause)}`, { status: 500 }))
      .then(async (reply) => {
        const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
        if (calls.length < LIMITS.stubCallsKeptMax)
          calls.push({
            host,
            method: request.method ?? "GET",
            path,
            status: reply.status,
            atMonotonicMs: options.clock.monotonicMs(),
          });
        await send(reply, response);
      })
      .catch(() => response.destroy());
  });
  // The ingress keeps idle connections for about a second; whoever closes first loses a request now and then.
  server.keepAliveTimeout = 60_000;
  const port = await listen(server, options.address, options.port ?? 0);
  return {
    host: options.address,
    port,
    hosts: [...handlersByHost.keys()],
    calls: () => calls.slice(),
    answerWith: (stubHost, wrong) => {
      if (wrong === undefined) broken.delete(stubHost);
      else broken.set(stubHost, wrong);
    },
    [Symbol.asyncDispose]: () => close(server),
  };
}

async function loadHandlers(stub: StubSpec, instance: string): Promise<readonly RequestHandler[]> {
  const url = pathToFileURL(stub.handlersPath);
  url.searchParams.set("twin", instance);
  const loaded: { handlers?: unknown } = await import(url.href).catch((cause: unknown) => {
    throw invalidStub(stub, `cannot be loaded: ${messageOf(cause)}`, cause);
  });
  if (!isHandlerList(loaded.handlers)) throw invalidStub(stub, "does not export a list `handlers`");
  return loaded.handlers;
}

/** By shape: a mirror may bring its own copy of msw, so `instanceof` would refuse good handlers. */
function isHandlerList(value: unknown): value is readonly RequestHandler[] {
  return Array.isArray(value) && value.every((it) => typeof it === "object" && it !== null && "resolver" in it);
}

function invalidStub(stub: StubSpec, problem: string, cause?: unknown): CanaryError {
  return new CanaryError({
    code: "MIRROR_INVALID",
    message: `the stub of ${stub.host} ${problem}`,
    hint: "A stub module exports `handlers`, a list of msw request handlers: https://mswjs.io/docs/",
    cause,
  });
}

async function answer(
  request: IncomingMessage,
  respond: (asked: Request) => Promise<Response | undefined>,
): Promise<Response> {
  const headers = new Headers();
  for (let at = 0; at < request.rawHeaders.length; at += 2)
    headers.append(request.rawHeaders[at] ?? "", request.rawHeaders[at + 1] ?? "");
  const method = request.method ?? "GET";
  const body = method === "GET" || method === "HEAD" ? null : await bodyOf(request);
  const asked = new Request(`http://${request.headers.host ?? "stub"}${request.url ?? "/"}`, { method, headers, body });
  return (
    (await respond(asked)) ??
    new Response(`no stub answers ${method} ${asked.url}`, { status: 501, statusText: "No stub" })
  );
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > LIMITS.responseBodyBytesMax) throw new Error("the request body is larger than a stub reads");
    chunks.push(piece);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

async function send(reply: Response, response: ServerResponse): Promise<void> {
  for (const [name, value] of reply.headers) if (name !== "set-cookie") response.setHeader(name, value);
  const cookies = reply.headers.getSetCookie();
  if (cookies.length > 0) response.setHeader("set-cookie", cookies);
  response.writeHead(reply.status);
  response.end(Buffer.from(await reply.arrayBuffer()));
}

async function listen(server: Server, address: string, wanted: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: address, port: wanted }, resolve);
  await promise.catch((cause: unknown) => {
    throw new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: `the stubs cannot listen on the twins' network (${address}): ${messageOf(cause)}`,
      hint: "Stubs need an engine on this machine whose networks are the machine's own (not a virtual machine's).",
      cause,
    });
  });
  const bound = server.address();
  invariant(bound !== null && typeof bound === "object", "a TCP server has an address");
  return bound.port;
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
