import type { RecordedRequest } from "../recordings/recorded-request.ts";
import type { RouteSpec } from "../traffic-spec.ts";
import { compileDocument, compileText, type Template, type TemplateScope } from "./template.ts";

/** An HTTP request ready to be sent; `headers` alternates names and values. */
export interface HttpMessage {
  readonly kind: "http";
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: string | Uint8Array | undefined;
}

/** A unary gRPC call ready to be sent; `method` indexes the run's gRPC methods. */
export interface GrpcMessage {
  readonly kind: "grpc";
  readonly proto: string;
  readonly service: string;
  readonly method: string;
  readonly message: unknown;
}

export type Message = HttpMessage | GrpcMessage;

/** Where an answer's value is taken from. */
export type CaptureSource = RouteSpec["capture"][string];

/** One route, or one recorded request, with everything that can be prepared before the first arrival. */
export interface Call {
  /** Index into `trafficRoutes`. */
  readonly route: number;
  readonly timeoutMs: number;
  readonly message: Template<Message>;
  /** Names to take from the answer. */
  readonly capture: readonly (readonly [name: string, source: CaptureSource])[];
  /** Pools that it feeds. */
  readonly gives: readonly number[];
}

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const PATH = /^\/[\x21-\x7e]*$/;
/** The connection sets these itself; a scenario that sets them too would contradict it. */
const SET_BY_CONNECTION = /^(connection|keep-alive|transfer-encoding|upgrade|expect|content-length|te|trailer)$/;
const DEFAULT_HOST = "localhost";

/** Finds the placeholders of a route's request; what is wrong is added to `scope.problems`. */
export function compileMessage(route: RouteSpec, scope: TemplateScope): Template<Message> {
  if (route.http !== undefined) return compileHttp(route.http, scope);
  const { proto = "", service = "", method = "", message = {} } = route.grpc ?? {};
  const document = compileDocument(message, { ...scope, where: `${scope.where}.grpc.message` });
  return {
    captures: document.captures,
    fixed: document.fixed,
    render: (context) => ({ kind: "grpc", proto, service, method, message: document.render(context) }),
  };
}

function compileHttp(http: NonNullable<RouteSpec["http"]>, scope: TemplateScope): Template<Message> {
  const at = (part: string): TemplateScope => ({ ...scope, where: `${scope.where}.http.${part}` });
  const path = compileText(http.path, at("path"), encodeURIComponent);
  if (!PATH.test(http.path)) scope.problems.push(`${scope.where}.http.path: percent-encode spaces and non-ASCII`);
  const headers = compileHeaders(http, at("headers"));
  const body = compileBody(http.body, at("body"));
  const parts = [path, ...headers, ...(body === undefined ? [] : [body])];
  const render: Template<Message>["render"] = (context) => ({
    kind: "http",
    method: http.method,
    path: path.render(context),
    headers: headers.map((header) => header.render(context)),
    body: body?.render(context),
  });
  const captures = [...new Set(parts.flatMap((part) => part.captures))];
  if (!parts.every((part) => part.fixed)) return { captures, fixed: false, render };
  const constant = render({ random: () => 0, sequence: 0, captured: () => "" });
  return { captures, fixed: true, render: () => constant };
}

/**
 * Names and values alternating. Host is set to the same text for both twins: their ports differ, and a service that
 * echoes its address would otherwise see two different requests.
 */
function compileHeaders(http: NonNullable<RouteSpec["http"]>, scope: TemplateScope): readonly Template<string>[] {
  const written = new Map(Object.entries(http.headers).map(([name, value]) => [name.toLowerCase(), value]));
  if (!written.has("host")) written.set("host", DEFAULT_HOST);
  if (typeof http.body === "object" && !written.has("content-type")) written.set("content-type", "application/json");
  return [...written].flatMap(([name, value]) => {
    const lists = [...value.matchAll(/\$\{pick:([^}]*)\}/g)].flatMap((match) => scope.values[match[1] ?? ""] ?? []);
    if (!HEADER_NAME.test(name) || ![value, ...lists].every((text) => HEADER_VALUE.test(String(text)))) {
      scope.problems.push(`${scope.where}: "${name}" is not a header that HTTP can carry`);
    }
    if (SET_BY_CONNECTION.test(name)) scope.problems.push(`${scope.where}: "${name}" is set by the connection itself`);
    return [compileText(name, scope), compileText(value, scope)];
  });
}

function compileBody(body: NonNullable<RouteSpec["http"]>["body"], scope: TemplateScope): Template<string> | undefined {
  if (body === undefined) return undefined;
  if (typeof body === "string") return compileText(body, scope);
  const document = compileDocument(body, scope);
  return {
    captures: document.captures,
    fixed: document.fixed,
    render: (context) => JSON.stringify(document.render(context)),
  };
}

/** A recorded request as a call: the same bytes every time. */
export function recordedCall(request: RecordedRequest, route: number, timeoutMs: number): Call {
  const message: Message = {
    kind: "http",
    method: request.method,
    path: request.path,
    headers: ["host", DEFAULT_HOST, ...request.headers],
    body: request.body,
  };
  return { route, timeoutMs, message: { captures: [], fixed: true, render: () => message }, capture: [], gives: [] };
}
