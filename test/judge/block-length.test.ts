import { describe, expect, test } from "vitest";
import { calibratedInflation, startingBlock } from "../../src/judge/block-length.ts";
import type { CalibratedBlock } from "../../src/judge/calibration.ts";
import { inflationOf, varianceInflation } from "../../src/judge/confidence-sequence.ts";
import { JudgeLimitsSchema, limitsFor } from "../../src/judge/judge-limits.ts";
import { calibrationOf } from "../../src/judge/use-profile.ts";
import { errorFloor } from "../../src/measure/phase-series.ts";
import { SloSchema } from "../../src/measure/slo.ts";
import { profileFor } from "../support/profile-builder.ts";

const CPU = { kind: "cpu", service: "app" } as const;
const P99 = { kind: "latency", quantile: 0.99 } as const;
const asked = (blockSeconds: number) => JudgeLimitsSchema.parse({ blockSeconds });
const block = (blockMs: number, sd: number, varianceInflation = 1, count = 100): CalibratedBlock => {
  return { blockMs, sd, varianceInflation, count };
};

describe("the shortest block", () => {
  test("without a calibration is five seconds, whatever the scenario asks for", () => {
    expect(startingBlock(P99, asked(2), undefined)).toMatchObject({ blockMs: 5000, isVouched: false });
    expect(startingBlock(P99, asked(2), { tau: 0.02 }).doublings).toHaveLength(1);
    expect(startingBlock(P99, asked(10), undefined)).toEqual({ blockMs: 10_000, doublings: [], isVouched: false });
  });
  test("is what a calibration shows to stand alone", () => {
    const blocks = [block(1000, 0.1), block(2000, 0.07), block(5000, 0.045), block(10_000, 0.032)];
    expect(startingBlock(P99, asked(2), { blocks, vouches: true })).toEqual({
      blockMs: 2000,
      doublings: [],
      isVouched: true,
    });
  });
  test("is longer where the calibration saw neighbours lean on each other", () => {
    const blocks = [block(2000, 0.07, 4.1), block(5000, 0.055, 2.2), block(10_000, 0.042, 1.6)];
    expect(startingBlock(P99, asked(2), { blocks, vouches: true })).toMatchObject({ blockMs: 5000, isVouched: true });
  });
  test("is longer where a slow wave shows in long blocks only", () => {
    const blocks = [block(2000, 0.144, 1.2), block(5000, 0.109, 1.3), block(10_000, 0.093, 2.2)];
    expect(startingBlock(P99, asked(2), { blocks, vouches: true })).toMatchObject({ blockMs: 10_000, isVouched: true });
  });
  test("is not believed from a few blocks", () => {
    const blocks = [block(2000, 0.07, 1, 19)];
    expect(startingBlock(P99, asked(2), { blocks, vouches: true })).toMatchObject({ blockMs: 5000, isVouched: false });
  });
  test("is not believed from a calibration whose windows are too short to show slow noise", () => {
    const slo = SloSchema.parse({ name: "p99", measure: P99, limit: { to: "+10%" } });
    const startAfter = (secondsPerRound: number) => {
      const profile = profileFor([slo], { createdEpochMs: 0, changes: { secondsPerRound } });
      return startingBlock(P99, asked(2), calibrationOf(profile, { slos: [{ slo }], replaced: [] }).slos["p99"]);
    };
    expect(startAfter(120)).toMatchObject({ blockMs: 2000, isVouched: true });
    expect(startAfter(99)).toMatchObject({ blockMs: 5000, isVouched: false });
  });
  test("of CPU stays ten seconds", () => {
    const blocks = [block(5000, 0.02), block(10_000, 0.015)];
    expect(startingBlock(CPU, asked(2), { blocks, vouches: true }).blockMs).toBe(10_000);
  });
});

describe("autocorrelation known from a calibration", () => {
  const alternating = Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? 1 : -1));
  const leaning = Array.from({ length: 30 }, (_, i) => (i < 15 ? 1 : -1));
  const known = calibratedInflation({ blocks: [block(2000, 0.1, 2, 180)], vouches: true }, 2000);

  test("is weighed by its blocks, and outvotes the run never", () => {
    const few = { varianceInflation: 2, count: 30 };
    expect(inflationOf({ before: alternating, after: alternating }, few)).toBeCloseTo((1 * 60 + 2 * 30) / 90, 12);
    expect(inflationOf({ before: alternating, after: alternating }, known)).toBeCloseTo((1 + 2) / 2, 12);
    expect(inflationOf({ before: alternating, after: alternating }, undefined)).toBe(1);
  });
  test("does not excuse what the run itself shows", () => {
    const seen = varianceInflation(leaning, alternating);
    expect(inflationOf({ before: leaning, after: alternating }, { varianceInflation: 1, count: 1e6 })).toBe(seen);
  });
});

describe("the floor under an error rate's noise", () => {
  test("of clean blocks is three failures spread over them, and adds up to the same however time is cut", () => {
    const clean = { shadowOnly: 0, controlOnly: 0, neither: 6000 };
    expect(errorFloor([clean], 30) / Math.sqrt(30)).toBeCloseTo(Math.sqrt(3) / 6000, 12);
    expect(errorFloor([clean], 6) / Math.sqrt(6)).toBeCloseTo(Math.sqrt(3) / 6000, 12);
  });
  test("grows with the failures of one twin and not with those of both", () => {
    const one = { shadowOnly: 4, controlOnly: 2, neither: 5994 };
    expect(errorFloor([one], 30)).toBeCloseTo(Math.sqrt(9 / 30) / 200, 12);
  });
});

test("CPU needs thirty blocks before the plan, other measures what the scenario asks for", () => {
  expect(limitsFor(CPU, asked(10)).minBlocksBefore).toBe(30);
  expect(limitsFor(CPU, { ...asked(10), minBlocksBefore: 45 }).minBlocksBefore).toBe(45);
  expect(limitsFor(P99, asked(10)).minBlocksBefore).toBe(20);
});
