import { describe, expect, test } from "vitest";
import {
  confidenceSequence,
  criticalValue,
  onePhaseSequence,
  PLAIN_BIAS,
  varianceInflation,
} from "../../src/judge/confidence-sequence.ts";
import { normalQuantile } from "../../src/judge/normal-quantile.ts";
import { cleanPairsNeeded, logEvidenceAbove, logEvidenceBelow } from "../../src/judge/request-test.ts";
import { differenceOf, meanArm, quantileArm } from "../../src/measure/arm-series.ts";
import { quantileOfSorted, rawBlock, rawPool } from "../../src/measure/sample.ts";
import { mannWhitney, studentQuantile } from "./support/baselines.ts";

// The test vectors of the method's specification, section 9, to the digits given there.

const BEFORE = [0.012, -0.004, 0.021, 0.008, 0.015, -0.001, 0.018, 0.006, 0.01, 0.013];
const AFTER = [0.031, 0.024, 0.045, 0.018, 0.037, 0.029, 0.04, 0.022];

test.each([Number.NaN, Number.POSITIVE_INFINITY])("of a block value %d no narrow interval is made", (value) => {
  const before = { estimate: 0, influence: BEFORE };
  const cs = confidenceSequence(
    { before, after: { estimate: 0, influence: [value, ...AFTER] }, floor: 0.001 },
    PLAIN_BIAS,
    { alpha: 0.01, g: 1 },
  );
  expect([cs.blockSd, cs.lo, cs.hi]).toEqual([
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ]);
});

describe("the critical value of the confidence sequence", () => {
  test.each([
    [3, 10, 5.568785, 8.762005],
    [5, 30, 3.757591, 4.42861],
    [10, 40, 3.580713, 4.128448],
    [15, 60, 3.506767, 3.992869],
    [20, 88, 3.475648, 3.928495],
    [30, 118, 3.484103, 3.914362],
    [60, 238, 3.521424, 3.920973],
  ])("with %d effective blocks and %d degrees is %d at 1%% and %d at a quarter of it", (blocks, degrees, one, four) => {
    expect(criticalValue(blocks, degrees, 1, 0.02)).toBeCloseTo(one, 6);
    expect(criticalValue(blocks, degrees, 1, 0.005)).toBeCloseTo(four, 6);
  });

  test("is infinite while there is no information", () => {
    expect(criticalValue(0.17949, 16, 1, 0.02)).toBe(Number.POSITIVE_INFINITY);
  });

  test("moves with the prior's variance", () => {
    expect(criticalValue(10, 40, 3, 0.02)).toBeCloseTo(3.633151, 6);
    expect(criticalValue(10, 40, 0.3, 0.02)).toBeCloseTo(3.829432, 6);
  });
});

describe("difference in differences on block means", () => {
  const phases = { before: meanArm(BEFORE), after: meanArm(AFTER), floor: 0.001 };
  const options = { alpha: 0.01, g: 1 };

  test("without calibration", () => {
    const cs = confidenceSequence(phases, PLAIN_BIAS, options);
    expect(cs.estimate).toBeCloseTo(0.02095, 10);
    expect(cs.standardError).toBeCloseTo(0.00406508, 8);
    expect(cs.varianceInflation).toBe(1);
    expect(cs.effectiveBlocks).toBeCloseTo(4.44444444, 8);
    expect(cs.degrees).toBe(16);
    expect(cs.critical).toBeCloseTo(4.20705611, 8);
    expect(cs.lo).toBeCloseTo(0.003848, 6);
    expect(cs.hi).toBeCloseTo(0.038052, 6);
    expect(cs.blockSd).toBeCloseTo(0.00856993, 8);
  });

  test("with a calibrated bias", () => {
    const cs = confidenceSequence(phases, { tau: 0.02 }, options);
    expect(cs.estimate).toBeCloseTo(0.02112669, 8);
    expect(cs.standardError).toBeCloseTo(0.00404876, 8);
    expect(cs.effectiveBlocks).toBeCloseTo(4.48034674, 8);
    expect(cs.critical).toBeCloseTo(4.20281607, 8);
    expect(cs.lo).toBeCloseTo(0.00411052, 8);
    expect(cs.hi).toBeCloseTo(0.03814287, 8);
  });

  test("with a bias that a restart draws anew", () => {
    const cs = confidenceSequence(phases, { tau: 0, redrawn: { sd: 0.02, rounds: 1 } }, options);
    expect(cs.estimate).toBeCloseTo(0.03075, 10);
    expect(cs.standardError).toBeCloseTo(0.00302993, 8);
    expect(cs.effectiveBlocks).toBe(8);
    expect(cs.critical).toBeCloseTo(4.42147272, 8);
    expect(cs.lo).toBeCloseTo(-0.03416333, 8);
    expect(cs.hi).toBeCloseTo(0.09566333, 8);
  });

  test("of one phase alone is a sequence around its own mean", () => {
    const cs = onePhaseSequence(phases.before, 0.001, options);
    expect(cs.varianceInflation).toBe(1);
    expect(cs.critical).toBe(criticalValue(10, 9, 1, 0.02));
    expect(cs.hi - cs.estimate).toBeCloseTo((cs.critical * cs.blockSd) / Math.sqrt(10), 12);
    expect(cs.blockSd).toBeCloseTo(0.00788529, 8);
  });

  test("variance inflation of leaning blocks", () => {
    const leaning = meanArm([0.01, 0.02, 0.03, 0.03, 0.02, 0.01, 0, -0.01, 0, 0.01, 0.02, 0.02]);
    expect(varianceInflation(leaning.influence, phases.after.influence)).toBeCloseTo(3.357626303497551, 12);
  });
});

