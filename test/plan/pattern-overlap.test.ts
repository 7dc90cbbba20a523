import fc from "fast-check";
import { expect, test } from "vitest";
import { overlaps } from "../../src/plan/pattern-overlap.ts";
import { covers, matches } from "../../src/plan/resource-pattern.ts";

test.each([
  ["db/db/shop/rows/jobs/**", "db/db/shop/rows/jobs/1/status", true],
  ["db/db/*/rows/jobs/**", "db/db/shop/rows/jobs/1", true],
  ["db/db/shop/schema/*/index/i", "db/db/shop/schema/jobs/**", true],
  ["a*c", "ab*", true],
  ["a*c", "b*c", false],
  ["rows/jobs/**", "rows/orders/**", false],
  ["**", "a/b/c", true],
  ["a/**/c", "a/c", true],
  ["a/**/c", "a/b", false],
  ["a", "a/b", false],
])("%s and %s: %s", (one, other, expected) => {
  expect(overlaps(one, other)).toBe(expected);
  expect(overlaps(other, one)).toBe(expected);
});

const segment = fc.constantFrom("a", "b", "ab", "*", "a*", "*b", "**");
const pattern = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/"));
const path = fc
  .array(fc.constantFrom("a", "b", "ab", "abb"), { minLength: 1, maxLength: 4 })
  .map((names) => names.join("/"));

test("patterns that match one path together overlap, and one that covers another overlaps it", () => {
  fc.assert(
    fc.property(pattern, pattern, path, (one, other, name) => {
      if (matches(one, name) && matches(other, name)) expect(overlaps(one, other)).toBe(true);
      if (covers(one, other)) expect(overlaps(one, other)).toBe(true);
      expect(overlaps(one, name)).toBe(matches(one, name));
    }),
    { numRuns: 2000 },
  );
});
