import type { Caller } from "../promotion-request.ts";

/** What a caller may do; each route asks for one. */
export const PERMISSIONS = ["publish", "promote", "check", "admission", "operate", "metrics"] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** A caller as the operator wrote it: known by a token or by its certificate. */
export interface KnownCaller extends Caller {
  readonly may: readonly Permission[];
  /** SHA-256 (hex) of its bearer token. */
  readonly tokenSha256?: string;
  /** SHA-256 (hex) of its certificate's DER, as `openssl x509 -fingerprint -sha256` prints it without colons. */
  readonly certificateSha256?: string;
  /** Requests per second, and how many at once. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
}

/** One request as a handler sees it: bounded, and from somebody known where its route asks for that. */
export interface Exchange {
  /** Absent on routes that let everybody in or authenticate by what is in the body. */
  readonly caller?: KnownCaller;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** One value per header, names in small letters; a header that was sent twice is none. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What is sent back: an object as JSON, a text as it is. */
export interface Reply {
  readonly status: number;
  readonly body: object | string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Trouble in the shape of RFC 9457: what is wrong, and what to do. */
export interface Problem {
  readonly type: "about:blank";
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
}

/** A reply that says what is wrong with a request; never what is wrong inside. */
export function problem(status: number, code: string, title: string, detail: string): Reply {
  const body: Problem = { type: "about:blank", status, code, title, detail };
  return { status, body, contentType: "application/problem+json" };
}
