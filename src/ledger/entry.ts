import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import { z } from "zod";
import { canonicalJson } from "../attest/canonical-json.ts";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { ENTRY_KINDS, type Entry, type JsonObject, type JsonValue, type NewEntry } from "./ledger.ts";

const DEPTH_MAX = 32;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const DigestSchema = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hex digits");
const InstantSchema = z
  .string()
  .refine((text) => INSTANT.test(text) && isInstant(text), "must be an ISO 8601 instant in UTC with milliseconds");
const ClaimSchema = z.string().regex(/^[a-z][a-z0-9.-]{0,62}:[\x21-\x7e]{1,400}$/, "must be <word>:<name>");
const AboutSchema = z
  .array(DigestSchema)
  .max(LIMITS.ledgerSubjectsMax)
  .refine((all) => new Set(all).size === all.length, "names a digest twice");
const BodySchema = z.custom<JsonObject>((value) => isPlainObject(value), "must be an object");

const NewEntrySchema = z.strictObject({
  kind: z.literal(ENTRY_KINDS),
  at: InstantSchema,
  body: BodySchema,
  about: AboutSchema.optional(),
  claim: ClaimSchema.optional(),
});

const EntrySchema = z.strictObject({
  schema: z.literal("canary.ledger-entry/v1"),
  index: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  at: InstantSchema,
  // Not the list of kinds: an older reader verifies a log that newer writers have gone on with.
  kind: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
  about: AboutSchema,
  claim: ClaimSchema.nullable(),
  documents: z.array(DigestSchema).max(LIMITS.ledgerDocumentsMax),
  body: BodySchema,
  prev: DigestSchema.nullable(),
});

/** An entry that was read, or why it is none. */
export type ParsedEntry =
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "problem"; readonly message: string };

/**
 * Checks what is to be recorded, before anything waits for a transaction.
 * @throws CanaryError LEDGER_ENTRY_INVALID
 */
export function checkNewEntry(entry: NewEntry): void {
  const result = NewEntrySchema.safeParse(entry);
  if (!result.success) throw invalidEntry(z.prettifyError(result.error), result.error);
  const problem = jsonProblem(entry.body, 0);
  if (problem !== undefined) throw invalidEntry(`body${problem}`);
  // The longest it can become once its place is known.
  const documents = Array.from({ length: LIMITS.ledgerDocumentsMax }, () => "0".repeat(64));
  const longest = toEntry(entry, {
    index: Number.MAX_SAFE_INTEGER,
    at: entry.at,
    documents,
    prev: "0".repeat(64),
  });
  const size = entryBytes(longest).byteLength;
  if (size > LIMITS.ledgerEntryBytesMax) {
    throw invalidEntry(
      `it has ${size} bytes; an entry has at most ${LIMITS.ledgerEntryBytesMax}, large things are documents`,
    );
  }
}

/** The entry in its place. @param place - `at` is the recorded time, which may be later than the entry's own */
export function toEntry(entry: NewEntry, place: Pick<Entry, "index" | "at" | "documents" | "prev">): Entry {
  return {
    schema: "canary.ledger-entry/v1",
    kind: entry.kind,
    about: entry.about ?? [],
    claim: entry.claim ?? null,
    body: entry.body,
    ...place,
  };
}

/** The bytes that are hashed and stored: canonical JSON (RFC 8785). */
export function entryBytes(entry: Entry): Buffer {
  return Buffer.from(canonicalJson(entry));
}

/** Reads stored bytes: an entry in its one byte form, or what is wrong with it. */
export function parseEntry(bytes: Uint8Array): ParsedEntry {
  const { byteLength } = bytes;
  if (byteLength > LIMITS.ledgerEntryBytesMax) return { kind: "problem", message: `has ${byteLength} bytes` };
  const text = isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, byteLength).toString("utf8") : "";
  const value = parsedJson(text);
  const result = EntrySchema.safeParse(value);
  if (!result.success) return { kind: "problem", message: `is no entry: ${z.prettifyError(result.error)}` };
  if (!isCanonical(value, text)) return { kind: "problem", message: "is not in canonical form" };
  return { kind: "entry", entry: result.data };
}

/** What links an entry to the one after it. */
export function entryDigest(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}

/** The error for what can not be recorded or does not exist. */
export function invalidEntry(message: string, cause?: unknown): CanaryError {
  return new CanaryError({
    code: "LEDGER_ENTRY_INVALID",
    message: `the ledger does not take this: ${message}`,
    hint: "Nothing was recorded.",
    cause,
  });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a parser lets through and `jsonProblem` does not: half a surrogate pair, and a key that some readers obey. */
const SUSPICIOUS = /\\ud[89a-f]|"__proto__"/i;

/**
 * Whether a text is the canonical JSON of the value that was read from it; also finds keys that stand twice, of which readers
 * disagree which one counts. JavaScript writes numbers and strings as RFC 8785 does, so that only the order of keys is left to
 * compare; it moves keys that look like numbers to the front, for which the slow way decides.
 */
function isCanonical(value: unknown, text: string): boolean {
  const order = keyOrder(value, 0);
  if (order === "sorted" && !SUSPICIOUS.test(text)) return JSON.stringify(value) === text;
  // Depth was counted from the body, one level down.
  return order !== "too deep" && jsonProblem(value, -1) === undefined && canonicalJson(value) === text;
}

function keyOrder(value: unknown, depth: number): "sorted" | "unsorted" | "too deep" {
  if (value === null || typeof value !== "object") return "sorted";
  if (depth > DEPTH_MAX + 1) return "too deep";
  let before = "";
  let sorted = true;
  for (const name of Object.keys(value)) {
    // The keys of a list are its indexes.
    if (name < before && !Array.isArray(value)) sorted = false;
    before = name;
  }
  for (const member of Object.values(value)) {
    const order = keyOrder(member, depth + 1);
    if (order === "too deep") return order;
    if (order === "unsorted") sorted = false;
  }
  return sorted ? "sorted" : "unsorted";
}

/** What of a value JSON would lose or readers would read differently (RFC 7493): it must not be signed. Begins with its path. */
function jsonProblem(value: unknown, depth: number): string | undefined {
  if (depth > DEPTH_MAX) return ` is nested more than ${DEPTH_MAX} deep`;
  switch (typeof value) {
    case "boolean":
      return undefined;
    case "string":
      return value.isWellFormed() ? undefined : " is not well-formed Unicode";
    case "number":
      return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
        ? undefined
        : " is a number that readers would round";
    case "object":
      return value === null ? undefined : containerProblem(value, depth);
    default:
      return ` is ${typeof value}, which JSON does not have`;
  }
}

function containerProblem(value: object, depth: number): string | undefined {
  if (!Array.isArray(value) && !isPlainObject(value)) return " is no plain object";
  for (const [name, member] of Object.entries(value)) {
    if (name === "__proto__" || !name.isWellFormed()) return " has a key that no two readers agree on";
    const problem = jsonProblem(member, depth + 1);
    if (problem !== undefined) return `.${name.slice(0, 40)}${problem}`;
  }
  return Array.isArray(value) && Object.keys(value).length !== value.length ? " has holes" : undefined;
}

function isPlainObject(value: unknown): value is { readonly [key: string]: JsonValue } {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** A day that the calendar has, too: JavaScript reads the 30th of February as a day in March. */
function isInstant(text: string): boolean {
  const epochMs = Date.parse(text);
  return !Number.isNaN(epochMs) && new Date(epochMs).getUTCDate() === Number(text.slice(8, 10));
}
