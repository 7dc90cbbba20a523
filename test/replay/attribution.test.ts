import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { Difference } from "../../src/mirror/fingerprint.ts";
import { stepBetween } from "../../src/replay/proof/attribute-rows.ts";
import { boundDifferences } from "../../src/replay/proof/bound-differences.ts";

type Rows = Readonly<Record<string, string>>;

const rows = fc.dictionary(fc.constantFrom("t/1", "t/2", "t/3", "t/4"), fc.constantFrom("a", "b", "c"), {
  noNullPrototype: true,
});

/** What a comparison with the reference would find. */
function since(reference: Rows, now: Rows): readonly Difference[] {
  return [...new Set([...Object.keys(reference), ...Object.keys(now)])]
    .sort()
    .flatMap((path): readonly Difference[] => {
      const [before, after] = [reference[path], now[path]];
      if (before === after) return [];
      if (before === undefined) return [{ path, kind: "added", after: after ?? "" }];
      if (after === undefined) return [{ path, kind: "removed", before }];
      return [{ path, kind: "changed", before, after }];
    });
}

describe("what one action did", () => {
  test("is what two comparisons with the same reference differ in", () => {
    fc.assert(
      fc.property(rows, rows, rows, (reference, first, second) => {
        const found = stepBetween(since(reference, first), since(reference, second));
        const bySort = (a: Difference, b: Difference) => (a.path < b.path ? -1 : 1);
        expect([...found].sort(bySort)).toEqual(since(first, second));
      }),
    );
  });

  test("is nothing when nothing happened in between", () => {
    fc.assert(
      fc.property(rows, rows, (reference, now) => {
        expect(stepBetween(since(reference, now), since(reference, now))).toEqual([]);
      }),
    );
  });
});

describe("a long list of differences", () => {
  const many = (count: number, path: (index: number) => string): readonly Difference[] =>
    Array.from({ length: count }, (_, index) => ({ path: path(index), kind: "changed" }));

  test("is listed up to the limit and counted beyond it, per column and per store", () => {
    const listed = many(LIMITS.differencesListedMax, (index) => `service/api/env/${index}`);
    const bounded = boundDifferences([
      ...listed,
      ...many(700, (index) => `db/db/shop/rows/jobs/${index}/status`),
      ...many(3, (index) => `db/db/shop/rows/jobs/${index}`),
      ...many(9, (index) => `redis/cache/key:${index}`),
    ]);
    expect(bounded.slice(0, listed.length)).toEqual(listed);
    expect(bounded.slice(listed.length).map(({ path }) => path)).toEqual([
      "db/db/shop/rows/jobs/(700 more)/status",
      "db/db/shop/rows/jobs/(3 more)",
      "redis/cache/(9 more)",
    ]);
  });

  test("is left as it is when it is short", () => {
    const few = many(LIMITS.differencesListedMax, (index) => `redis/cache/${index}`);
    expect(boundDifferences(few)).toEqual(few);
  });
});
