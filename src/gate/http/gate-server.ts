import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { authenticate, credentialsOf } from "./authenticate.ts";
import { boundConnections } from "./connections.ts";
import { type Exchange, type KnownCaller, problem, type Reply } from "./exchange.ts";
import type { GateMetrics } from "./gate-metrics.ts";
import { createServer } from "./plain-server.ts";
import { type RateLimit, rateLimit } from "./rate-limit.ts";
import { type BodyBudget, readBody } from "./read-body.ts";
import { type FoundRoute, findRoute, type Route } from "./route.ts";
import { type Asking, tooOften } from "./too-often.ts";

/** A certificate with its key (PEM), and the authority whose certificates clients may show. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
}

export interface GateServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly tls?: TlsMaterial;
  /** What one address may hold, and how long a client may take for its TLS handshake. */
  readonly connections: { readonly perAddressMax: number; readonly handshakeMsMax: number };
  readonly routes: readonly Route[];
  /** Asked anew for every request, so that a token that is revoked is so on connections that stand, too. */
  readonly callers: () => readonly KnownCaller[];
  readonly clock: Clock;
  readonly metrics: GateMetrics;
  /** Told what went wrong inside; callers are told only that something did. */
  readonly report: (message: string) => void;
}

/** A gate that listens. Disposing drains it: what was asked is answered, then everything is closed. */
export interface GateServer extends AsyncDisposable {
  readonly url: string;
  /** From then on it says that it is not ready, and takes nothing new; answers are still given. */
  drain(): void;
  /** Serves new connections with another certificate. @throws when the material does not fit together; the old one stays */
  reloadTls(material: TlsMaterial): void;
}

/**
 * Listens. Every limit is set before a request is looked at: connections, heads, time for a request, bytes, requests at once,
 * requests of one caller.
 */
export async function startGateServer(options: GateServerOptions): Promise<GateServer> {
  const state: State = {
    options,
    limit: rateLimit(options.clock),
    budget: { left: LIMITS.gateBodiesBytesMax },
    stopping: new AbortController(),
    atOnce: 0,
    isDraining: false,
  };
  const { tls, connections } = options;
  const { perAddressMax, handshakeMsMax: handshakeTimeout } = connections;
  const tlsServer =
    tls && (await import("node:https")).createServer({ ...HTTP, handshakeTimeout, ...secureContext(tls) });
  const server: Server = tlsServer ?? createServer(HTTP);
  boundConnections(server, perAddressMax);
  server.maxHeadersCount = 100;
  server.on("request", (request, response) => void serve(request, response, state));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    url: `${tlsServer === undefined ? "http" : "https"}://${host}:${port}`,
    drain: () => {
      state.isDraining = true;
    },
    reloadTls: (material) => tlsServer?.setSecureContext(secureContext(material)),
    [Symbol.asyncDispose]: () => close(server, state),
  };
}

interface State {
  readonly options: GateServerOptions;
  readonly limit: RateLimit;
  readonly budget: BodyBudget;
  readonly stopping: AbortController;
  atOnce: number;
  isDraining: boolean;
}

const HTTP = {
  requestTimeout: LIMITS.gateRequestMsMax,
  headersTimeout: LIMITS.gateHeadersMsMax,
  keepAliveTimeout: LIMITS.gateRequestMsMax,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 16 * 1024,
  insecureHTTPParser: false,
};

/**
 * Whoever shows no certificate is let in to be known by a token, and one of another authority is no credential: which caller
 * must show which is the callers' list, which every request is held to.
 */
function secureContext({ cert, key, clientCa }: TlsMaterial) {
  const client = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false };
  return { cert, key, minVersion: "TLSv1.2" as const, ...client };
}

/** What was asked is answered within the time that one request may take; whoever still holds a connection then loses it. */
async function close(server: Server, state: State): Promise<void> {
  state.isDraining = true;
  const finished = new AbortController();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const late = state.options.clock.sleep(LIMITS.gateRequestMsMax, finished.signal).then(
    () => {
      state.stopping.abort(new Error("the gate is stopping"));
      server.closeAllConnections();
    },
    () => undefined,
  );
  await closed;
  finished.abort();
  await late;
}

async function serve(request: IncomingMessage, response: ServerResponse, state: State): Promise<void> {
  const { clock, metrics, report } = state.options;
  const startedMs = clock.monotonicMs();
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const found = findRoute(state.options.routes, request.method ?? "", path);
  state.atOnce += 1;
  try {
    const reply = await replyTo(request, found, state).catch((error: unknown) => {
      report(`${request.method} ${found.kind === "route" ? found.route.path : "(no route)"}: ${messageOf(error)}`);
      return problem(500, "INTERNAL", "The gate failed", "nothing was admitted; the gate's log says why");
    });
    send(response, reply, state);
    const route = found.kind === "route" ? found.route.path : "(none)";
    metrics.answered({ route, status: reply.status, seconds: (clock.monotonicMs() - startedMs) / 1000 });
  } finally {
    state.atOnce -= 1;
  }
}

