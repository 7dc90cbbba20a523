import type { z } from "zod";
import { LIMITS } from "../../core/limits.ts";
import { parseStrictJson } from "../../core/strict-json.ts";
import { isDeeperThan } from "../../measure/json-difference.ts";
import { problem, type Reply } from "./exchange.ts";

export type StrictRequest<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "refused"; readonly reply: Reply };

/**
 * Reads a body that means the same to every reader and has the form a route takes: UTF-8 of whole characters, no key twice,
 * no `__proto__`, not nested beyond what recursion can bear. Everything else is 400, with the first thing that is wrong.
 */
export function readRequest<T>(body: Buffer, schema: z.ZodType<T>): StrictRequest<T> {
  // Before parsing: a parser that recurses is what deep nesting is sent for.
  if (isDeeperThan(body.toString("latin1"), LIMITS.gateJsonDepthMax)) {
    return refused("is nested too deeply");
  }
  const json = parseStrictJson(body, LIMITS.gateBodyBytesMax);
  if (json.kind === "problem") return refused(json.message);
  if (!isWellFormed(json.value)) return refused("has half of a character in a text");
  const result = schema.safeParse(json.value);
  if (result.success) return { kind: "value", value: result.data };
  const [issue] = result.error.issues;
  return refused(`is not what this takes: ${issue?.path.map(String).join(".") || "(the whole)"}: ${issue?.message}`);
}

function refused(what: string): StrictRequest<never> {
  return { kind: "refused", reply: problem(400, "REQUEST_INVALID", "The request cannot be read", `the body ${what}`) };
}

/** Half of a surrogate pair has no UTF-8, so its text would be another one in every digest and answer. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && isWellFormed(member));
}
