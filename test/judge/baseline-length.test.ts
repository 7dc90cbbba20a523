import { expect, test } from "vitest";
import { baselineIsLongEnough, nextBaselineCheck } from "../../src/judge/baseline-length.ts";
import type { PlannedPower } from "../../src/judge/planned-power.ts";

const LIMITS = { baselineSecondsMax: 200, observeSecondsMax: 100 };
const decidable: PlannedPower = {
  name: "p99",
  blockMs: 2000,
  baselineSeconds: 40,
  observeSeconds: 60,
  minimalDetectable: 0.05,
};
const because = { code: "UNDERPOWERED", message: "not yet" } as const;

test("a baseline is long enough when every SLO can be decided after it", () => {
  expect(baselineIsLongEnough([decidable, decidable], LIMITS)).toBe(true);
});

test("it is not while a longer one, within what is allowed, would bring an SLO within reach", () => {
  const later = { ...decidable, baselineSeconds: 120, because };
  expect(baselineIsLongEnough([decidable, later], LIMITS)).toBe(false);
});

test("it is when one SLO is out of reach anyway: nobody has to wait for that", () => {
  const later = { ...decidable, baselineSeconds: 120, because };
  for (const never of [
    { ...decidable, baselineSeconds: 900, because },
    { ...decidable, observeSeconds: Number.POSITIVE_INFINITY, because },
  ]) {
    expect(baselineIsLongEnough([later, never], LIMITS)).toBe(true);
  }
});

test("it is asked again after a quarter more blocks, and always after at least one more", () => {
  expect([0, 1, 20, 25, 32].map(nextBaselineCheck)).toEqual([1, 2, 25, 32, 40]);
});
