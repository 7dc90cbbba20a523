import { expect, test } from "vitest";
import type { RuleLook } from "../../bench/judge/rivals/look-rule.ts";
import { LOOK_RULES } from "../../bench/judge/rivals/look-rules.ts";
import { differenceOf, meanArm } from "../../src/measure/arm-series.ts";
import type { Series } from "../../src/measure/series.ts";

// The block means of STATISTICS.md 9; the twins' difference is the control's zero against them.
const BEFORE = [0.012, -0.004, 0.021, 0.008, 0.015, -0.001, 0.018, 0.006, 0.01, 0.013];
const AFTER = [0.031, 0.024, 0.045, 0.018, 0.037, 0.029, 0.04, 0.022];

function series(values: readonly number[], more: Partial<Series> = {}): Series {
  const arms = { control: meanArm(values.map(() => 0)), shadow: meanArm(values) };
  const levels = { control: 0.002, shadow: 0.002 };
  const common = { kind: "series", scale: "absolute", floor: 0.001, invalid: 0, constant: false } as const;
  return { ...common, ...differenceOf(arms), arms, levels, observations: 20_000, ...more };
}

function look(hi: number, more: Partial<RuleLook> = {}): RuleLook {
  const bounds = { lo: Number.NEGATIVE_INFINITY, hi };
  return { before: series(BEFORE), after: series(AFTER), bounds, alpha: 0.01, tau: 0, ...more };
}

test("the naive t is as wide as one look allows: 0.02095 and 2.583487 standard errors of 0.004065", () => {
  expect(LOOK_RULES["naive-t"](look(0.03146))).toBe("pass");
  expect(LOOK_RULES["naive-t"](look(0.03144))).toBe("open");
  expect(LOOK_RULES["naive-t"](look(0.01044))).toBe("fail");
  expect(LOOK_RULES["naive-t"](look(9, { after: series([0.01, 0.02]) }))).toBe("open");
});

test("without deflation these blocks get the interval of the vectors, which need none", () => {
  expect(LOOK_RULES["no-deflation"](look(0.03806))).toBe("pass");
  expect(LOOK_RULES["no-deflation"](look(0.03804))).toBe("open");
  expect(LOOK_RULES["block-interval"](look(0.03806))).toBe("pass");
  expect(LOOK_RULES["block-interval"](look(0.0038))).toBe("fail");
});

test("without the time before the plan, the twins' own difference counts as the plan's", () => {
  const biased = { before: series(BEFORE.map((value) => value + 0.02)), after: series(BEFORE.map((v) => v + 0.02)) };
  expect(LOOK_RULES["no-deflation"](look(0.02, biased))).toBe("pass");
  expect(LOOK_RULES["no-before"](look(0.02, biased))).toBe("open");
});

test("the bet alone needs its number of clean pairs and no baseline", () => {
  const clean = (neither: number): Partial<RuleLook> => ({
    after: series(AFTER, { pairs: { shadowOnly: 0, controlOnly: 0, neither } }),
  });
  expect(LOOK_RULES["request-bet"](look(0.001, clean(7260)))).toBe("open");
  expect(LOOK_RULES["request-bet"](look(0.001, clean(7280)))).toBe("pass");
});

test("two proportions are compared as if nobody had paired them", () => {
  const after = series(AFTER, { levels: { control: 0.002, shadow: 0.006 }, observations: 20_000 });
  expect(LOOK_RULES["two-proportion"](look(0.001, { after }))).toBe("fail");
  expect(LOOK_RULES["two-proportion"](look(0.006, { after }))).toBe("pass");
  expect(LOOK_RULES["two-proportion"](look(0.004, { after }))).toBe("open");
});
