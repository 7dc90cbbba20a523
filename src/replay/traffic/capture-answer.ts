import { LIMITS } from "../../core/limits.ts";
import type { CapturedValues } from "./captured-values.ts";
import type { Call } from "./compile-call.ts";
import type { Scalar } from "./template.ts";

/** An answer as far as captures look at it; the body is only parsed if one asks for it. */
export interface Answer {
  readonly header: (name: string) => string | undefined;
  readonly json: () => unknown;
}

const NOTHING: CapturedValues = new Map();

/**
 * The values a route captures from one answer. What is absent, not a scalar, too long or has control characters (it
 * may end up in a header) counts as not captured.
 */
export function captureAnswer(capture: Call["capture"], answer: Answer): CapturedValues {
  if (capture.length === 0) return NOTHING;
  const readsBody = capture.some(([, source]) => "json" in source);
  const document = readsBody ? answer.json() : undefined;
  const values = new Map<string, Scalar>();
  for (const [name, source] of capture) {
    const value = "header" in source ? answer.header(source.header.toLowerCase()) : jsonPointer(document, source.json);
    if (isUsable(value)) values.set(name, value);
  }
  return values;
}

/** RFC 6901; `undefined` where the document has no such place. */
export function jsonPointer(document: unknown, pointer: string): unknown {
  if (pointer === "") return document;
  let place = document;
  for (const escaped of pointer.replace(/^\//, "").split("/")) {
    const key = escaped.replaceAll("~1", "/").replaceAll("~0", "~");
    if (place === null || typeof place !== "object" || !Object.hasOwn(place, key)) return undefined;
    place = Reflect.get(place, key);
  }
  return place;
}

function isUsable(value: unknown): value is Scalar {
  if (typeof value === "number" || typeof value === "boolean") return true;
  if (typeof value !== "string" || value.length > LIMITS.textCharsMax) return false;
  for (let index = 0; index < value.length; index++) if (value.charCodeAt(index) < 0x20) return false;
  return value !== "";
}
