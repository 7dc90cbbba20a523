import { CanaryError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { OTHER_ROUTE } from "../traffic/traffic-routes.ts";
import type { TrafficSpec } from "../traffic-spec.ts";

/** One request of a recording in the one form that all formats are read into. */
export interface RecordedRequest {
  /** From the first request of the recording, ms, ascending over the list. */
  readonly offsetMs: number;
  readonly method: string;
  /** Path and query, `/a?b=c`; printable ASCII. */
  readonly path: string;
  /** Names in lower case, alternating with values; without host, length, connection headers and credentials. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | undefined;
  readonly route: string;
}

/** How many entries of a recording are not replayed, by reason; nothing is dropped silently. */
export interface LeftOut {
  /** Methods that the scenario does not replay. */
  readonly otherMethod: number;
  /** To another host than the one most requests went to (a browser's recording holds third parties). */
  readonly otherHost: number;
  /** Not a usable request: garbage lines, broken or cut HTTP, other schemes. */
  readonly unusable: number;
  /** Requests beyond the limit. */
  readonly beyondLimit: number;
}

export interface LoadedRecording {
  readonly requests: readonly RecordedRequest[];
  readonly left: LeftOut;
}

export type RecordingSpec = NonNullable<TrafficSpec["recording"]>;

/** What a format's parser found: a request as it was sent, at an instant of its own clock. */
export interface RawRequest {
  /** Milliseconds on any axis; only differences count. */
  readonly atMs: number;
  readonly method: string;
  /** Path and query, or an absolute URL. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array | undefined;
}

/** A parser's findings. */
export interface ParsedRecording {
  readonly found: readonly RawRequest[];
  readonly unusable: number;
}

const PATH = /^\/[\x21-\x7e]*$/;
const METHOD = /^[A-Z]{1,10}$/;
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** They belong to one connection, or the sender sets them anew. */
const PER_CONNECTION = new Set([
  ...["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"],
  ...["host", "content-length", "expect", "http2-settings"],
]);
/** Somebody's login. It would not work on a twin, and it must not be written into our files. */
const CREDENTIAL = /^(cookie2?|set-cookie2?|(proxy-)?authorization|x-csrf.*)$|(token|secret|password|session|api-?key)/;

/** Brings what a parser found into one form: ordered, cleaned, limited, each request with its route. */
export function toRecording(parsed: ParsedRecording, spec: RecordingSpec): LoadedRecording {
  const routeOf = routeMatcher(spec.routes);
  const host = usualHost(parsed.found);
  const methods = new Set(spec.methods.map((method) => method.toUpperCase()));
  const requests: RecordedRequest[] = [];
  const left = { otherMethod: 0, otherHost: 0, unusable: parsed.unusable, beyondLimit: 0 };
  const ordered = [...parsed.found].sort((a, b) => a.atMs - b.atMs);
  let startMs: number | undefined;
  for (const raw of ordered) {
    const where = placeOf(raw.target);
    if (where === undefined || !METHOD.test(raw.method)) left.unusable += 1;
    else if (where.host !== undefined && where.host !== host) left.otherHost += 1;
    else if (!methods.has(raw.method)) left.otherMethod += 1;
    else if (requests.length >= LIMITS.recordingRequestsMax) left.beyondLimit += 1;
    else {
      startMs ??= raw.atMs;
      const headers = cleanHeaders(raw.headers);
      const { method, body } = raw;
      const route = routeOf(where.path.split("?", 1)[0] ?? "");
      requests.push({ offsetMs: raw.atMs - startMs, method, path: where.path, headers, body, route });
    }
  }
  return { requests, left };
}

/** Path and query without a fragment; a host only if the target was absolute. `undefined` if it cannot be sent. */
function placeOf(target: string): { readonly path: string; readonly host: string | undefined } | undefined {
  if (target.startsWith("/")) {
    const path = target.split("#", 1)[0] ?? "";
    return PATH.test(path) ? { path, host: undefined } : undefined;
  }
  const url = URL.parse(target);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined;
  const path = url.pathname + url.search;
  return PATH.test(path) ? { path, host: url.host } : undefined;
}

function usualHost(found: readonly RawRequest[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { target } of found) {
    const host = target.startsWith("/") ? undefined : placeOf(target)?.host;
    if (host !== undefined) counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  return [...counts].reduce<[string, number] | undefined>(
    (best, entry) => (entry[1] > (best?.[1] ?? 0) ? entry : best),
    undefined,
  )?.[0];
}

function cleanHeaders(headers: RawRequest["headers"]): readonly string[] {
  return headers.flatMap(([written, value]) => {
    const name = written.toLowerCase();
    const isDropped = PER_CONNECTION.has(name) || CREDENTIAL.test(name);
    return isDropped || !HEADER_NAME.test(name) || !HEADER_VALUE.test(value) ? [] : [name, value];
  });
}

/** First matching rule's route. `*` stands for a part of one path segment, `**` for anything. */
function routeMatcher(rules: RecordingSpec["routes"]): (path: string) => string {
  const compiled = rules.map(({ match, route }) => ({ pattern: pathPattern(match), route }));
  return (path) => compiled.find(({ pattern }) => pattern.test(path))?.route ?? OTHER_ROUTE;
}

function pathPattern(match: string): RegExp {
  const parts = match.split(/(\*\*|\*)/).map((part) => {
    if (part === "**") return ".*";
    return part === "*" ? "[^/]*" : part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`);
}

/** The error of everything wrong with a recording; `where` is a line, a byte offset or a path in the document. */
export function recordingInvalid(where: string, problem: string, hint: string, cause?: unknown): CanaryError {
  return new CanaryError({ code: "RECORDING_INVALID", message: `${where} ${problem}`, hint, cause });
}
