import { looksSecret, maskedValue } from "../core/redact.ts";
import { sha256Hex } from "../core/sha256.ts";

/** Longer texts are told by their digest. */
const CHARS_MAX = 60;
/** Letters and digits in one run, as tokens and keys are; words and numbers alone are not. */
const TOKEN = /(?=[A-Za-z0-9+/_=-]*\d)(?=[A-Za-z0-9+/_=-]*[A-Za-z])[A-Za-z0-9+/_=-]{16,}/;

/**
 * A value of an answer as a report may show it: equal ones stay equal, different ones different, and nothing that is or might
 * be a secret can be read. `names` are the fields on the way to it, outermost first.
 */
export function maskedExample(names: readonly string[], value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  if (names.some(looksSecret)) return maskedValue("secret", text);
  if (text.length > CHARS_MAX || TOKEN.test(text)) return `${text.length} characters ${digestOf(text)}`;
  return maskedValue(names.at(-1) ?? "", text);
}

/** Bytes that are no JSON: their number and their digest. */
export function maskedBytes(body: Uint8Array, bodyBytes: number): string {
  return `${bodyBytes} bytes ${digestOf(body)}`;
}

function digestOf(value: string | Uint8Array): string {
  return `(sha256:${sha256Hex(value).slice(0, 12)})`;
}
