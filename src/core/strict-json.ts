import { LIMITS } from "./limits.ts";

export type StrictJson =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "problem"; readonly message: string };

/** Runs of plain characters are matched as runs: a bundle is one text of some kilobytes. */
const TOKEN = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|[{}[\]]/g;

/**
 * Reads JSON that must mean the same to every reader: UTF-8, of limited size (a document's unless said otherwise) and depth (who
 * walks the value has a stack), nothing after the value, no key said twice (readers disagree which one counts) and no `__proto__`.
 */
export function parseStrictJson(bytes: Uint8Array | string, bytesMax: number = LIMITS.documentBytesMax): StrictJson {
  const size = typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.byteLength;
  if (size > bytesMax) {
    return { kind: "problem", message: `has ${size} bytes; at most ${bytesMax} are read` };
  }
  try {
    const text =
      typeof bytes === "string" ? bytes : new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    const message = problemOf(text);
    return message === undefined ? { kind: "value", value } : { kind: "problem", message };
  } catch {
    return { kind: "problem", message: "is not JSON" };
  }
}

/** Expects valid JSON, where only a key is followed by a colon. */
function problemOf(text: string): string | undefined {
  /** Keys of each object around the place; none for a list. */
  const open: (Set<string> | undefined)[] = [];
  TOKEN.lastIndex = 0;
  for (let token = TOKEN.exec(text); token !== null; token = TOKEN.exec(text)) {
    const [found, written, colon] = token;
    if (found === "{") open.push(new Set());
    else if (found === "[") open.push(undefined);
    else if (found === "}" || found === "]") open.pop();
    else if (written !== undefined && colon !== undefined) {
      const key = written.includes("\\") ? String(JSON.parse(`"${written}"`)) : written;
      const keys = open.at(-1);
      if (key === "__proto__" || keys === undefined || keys.has(key))
        return `has the key ${JSON.stringify(key)} twice, or one that no reader agrees on`;
      keys.add(key);
    }
    if (open.length > LIMITS.jsonDepthMax) return `is nested more than ${LIMITS.jsonDepthMax} deep`;
  }
  return undefined;
}