describe("the request-level test", () => {
  const pairs = (shadowOnly: number, controlOnly: number, neither: number) => ({ shadowOnly, controlOnly, neither });

  test.each([
    [0, 0, 7260, 4.60012857],
    [0, 0, 7280, 4.61705544],
    [5, 9, 20000, 10.66084219],
  ])("of %d, %d and %d pairs against +0.1 points or more", (plus, minus, zero, expected) => {
    expect(logEvidenceBelow(pairs(plus, minus, zero), 0.001)).toBeCloseTo(expected, 8);
  });

  test.each([
    [40, 9, 20000, 0.60173493],
    [60, 10, 3000, 15.16541965],
  ])("of %d, %d and %d pairs against +0.1 points or less", (plus, minus, zero, expected) => {
    expect(logEvidenceAbove(pairs(plus, minus, zero), 0.001)).toBeCloseTo(expected, 8);
  });

  test("needs about 7,270 clean pairs for 0.1 points", () => {
    const needed = cleanPairsNeeded(0.001, 0.01);
    expect(needed).toBeGreaterThan(7260);
    expect(needed).toBeLessThanOrEqual(7270);
  });
});

describe("quantiles", () => {
  test("of a list are type 7", () => {
    expect(quantileOfSorted([1, 2, 3, 4, 10], 0.9)).toBeCloseTo(7.6, 12);
    expect(quantileOfSorted([1, 2, 3, 4, 10], 0.25)).toBe(2);
  });

  function block(scale: number, seed: number): readonly number[] {
    let state = seed;
    return Array.from({ length: 1000 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return scale * (1 - (state + 0.5) / 2 ** 32) ** -0.4;
    });
  }
  const control = [10, 11, 12, 13, 14, 15].map((seed) => rawBlock(block(20, seed)));
  const shadow = [900, 901, 902, 903, 904, 905].map((seed) => rawBlock(block(20.6, seed)));

  test.each([
    [0.99, 0.10575679, [0.22401985, -0.33595748, 0.1306662, -0.14939476, 0.03731254, 0.09335365]],
    [0.5, 0.03108788, [0.02532392, -0.00446246, 0.00235156, -0.00215466, -0.02724167, 0.00618331]],
  ])("pooled at %d with the influence of each block", (quantile, estimate, influence) => {
    const options = { quantile, scale: "log" as const };
    const series = differenceOf({
      control: quantileArm(rawPool(control), control, options),
      shadow: quantileArm(rawPool(shadow), shadow, options),
    });
    expect(series.estimate).toBeCloseTo(estimate, 8);
    for (const [i, value] of influence.entries()) expect(series.influence[i]).toBeCloseTo(value, 8);
  });
});

describe("distributions", () => {
  test.each([
    [5, 3.36493],
    [10, 2.763769],
    [30, 2.457262],
    [60, 2.390119],
    [120, 2.357825],
  ])("one-sided 1%% of Student's t with %d degrees is %d", (degrees, expected) => {
    expect(studentQuantile(0.99, degrees)).toBeCloseTo(expected, 6);
  });

  test("one-sided 1% and 0.5% of the normal", () => {
    expect(normalQuantile(0.99)).toBeCloseTo(2.326348, 6);
    expect(normalQuantile(0.995)).toBeCloseTo(2.575829, 6);
  });

  test("Mann-Whitney with continuity", () => {
    const result = mannWhitney([1.1, 2.2, 3.3, 4.4, 5.5], [2, 3, 4, 5, 6.5]);
    expect(result.u).toBe(10);
    expect(result.p).toBeCloseTo(0.676103, 6);
  });
});
