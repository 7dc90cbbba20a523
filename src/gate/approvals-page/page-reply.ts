import type { Reply } from "../http/exchange.ts";

/** Nothing from elsewhere, nothing inline, in nobody's frame: the pages show words that an agent wrote. */
const PAGE_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "permissions-policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
};

/** A page for a person. */
export function pageReply(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, body, contentType: "text/html; charset=utf-8", headers: { ...PAGE_HEADERS, ...headers } };
}
