import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { covers, isExact, matchEffects, matches, resourcePath } from "../../src/plan/resource-pattern.ts";

const name = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" });
const segment = fc.stringMatching(/^[a-z.,:()_-]{1,6}$/);
const path = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join("/"));
const patternSegment = fc.oneof(
  segment,
  fc.constant("*"),
  fc.constant("**"),
  segment.map((text) => `${text}*`),
  segment.map((text) => `*${text}`),
);
const pattern = fc.array(patternSegment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join("/"));

describe("a path", () => {
  test("is taken apart again whatever its names hold", () => {
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
        const segments = resourcePath(...names).split("/");
        expect(segments.map(decodeURIComponent)).toEqual(names);
      }),
    );
  });

  test("encodes what means something elsewhere, and nothing else", () => {
    expect(resourcePath("redis", "cache", "a/b*c%d\n", "é:1,(x)")).toBe("redis/cache/a%2Fb%2Ac%25d%0A/é:1,(x)");
  });

  test("never holds a wildcard or a control character, so that a name cannot pose as a pattern", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1 }), (names) => {
        expect(isExact(resourcePath(...names))).toBe(true);
        expect(resourcePath(...names)).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

describe("a pattern", () => {
  test.each([
    ["service/worker/replicas", "service/worker/replicas", true],
    ["service/worker/replicas", "service/worker", false],
    ["service/worker", "service/worker/replicas", false],
    ["service/*/replicas", "service/worker/replicas", true],
    ["service/*", "service/worker/replicas", false],
    ["db/db/shop/schema/jobs/**", "db/db/shop/schema/jobs", true],
    ["db/db/shop/schema/jobs/**", "db/db/shop/schema/jobs/column/status", true],
    ["db/db/shop/schema/jobs/**", "db/db/shop/schema/jobs2/column/status", false],
    ["db/**/status", "db/db/shop/rows/jobs/1/status", true],
    ["redis/cache/session:*", "redis/cache/session:1", true],
    ["redis/cache/session:*", "redis/cache/stock:1", false],
    ["redis/cache/*:1:*", "redis/cache/a:1:1:b", true],
    ["**", "anything/at/all", true],
    ["", "service", false],
  ])("%s holds %s: %s", (given, against, expected) => expect(matches(given, against)).toBe(expected));

  test("without a wildcard matches itself and nothing else", () => {
    fc.assert(
      fc.property(path, path, (a, b) => {
        expect(matches(a, b)).toBe(a === b);
      }),
    );
  });

  test("followed by /** matches the path itself and everything below it", () => {
    fc.assert(
      fc.property(path, fc.array(segment, { maxLength: 3 }), (base, below) => {
        expect(matches(`${base}/**`, [base, ...below].join("/"))).toBe(true);
      }),
    );
  });

  test("agrees with a regular expression that says the same", () => {
    fc.assert(
      fc.property(pattern, path, (given, against) => {
        expect(matches(given, against)).toBe(asRegExp(given).test(`${against}/`));
      }),
      { numRuns: 2000 },
    );
  });

  test("of many stars answers at once", { timeout: 1000 }, () => {
    expect(matches(`${"*a".repeat(200)}b`, "a".repeat(500))).toBe(false);
    expect(matches(`${"**/".repeat(100)}x`, "a/".repeat(200))).toBe(false);
  });
});

describe("covers", () => {
  test("never answers yes where the inner pattern matches something the outer does not", () => {
    fc.assert(
      fc.property(pattern, pattern, path, (outer, inner, against) => {
        if (covers(outer, inner) && matches(inner, against)) expect(matches(outer, against)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ["service/*/replicas", "service/worker/replicas", true],
    ["service/**", "service/*/env/*", true],
    ["service/**", "service/**", true],
    ["service/*", "service/**", false],
    ["db/db/shop/rows/jobs/**", "db/db/shop/rows/jobs/*/status", true],
    ["db/db/shop/rows/jobs/1", "db/db/shop/rows/jobs/*", false],
    ["redis/cache/session:*", "redis/cache/*", false],
  ])("%s over %s: %s", (outer, inner, expected) => expect(covers(outer, inner)).toBe(expected));
});

describe("matching effects", () => {
  const effects = [{ path: "service/worker/replicas" }, { path: "redis/cache/a" }];

  test("names what was not declared and what was declared but did not happen", () => {
    const { undeclared, absent } = matchEffects({
      changes: ["service/worker/replicas", "service/api/image", "redis/other/*"],
      allowed: ["**"],
      effects,
    });
    expect(undeclared).toEqual([{ path: "redis/cache/a" }]);
    expect(absent).toEqual(["service/api/image"]);
  });

  test("calls an effect undeclared that the operator does not allow, even if the plan declares it", () => {
    const { undeclared } = matchEffects({ changes: ["**"], allowed: ["service/**"], effects });
    expect(undeclared).toEqual([{ path: "redis/cache/a" }]);
  });

  test("allows nothing when the operator allows nothing", () => {
    fc.assert(
      fc.property(fc.array(path), fc.array(pattern), (paths, changes) => {
        const seen = paths.map((one) => ({ path: one }));
        expect(matchEffects({ changes, allowed: [], effects: seen }).undeclared).toEqual(seen);
      }),
    );
  });

  test("one declaration more never makes an effect undeclared", () => {
    fc.assert(
      fc.property(fc.array(path), fc.array(pattern), pattern, (paths, changes, more) => {
        const seen = paths.map((one) => ({ path: one }));
        const count = (declared: readonly string[]) =>
          matchEffects({ changes: declared, allowed: ["**"], effects: seen }).undeclared.length;
        expect(count([...changes, more])).toBeLessThanOrEqual(count(changes));
      }),
    );
  });
});

/** The same language by other means; `**` takes whole segments with their slash. */
function asRegExp(given: string): RegExp {
  const parts = given.split("/").map((one) => {
    if (one === "**") return "(?:[^/]*/)*";
    return `${one.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*/g, "[^/]*")}/`;
  });
  return new RegExp(`^${parts.join("")}$`);
}
