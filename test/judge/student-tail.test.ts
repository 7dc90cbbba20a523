import { expect, test } from "vitest";
import { studentTail } from "../../src/judge/student-tail.ts";

test("the tail beyond the one-sided 1% quantiles of Student's t is 1%", () => {
  const quantiles: readonly (readonly [number, number])[] = [
    [5, 3.36493],
    [10, 2.763769],
    [30, 2.457262],
    [60, 2.390119],
    [120, 2.357825],
  ];
  for (const [degrees, t] of quantiles) expect(studentTail(t, degrees)).toBeCloseTo(0.01, 6);
  expect(studentTail(31.820516, 1)).toBeCloseTo(0.01, 6);
});

test("half of the mass lies beyond zero, all of it beyond minus infinity, and impossible input gives no number", () => {
  expect(studentTail(0, 7)).toBeCloseTo(0.5, 9);
  expect(studentTail(Number.NEGATIVE_INFINITY, 7)).toBe(1);
  expect(studentTail(Number.POSITIVE_INFINITY, 7)).toBe(0);
  expect(studentTail(Number.NaN, 7)).toBeNaN();
  expect(studentTail(1, 0)).toBeNaN();
});
