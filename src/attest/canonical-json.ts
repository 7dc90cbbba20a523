import canonicalize from "canonicalize";
import { invariant } from "../core/invariant.ts";

/** The one byte form we hash and sign: RFC 8785. Not for values that JSON cannot hold (functions, infinite numbers). */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  invariant(text !== undefined, "not a JSON value");
  return text;
}
