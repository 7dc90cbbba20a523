import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allows, type ValuePattern, ValuePatternSchema } from "../../src/runbook/value-pattern.ts";

const TEMPLATE: ValuePattern = { sql: "UPDATE products SET stock = :n WHERE id = :id AND kind::text = 'a'" };

describe("a pattern allows", () => {
  test.each<[string, ValuePattern, unknown]>([
    ["the same text", "worker", "worker"],
    ["a name under *", "/products/*/stock", "/products/17.b_c-d/stock"],
    ["anything under **", "**", "a b/c?d=%e '\n"],
    ["a number within its bounds", { between: [1, 5] }, 5],
    ["one of several", { oneOf: ["a", 7, null] }, 7],
    ["a list of as many", ["DEL", "session:*"], ["DEL", "session:7"]],
    ["a list of any length up to its limit", { each: "a*", atMost: 2 }, ["ab", "ac"]],
    ["an object with fewer keys", { keys: { accept: "**", "x-a": "1" } }, { accept: "text/html" }],
    ["literals in SQL", TEMPLATE, "UPDATE products SET stock = -7.5 WHERE id = 'a-1; DROP' AND kind::text = 'a'"],
  ])("%s", (_, pattern, value) => expect(allows(ValuePatternSchema.parse(pattern), value)).toBe(true));
});

describe("a pattern does not allow", () => {
  test.each<[string, ValuePattern, unknown]>([
    ["another type", "7", 7],
    ["nothing under *", "/products/*/stock", "/products//stock"],
    ["a slash under *", "/products/*", "/products/1/stock"],
    ["a way up", "/products/*/stock", "/products/../stock"],
    ["a way up in disguise", "/products/*", "/products/%2e%2e"],
    ["a query under *", "/products/*", "/products/1?force=true"],
    ["a space or a quote under *", "a*", "a b"],
    ["a number outside its bounds", { between: [1, 5] }, 5.0001],
    ["no number at all", { between: [1, 5] }, Number.NaN],
    ["a value beside those listed", { oneOf: ["a"] }, "b"],
    ["a longer list", ["DEL", "*"], ["DEL", "a", "b"]],
    ["a list beyond its limit", { each: "*", atMost: 1 }, ["a", "b"]],
    ["an unknown key", { keys: { accept: "**" } }, { cookie: "x" }],
    ["an inherited key", { keys: {} }, { constructor: "x" }],
    ["a list where an object belongs", { keys: {} }, []],
    ["another statement behind a literal", { sql: "SELECT :n" }, "SELECT 1; DROP TABLE a"],
    ["SQL in place of a literal", { sql: "DELETE FROM a WHERE id = :id" }, "DELETE FROM a WHERE id = id"],
    ["a quote that ends early", { sql: "SELECT :n" }, "SELECT 'a' || 'b'"],
    ["a doubled quote", { sql: "SELECT :n" }, "SELECT 'a''b'"],
    ["a backslash in a literal", { sql: "SELECT :n" }, "SELECT 'a\\'"],
    ["a number that goes on as a name", { sql: "SELECT :n" }, "SELECT 1e9"],
    ["SQL where there is no placeholder", { sql: "SELECT 1" }, "SELECT 2"],
  ])("%s", (_, pattern, value) => expect(allows(ValuePatternSchema.parse(pattern), value)).toBe(false));
});

test("a pattern without wildcards allows itself and nothing else", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (pattern, value) => {
      fc.pre(!pattern.includes("*"));
      expect(allows(pattern, pattern)).toBe(true);
      expect(allows(pattern, value)).toBe(pattern === value);
    }),
  );
});

test("whatever a placeholder takes, no character outside a quoted literal comes from the plan", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 30 }), (value) => {
      const text = `DELETE FROM a WHERE id = ${value}`;
      if (!allows({ sql: "DELETE FROM a WHERE id = :id" }, text)) return;
      expect(value).toMatch(/^(?:-?\d+(?:\.\d+)?|'[^'\\]*')$/);
    }),
  );
});

test("a pattern of wildcards against a long text comes to its end", () => {
  expect(allows("*a".repeat(200), "a".repeat(4000))).toBe(true);
  expect(allows("**b".repeat(200), "a".repeat(4000))).toBe(false);
});

test.each([{ between: [5, 1] }, { oneOf: [] }, { each: "*" }, { unknown: 1 }, { between: [1, 2], oneOf: [1] }])(
  "%j is no pattern",
  (pattern) => expect(ValuePatternSchema.safeParse(pattern).success).toBe(false),
);