async function replyTo(request: IncomingMessage, found: FoundRoute, state: State): Promise<Reply> {
  if (found.kind !== "route") return tooOften(askingOf(request, state), state.limit) ?? notThere(found);
  const { route, params } = found;
  if (state.isDraining && route.whileDraining !== true) return busy("the gate is stopping");
  if (state.atOnce > LIMITS.gateRequestsAtOnceMax && route.isProbe !== true) return busy("too many requests at once");
  const admitted = admit(request, found, state);
  if (admitted.kind === "refused") return admitted.reply;
  const body = await readBody(request, route.bodyBytesMax, state.budget);
  if (body.kind === "refused") return body.reply;
  const exchange: Exchange = {
    ...(admitted.caller === undefined ? {} : { caller: admitted.caller }),
    params,
    query: new URLSearchParams((request.url ?? "").split("?")[1] ?? ""),
    headers: singleHeaders(request),
    body: body.bytes,
  };
  return await route.handle(exchange, state.stopping.signal);
}

type Admitted =
  | { readonly kind: "admitted"; readonly caller?: KnownCaller }
  | { readonly kind: "refused"; readonly reply: Reply };

/** Who it is, whether they may ask this, and whether they have not asked too often. Before a byte of the body is read. */
function admit(
  request: IncomingMessage,
  { route, params }: { readonly route: Route; readonly params: Readonly<Record<string, string>> },
  state: State,
): Admitted {
  const asking = askingOf(request, state, { key: params["key"], access: route.access });
  const { caller } = asking;
  const isOpen = route.access === "open" || route.access === "signed";
  const refusal = route.isProbe === true ? undefined : tooOften(asking, state.limit);
  if (refusal !== undefined) return { kind: "refused", reply: refusal };
  if (isOpen) return { kind: "admitted", ...(caller === undefined ? {} : { caller }) };
  if (caller === undefined) {
    const detail = "send Authorization: Bearer <token>, or a certificate that the gate knows";
    const reply = problem(401, "UNAUTHENTICATED", "The gate does not know you", detail);
    return { kind: "refused", reply: { ...reply, headers: { "www-authenticate": "Bearer" } } };
  }
  if ((caller.may as readonly string[]).includes(route.access)) return { kind: "admitted", caller };
  const reply = problem(403, "NOT_PERMITTED", "You may not ask this", `it needs the permission ${route.access}`);
  return { kind: "refused", reply };
}

function askingOf(
  request: IncomingMessage,
  { options }: State,
  { key, access }: { readonly key: string | undefined; readonly access: Asking["access"] } = NO_ROUTE,
): Asking {
  const caller = authenticate(options.callers(), credentialsOf(request, key));
  return { caller, address: request.socket.remoteAddress ?? "", access };
}

const NO_ROUTE = { key: undefined, access: "none" } as const;

function notThere(found: Exclude<FoundRoute, { readonly kind: "route" }>): Reply {
  if (found.kind === "none") return problem(404, "NOT_FOUND", "There is no such thing", "see /openapi.json");
  const allowed = found.allowed.join(", ");
  return {
    ...problem(405, "METHOD_NOT_ALLOWED", "Not with this method", `allowed: ${allowed}`),
    headers: { allow: allowed },
  };
}

/** A header that comes twice is a header that two readers read differently, so it is none. */
function singleHeaders({ headersDistinct }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headersDistinct).flatMap(([name, values]) =>
      values?.length === 1 && values[0] !== undefined ? [[name, values[0]]] : [],
    ),
  );
}

function busy(why: string): Reply {
  return { ...problem(503, "BUSY", "The gate cannot take this now", why), headers: { "retry-after": "1" } };
}

function send(response: ServerResponse, reply: Reply, { isDraining }: State): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const isText = typeof reply.body === "string";
  const body = isText ? reply.body : `${JSON.stringify(reply.body)}\n`;
  // A body that was not read to its end stands in the way of the next request on this connection.
  const mustClose = isDraining || !response.req.complete;
  response.writeHead(reply.status, {
    "content-type": reply.contentType ?? (isText ? "text/plain; charset=utf-8" : "application/json"),
    "content-length": Buffer.byteLength(String(body)),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(mustClose ? { connection: "close" } : {}),
    ...reply.headers,
  });
  response.end(body);
}
