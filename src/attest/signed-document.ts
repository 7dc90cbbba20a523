import type { z } from "zod";
import { boundedMap } from "../core/bounded-map.ts";
import { sha256Hex } from "../core/sha256.ts";
import { parseStrictJson } from "../core/strict-json.ts";
import { type Envelope, type ReadBundle, readBundle, signedBundle } from "./bundle.ts";
import { canonicalJson } from "./canonical-json.ts";
import { isSignedBy } from "./dsse.ts";
import { findKey, type KeyRefusalCode, type KeyRole, type Keyring, type TrustedKey } from "./keyring.ts";
import type { SigningKey } from "./keys.ts";

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
  const bundle = readBundleOnce(bundleText);
  if (bundle.kind === "problem") return refused("BUNDLE_INVALID", bundle.message);
  const { once } = bundle;
  const { keyId } = once.envelope;
  const found = findKey(asked.keyring, { keyId, role: asked.role, at: asked.at });
  if (found.kind === "refused") return found;
  if (!isSignedBy(once.envelope.payload, once.envelope.signature, found.key))
    return refused("SIGNATURE_MISMATCH", `the signature does not fit the content and key ${keyId}`);
  const read = readStatementOnce(once, asked);
  if (read.kind === "problem") return refused("STATEMENT_INVALID", read.message);
  return { kind: "opened", statement: read.statement, signer: found.entry, payloadSha256: once.payloadSha256 };
}

/**
 * What follows from the text of a bundle alone, whoever asks and whenever: its parts and what they say. Whether a key that its
 * signature fits is trusted, in which role and at which instant, is asked anew each time.
 */
interface OpenedOnce {
  readonly envelope: Envelope;
  readonly payloadSha256: string;
  readonly statements: Map<z.ZodType, unknown>;
}

/** Found by the whole text, so that a byte that was changed is another document. Larger ones are read each time. */
const opened = boundedMap<string, OpenedOnce>(4096);
const OPENED_CHARS_MAX = 16_384;

function readBundleOnce(
  text: string,
): { readonly kind: "bundle"; readonly once: OpenedOnce } | Extract<ReadBundle, { kind: "problem" }> {
  const known = opened.get(text);
  if (known !== undefined) return { kind: "bundle", once: known };
  const bundle = readBundle(text);
  if (bundle.kind === "problem") return bundle;
  const { envelope } = bundle;
  const payloadSha256 = sha256Hex(envelope.payload);
  const once = { envelope, payloadSha256, statements: new Map<z.ZodType, unknown>() };
  if (text.length <= OPENED_CHARS_MAX) opened.set(text, once);
  return { kind: "bundle", once };
}

function readStatementOnce<T>(
  { envelope, statements }: OpenedOnce,
  asked: { readonly schema: z.ZodType<T>; readonly what: string },
): ReturnType<typeof readStatementAs<T>> {
  // What a schema made is kept under that schema and nowhere else.
  const known = statements.get(asked.schema) as T | undefined;
  if (known !== undefined) return { kind: "statement", statement: known };
  const read = readStatementAs(envelope.payload, asked);
  if (read.kind === "statement") statements.set(asked.schema, deepFrozen(read.statement));
  return read;
}

/** Everybody who opens the same text gets the same statement, so nobody may change it. */
function deepFrozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const member of Object.values(value)) deepFrozen(member);
  return Object.freeze(value);
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
