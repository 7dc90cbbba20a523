import type { z } from "zod";
import { sha256Hex } from "../core/sha256.ts";
import { readBundle, signedBundle } from "./bundle.ts";
import { canonicalJson } from "./canonical-json.ts";
import { isSignedBy } from "./dsse.ts";
import { findKey, type KeyRefusalCode, type KeyRole, type Keyring, type TrustedKey } from "./keyring.ts";
import type { SigningKey } from "./keys.ts";
import { parseStrictJson } from "./strict-json.ts";

/** Type of every statement that is signed or read. */
export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";

/** Why a signed document may not be believed. */
export type DocumentRefusalCode = KeyRefusalCode | "BUNDLE_INVALID" | "SIGNATURE_MISMATCH" | "STATEMENT_INVALID";

export type OpenedDocument<T> =
  | {
      readonly kind: "opened";
      readonly statement: T;
      /** Who signed it, by the verifier's own list. */
      readonly signer: TrustedKey;
      /** Of the signed bytes: what the document is called elsewhere. The same for every spelling of its envelope. */
      readonly payloadSha256: string;
    }
  | { readonly kind: "refused"; readonly code: DocumentRefusalCode; readonly message: string };

/**
 * Opens a bundle: one signature, of a key trusted in this role at this instant, over bytes that are then read, and no others,
 * as a statement of this one kind. Whatever is not exactly that is refused.
 */
export function openDocument<T>(
  bundleText: string,
  asked: {
    readonly keyring: Keyring;
    readonly role: KeyRole;
    /** See `findKey`. */
    readonly at: number | "any-time";
    readonly schema: z.ZodType<T>;
    /** What it should be, e.g. `canary verdict`. */
    readonly what: string;
  },
): OpenedDocument<T> {
  const bundle = readBundle(bundleText);
  if (bundle.kind === "problem") return refused("BUNDLE_INVALID", bundle.message);
  const { payload, signature, keyId } = bundle.envelope;
  const found = findKey(asked.keyring, { keyId, role: asked.role, at: asked.at });
  if (found.kind === "refused") return found;
  if (!isSignedBy(payload, signature, found.key))
    return refused("SIGNATURE_MISMATCH", `the signature does not fit the content and key ${keyId}`);
  const read = readStatementAs(payload, asked);
  if (read.kind === "problem") return refused("STATEMENT_INVALID", read.message);
  return { kind: "opened", statement: read.statement, signer: found.entry, payloadSha256: sha256Hex(payload) };
}

/** What bytes say as a statement of one kind; who signed them is not asked. */
export function readStatementAs<T>(
  payload: Uint8Array,
  asked: { readonly schema: z.ZodType<T>; readonly what: string },
): { readonly kind: "statement"; readonly statement: T } | { readonly kind: "problem"; readonly message: string } {
  const json = parseStrictJson(payload);
  if (json.kind === "problem") return { kind: "problem", message: `the statement ${json.message}` };
  const result = asked.schema.safeParse(json.value);
  if (result.success) return { kind: "statement", statement: result.data };
  const [issue] = result.error.issues;
  return { kind: "problem", message: `this is no ${asked.what}: ${issue?.path.join(".")}: ${issue?.message}` };
}

/** Signs a statement in its one byte form. Its schema reads it first, so that nothing is signed that would not open. */
export function signDocument<T>(statement: unknown, schema: z.ZodType<T>, key: SigningKey): string {
  return signedBundle(Buffer.from(canonicalJson(schema.parse(statement))), key);
}

function refused(code: DocumentRefusalCode, message: string): OpenedDocument<never> {
  return { kind: "refused", code, message };
}
