import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type DeltaRange,
  describeDelta,
  describeMeasured,
  describeRange,
  intersect,
  WrittenDeltaSchema,
} from "../../src/core/delta-range.ts";

const parse = (written: unknown): DeltaRange => WrittenDeltaSchema.parse(written).range;

describe("a delta as people write it", () => {
  test.each([
    [{ to: "+10%" }, { scale: "ratio", lo: Number.NEGATIVE_INFINITY, hi: 0.1 }],
    [
      { from: "+80%", to: "+220%" },
      { scale: "ratio", lo: 0.8, hi: 2.2 },
    ],
    [{ to: "+0.2pp" }, { scale: "absolute", lo: Number.NEGATIVE_INFINITY, hi: 0.002 }],
    [
      { from: 0, to: "+10%" },
      { scale: "ratio", lo: 0, hi: 0.1 },
    ],
    [{ from: -3 }, { scale: "absolute", lo: -3, hi: Number.POSITIVE_INFINITY }],
  ])("%j is read with its scale", (written, range) => expect(parse(written)).toEqual(range));

  test.each([
    [{}, "neither side"],
    [{ to: "ten percent" }, "words"],
    [{ to: "+10%%" }, "two signs"],
    [{ from: "+1%", to: "+1pp" }, "two scales"],
    [{ from: -1, to: "+1pp" }, "a bare number beside pp"],
    [{ from: "0pp", to: 1 }, "pp beside a bare number"],
    [{ from: "+5%", to: "+1%" }, "the wrong order"],
    [{ to: "-100%" }, "nothing left"],
    [{ to: Number.NaN }, "not a number"],
    [{ to: "+1%", until: "+2%" }, "an unknown key"],
  ])("%j is refused: %s", (written: unknown, _why: string) =>
    expect(WrittenDeltaSchema.safeParse(written).success).toBe(false),
  );
});

test.each([
  [{ to: "+10%" }, "%"],
  [{ from: "-1pp", to: 0 }, "pp"],
  [{ to: "+0.2" }, "own"],
  [{ to: 0.2 }, "own"],
  [{ to: "+0" }, "any"],
  [{ to: "0pp" }, "pp"],
] as const)("%j keeps that it was written in %s; a bare zero is zero in every unit", (written, unit) => {
  expect(WrittenDeltaSchema.parse(written).unit).toBe(unit);
});

describe("intersection", () => {
  const range = fc
    .tuple(fc.double({ min: -0.9, max: 3, noNaN: true }), fc.double({ min: 0, max: 3, noNaN: true }))
    .map(([lo, width]): DeltaRange => ({ scale: "ratio", lo, hi: lo + width }));

  test("lies inside both, whichever comes first, or there is none", () => {
    fc.assert(
      fc.property(range, range, (a, b) => {
        const both = intersect(a, b);
        expect(both).toEqual(intersect(b, a));
        if (both === undefined) expect(a.hi < b.lo || b.hi < a.lo).toBe(true);
        else
          expect([both.lo >= a.lo, both.lo >= b.lo, both.hi <= a.hi, both.hi <= b.hi]).toEqual([
            true,
            true,
            true,
            true,
          ]);
      }),
    );
  });

  test("ranges on different scales share nothing", () => {
    expect(intersect(parse({ to: "+1%" }), parse({ to: "+1pp" }))).toBeUndefined();
  });
});

test.each([
  [{ to: "+10%" }, "", "+10% or less"],
  [{ from: "-5%" }, "", "-5% or more"],
  [{ from: "+80%", to: "+220%" }, "", "+80% to +220%"],
  [{ to: "+0.2pp" }, "pp", "+0.2pp or less"],
] as const)("%j reads as a person would say it", (written, unit, said) => {
  expect(describeRange(parse(written), unit)).toBe(said);
});

test.each([
  [0.09957, "ratio", "", "+10%"],
  [0.09444, "ratio", "", "+9.4%"],
  [0.00127, "absolute", "pp", "+0.13pp"],
  [0.00002, "ratio", "", "+0.002%"],
  [1234.5, "absolute", "", "+1230"],
  [Number.NEGATIVE_INFINITY, "ratio", "", "-∞%"],
] as const)("%d measured on the scale %s%s reads as what can be told", (value, scale, unit, said) => {
  expect(describeMeasured(value, scale, unit)).toBe(said);
});

test("a delta always carries its sign, and infinity has one", () => {
  expect([describeDelta(0.1234, "ratio"), describeDelta(-0.5, "ratio"), describeDelta(Infinity, "ratio")]).toEqual([
    "+12.3%",
    "-50%",
    "+∞%",
  ]);
});
