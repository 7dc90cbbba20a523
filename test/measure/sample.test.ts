import fc from "fast-check";
import { expect, test } from "vitest";
import { differenceOf, quantileArm } from "../../src/measure/arm-series.ts";
import { BIN_COUNT, BIN_WIDTH_LN, binOfMs, lnAtBin } from "../../src/measure/log-bins.ts";
import {
  type BinCounts,
  binnedPool,
  rawBlock,
  rawPool,
  type SparseBins,
  sparseBlock,
  sparsePool,
} from "../../src/measure/sample.ts";

const latency = fc.double({ min: 0.01, max: 60_000, noNaN: true });
const latencies = fc.array(latency, { minLength: 1, maxLength: 300 });

/** As a stretch in the middle of longer lists, as blocks stand in a phase. */
function sparse(values: readonly number[]): SparseBins {
  const sorted = values.map(binOfMs).sort((a, b) => a - b);
  const used = sorted.filter((bin, i) => bin !== sorted[i + 1]);
  const until = used.map((bin) => sorted.lastIndexOf(bin) + 1);
  return {
    bins: Uint16Array.from([5, ...used, 3]),
    until: Uint32Array.from([7, ...until, 9]),
    from: 1,
    to: used.length + 1,
  };
}

function binned(values: readonly number[]): BinCounts {
  const counts = new Uint32Array(BIN_COUNT);
  for (const bin of values.map(binOfMs)) counts[bin] = (counts[bin] ?? 0) + 1;
  return { counts, low: binOfMs(Math.min(...values)), high: binOfMs(Math.max(...values)), size: values.length };
}

test("a bin is never wider than one percent and holds the value that fell into it", () => {
  expect(Math.expm1(BIN_WIDTH_LN)).toBeLessThan(0.01);
  fc.assert(
    fc.property(latency, (value) => {
      const bin = binOfMs(value);
      expect(Math.log(value)).toBeGreaterThanOrEqual(lnAtBin(bin) - 1e-9);
      expect(Math.log(value)).toBeLessThanOrEqual(lnAtBin(bin + 1) + 1e-9);
    }),
  );
});

test("what lies beyond the bins counts in the end bins", () => {
  expect(binOfMs(0)).toBe(0);
  expect(binOfMs(1e-9)).toBe(0);
  expect(binOfMs(1e12)).toBe(BIN_COUNT - 1);
});

test("a quantile from bins is the exact one to within two bins", () => {
  fc.assert(
    fc.property(latencies, fc.double({ min: 0, max: 1, noNaN: true }), (values, p) => {
      const exact = rawPool([rawBlock(values)]).lnQuantile(p);
      expect(Math.abs(sparsePool(sparse(values)).lnQuantile(p) - exact)).toBeLessThanOrEqual(2 * BIN_WIDTH_LN);
    }),
  );
});

test("counts over all bins and over those in use are the same sample", () => {
  fc.assert(
    fc.property(latencies, fc.double({ min: 0, max: 1, noNaN: true }), (values, p) => {
      expect(binnedPool(binned(values)).lnQuantile(p)).toBeCloseTo(sparsePool(sparse(values)).lnQuantile(p), 10);
    }),
  );
});

test("the number above a value never grows with the value and spans the block", () => {
  fc.assert(
    fc.property(latencies, latency, latency, (values, a, b) => {
      const block = sparseBlock(sparse(values));
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      expect(block.above(Math.log(low))).toBeGreaterThanOrEqual(block.above(Math.log(high)) - 1e-9);
      expect(block.above(Math.log(1e-3))).toBe(values.length);
      expect(block.above(Math.log(1e6))).toBe(0);
    }),
  );
});

test("pooled quantiles and their influence are the same from bins as from raw values, to a bin's width", () => {
  const random = (seed: number) => () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed + 0.5) / 2 ** 32;
  };
  const block = (scale: number, seed: number) => {
    const next = random(seed);
    return Array.from({ length: 1000 }, () => scale * (1 - next()) ** -0.4);
  };
  const arms = {
    control: [1, 2, 3, 4, 5, 6].map((s) => block(20, s)),
    shadow: [7, 8, 9, 10, 11, 12].map((s) => block(21, s)),
  };
  for (const quantile of [0.5, 0.9, 0.99]) {
    const options = { quantile, scale: "log" as const };
    const raw = (blocks: number[][]) => quantileArm(rawPool(blocks.map(rawBlock)), blocks.map(rawBlock), options);
    const coded = (blocks: number[][]) =>
      quantileArm(
        binnedPool(binned(blocks.flat())),
        blocks.map((b) => sparseBlock(sparse(b))),
        options,
      );
    const exact = differenceOf({ control: raw(arms.control), shadow: raw(arms.shadow) });
    const fromBins = differenceOf({ control: coded(arms.control), shadow: coded(arms.shadow) });
    expect(fromBins.estimate).toBeCloseTo(exact.estimate, 2);
    for (const [i, value] of exact.influence.entries()) expect(fromBins.influence[i]).toBeCloseTo(value, 1);
  }
});

test("on the absolute scale the influence is the log's times the level", () => {
  const blocks = [
    [10, 11, 12, 13, 30],
    [9, 10, 12, 14, 28],
    [11, 12, 13, 15, 31],
  ].map(rawBlock);
  const log = quantileArm(rawPool(blocks), blocks, { quantile: 0.5, scale: "log" });
  const absolute = quantileArm(rawPool(blocks), blocks, { quantile: 0.5, scale: "absolute" });
  expect(absolute.estimate).toBeCloseTo(Math.exp(log.estimate), 10);
  for (const [i, value] of log.influence.entries()) {
    expect(absolute.influence[i]).toBeCloseTo(value * absolute.estimate, 10);
  }
});
