import { z } from "zod";
import { LIMITS } from "../core/limits.ts";

const Scalar = z.union([z.string().max(LIMITS.textCharsMax), z.number(), z.boolean(), z.null()]);

/**
 * What the value of a parameter may be. A text may hold `*` (letters, digits and `._~:@+=,-`, at least one; never a slash, a space, a quote
 * or a percent sign) and `**` (anything, also nothing); every other character and every other value means itself.
 */
export type ValuePattern =
  | string
  | number
  | boolean
  | null
  /** As many values, each by its pattern. */
  | readonly ValuePattern[]
  /** A number between two bounds, both included. */
  | { readonly between: readonly [number, number] }
  | { readonly oneOf: readonly (string | number | boolean | null)[] }
  /** A list of at most so many values, each by this pattern. */
  | { readonly each: ValuePattern; readonly atMost: number }
  /** An object with exactly these keys, or fewer. */
  | { readonly keys: Readonly<Record<string, ValuePattern>> }
  /** SQL in which `:name` stands for one literal: a number, or a quoted text without quotes and backslashes in it. */
  | { readonly sql: string };

export const ValuePatternSchema: z.ZodType<ValuePattern> = z
  .lazy(() =>
    z.union([
      Scalar,
      z.array(ValuePatternSchema).max(100),
      z.strictObject({
        between: z
          .tuple([z.number(), z.number()])
          .refine(([low, high]) => low <= high, "must not end before it begins"),
      }),
      z.strictObject({ oneOf: z.array(Scalar).min(1).max(200) }),
      z.strictObject({ each: ValuePatternSchema, atMost: z.number().int().min(1).max(1000) }),
      z.strictObject({ keys: z.record(z.string().min(1).max(200), ValuePatternSchema) }),
      z.strictObject({ sql: z.string().min(1).max(LIMITS.textCharsMax) }),
    ]),
  )
  .meta({ id: "value-pattern" });

/** Whether a value is one that the pattern allows. Anything that is not clearly so is not. */
export function allows(pattern: ValuePattern, value: unknown): boolean {
  if (typeof pattern === "string") return typeof value === "string" && textAllowed(pattern, value);
  if (typeof pattern !== "object" || pattern === null) return pattern === value;
  if (isList(pattern)) {
    return (
      Array.isArray(value) &&
      value.length === pattern.length &&
      pattern.every((one, index) => allows(one, value[index]))
    );
  }
  if ("between" in pattern) {
    const [low, high] = pattern.between;
    return typeof value === "number" && value >= low && value <= high;
  }
  if ("oneOf" in pattern) return pattern.oneOf.some((one) => one === value);
  if ("each" in pattern)
    return Array.isArray(value) && value.length <= pattern.atMost && value.every((one) => allows(pattern.each, one));
  if ("keys" in pattern) return keysAllowed(pattern.keys, value);
  return typeof value === "string" && sqlAllowed(pattern.sql, value);
}

function isList(pattern: object): pattern is readonly ValuePattern[] {
  return Array.isArray(pattern);
}

function keysAllowed(patterns: Readonly<Record<string, ValuePattern>>, value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([name, one]) => {
    const pattern = Object.hasOwn(patterns, name) ? patterns[name] : undefined;
    return pattern !== undefined && allows(pattern, one);
  });
}

/** What `*` stands for. Nothing that ends a segment, begins a query or escapes: `/a/*` must not reach `/a/..%2Fb?c`. */
const PLAIN = /^[A-Za-z0-9._~:@+=,-]$/;
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/;

/** Row by row through the table of (pattern prefix, text prefix): polynomial for every input, unlike a regular expression. */
function textAllowed(pattern: string, text: string): boolean {
  if (!pattern.includes("*")) return pattern === text;
  const tokens: readonly string[] = pattern.match(/\*\*|[\s\S]/gu) ?? [];
  if (!tokens.includes("**") && DOT_SEGMENT.test(text)) return false;
  const characters = Array.from(text);
  let reached: readonly boolean[] = [true, ...characters.map(() => false)];
  for (const token of tokens) {
    const row: boolean[] = [token === "**" && reached[0] === true];
    for (const [index, character] of characters.entries()) {
      const before = reached[index] === true;
      const longer = row[index] === true;
      if (token === "**") row.push(reached[index + 1] === true || longer);
      else if (token === "*") row.push(PLAIN.test(character) && (before || longer));
      else row.push(before && token === character);
    }
    reached = row;
  }
  return reached.at(-1) === true;
}

const LITERAL = /-?\d{1,20}(?:\.\d{1,20})?(?![\w.])|'[^'\\]*'/y;

/** Outside its placeholders the text is that of the pattern, character by character. */
function sqlAllowed(pattern: string, text: string): boolean {
  // `::type` is a cast, not a placeholder.
  const parts = pattern.split(/(?<![:\w]):[a-z_][a-z0-9_]*/i);
  let at = 0;
  for (const [index, part] of parts.entries()) {
    if (index > 0) {
      LITERAL.lastIndex = at;
      const literal = LITERAL.exec(text);
      if (literal === null) return false;
      at += literal[0].length;
    }
    if (!text.startsWith(part, at)) return false;
    at += part.length;
  }
  return at === text.length;
}
