import fc from "fast-check";
import { expect, test } from "vitest";
import { chiSquareProbability, chiSquareQuantile } from "../../src/judge/chi-square.ts";
import { normalQuantile } from "../../src/judge/normal-quantile.ts";

/** Printed tables (Abramowitz and Stegun, table 26.8; NIST handbook 1.3.6.7.4), to their last digit. */
test.each([
  { p: 0.1, degrees: 7, value: 2.8331, digits: 4 },
  { p: 0.1, degrees: 1, value: 0.0158, digits: 4 },
  { p: 0.1, degrees: 2, value: 0.2107, digits: 4 },
  { p: 0.1, degrees: 3, value: 0.5844, digits: 4 },
  { p: 0.1, degrees: 8, value: 3.4895, digits: 4 },
  { p: 0.01, degrees: 1, value: 0.000157, digits: 6 },
  { p: 0.99, degrees: 10, value: 23.209, digits: 3 },
  { p: 0.95, degrees: 16, value: 26.296, digits: 3 },
  { p: 0.95, degrees: 100, value: 124.342, digits: 3 },
  { p: 0.99, degrees: 30, value: 50.892, digits: 3 },
])(
  "the $p quantile of chi-square with $degrees degrees is the one that tables print",
  ({ p, degrees, value, digits }) => {
    expect(chiSquareQuantile(p, degrees)).toBeCloseTo(value, digits);
  },
);

test("two degrees are an exponential and one is a squared normal, to ten digits", () => {
  for (const p of [1e-6, 0.05, 0.5, 0.9, 0.999]) {
    expect(chiSquareQuantile(p, 2) / (-2 * Math.log1p(-p))).toBeCloseTo(1, 10);
    expect(chiSquareQuantile(p, 1) / normalQuantile((1 + p) / 2) ** 2).toBeCloseTo(1, 8);
  }
});

test("probability and quantile undo each other, and more probability is a larger value", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }),
      fc.integer({ min: 1, max: 500 }),
      (p, degrees) => {
        const x = chiSquareQuantile(p, degrees);
        expect(chiSquareProbability(x, degrees)).toBeCloseTo(p, 9);
        expect(chiSquareQuantile(Math.min(1 - 1e-7, p * 1.01), degrees)).toBeGreaterThanOrEqual(x);
      },
    ),
  );
});
