import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { bucketSample } from "../../src/measure/bucket-phase.ts";
import { bucketBound, bucketKey } from "../../src/measure/metric-keys.ts";
import { counterRates, createMetricLog, gaugeMeans } from "../../src/measure/metric-series.ts";
import { phaseSeries } from "../../src/measure/phase-series.ts";
import { type Measure, measureKey } from "../../src/measure/slo.ts";
import { traffic } from "../support/judged-traffic.ts";

const readings = (atMs: readonly number[], value: readonly number[]) => ({ atMs, value });
const seconds = (count: number) => Array.from({ length: count }, (_, i) => i * 1000);

describe("counters", () => {
  test("grow by their rate, also when readings and blocks are not aligned", () => {
    const atMs = seconds(40).map((ms) => ms + 700);
    const steady = readings(
      atMs,
      atMs.map((ms) => 5 + (ms / 1000) * 3),
    );
    const rates = counterRates(steady, { fromMs: 2000, blockMs: 10_000, count: 3 });
    for (const rate of rates) expect(rate).toBeCloseTo(3, 9);
  });

  test("that fall leave that moment out: neither nothing nor the whole new value happened", () => {
    const value = seconds(21).map((ms, i) => (i <= 10 ? 1000 + ms / 100 : 300 + ms / 100));
    const rates = counterRates(readings(seconds(21), value), { fromMs: 0, blockMs: 10_000, count: 2 });
    expect(rates[0]).toBeCloseTo(10, 9);
    expect(rates[1]).toBeCloseTo(10, 9);
  });

  test("with a gap have no rate where too little is known", () => {
    const atMs = [0, 1000, 2000, 13_000, 14_000, 15_000, 16_000, 17_000, 18_000, 19_000, 20_000, 30_000];
    const rates = counterRates(readings(atMs, atMs), { fromMs: 0, blockMs: 10_000, count: 3 });
    expect(rates).toEqual([undefined, undefined, undefined]);
  });

  test("lose nothing between blocks, however they are read", () => {
    const step = fc.record({ gapMs: fc.integer({ min: 1, max: 3000 }), grown: fc.integer({ min: 0, max: 50 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 30, maxLength: 60 }), (steps) => {
        const atMs = [0];
        const value = [0];
        for (const { gapMs, grown } of steps) {
          atMs.push((atMs.at(-1) ?? 0) + gapMs);
          value.push((value.at(-1) ?? 0) + grown);
        }
        const count = Math.floor((atMs.at(-1) ?? 0) / 5000);
        const rates = counterRates(readings(atMs, value), { fromMs: 0, blockMs: 5000, count });
        const total = rates.reduce<number>((sum, rate) => sum + (rate ?? Number.NaN) * 5, 0);
        const next = atMs.findIndex((ms) => ms >= count * 5000);
        const [t0 = 0, t1 = 0, v0 = 0, v1 = 0] = [atMs[next - 1], atMs[next], value[next - 1], value[next]];
        expect(total).toBeCloseTo(count === 0 ? 0 : v0 + ((v1 - v0) * (count * 5000 - t0)) / (t1 - t0), 6);
      }),
    );
  });
});

describe("gauges", () => {
  test("are block means, and need five readings in 30 s", () => {
    const atMs = [0, 5000, 10_000, 15_000, 20_000, 31_000, 40_000, 50_000, 59_000];
    const means = gaugeMeans(readings(atMs, [1, 2, 3, 4, 5, 9, 9, 9, 9]), { fromMs: 0, blockMs: 30_000, count: 2 });
    expect(means).toEqual([3, undefined]);
  });
  test("are no block where readings that were put off come at once: they stand for one moment", () => {
    const putOff = [0, 4000, 8000, 8100, 8200, 8300, 8400, 8500, 8600, 8700];
    const values = putOff.map((atMs) => (atMs < 8000 ? 100 : 10));
    const grid = { fromMs: 0, blockMs: 10_000, count: 1 };
    expect(gaugeMeans(readings(putOff, values), grid, 1000)).toEqual([undefined]);
    expect(gaugeMeans(readings(seconds(10), values), grid, 1000)).toEqual([28]);
  });
});

describe("readings", () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY])("of %d are none", (value) => {
    const log = createMetricLog();
    log.add({ atMs: 1, role: "control", key: "k", value });
    expect(log.readings("k")?.control.value).toEqual([]);
  });
  test("that go back in time are none", () => {
    const log = createMetricLog();
    for (const atMs of [1, 5, 3, 6]) log.add({ atMs, role: "shadow", key: "k", value: atMs });
    expect(log.readings("k")?.shadow.atMs).toEqual([1, 5, 6]);
  });
});

describe("keys", () => {
  const counter = (labels: Readonly<Record<string, string>>): Measure => ({
    kind: "counter",
    service: "api",
    metric: "jobs_total",
    labels,
  });

  test("do not depend on the order in which labels were written", () => {
    expect(measureKey(counter({ a: "1", b: "2" }))).toBe(measureKey(counter({ b: "2", a: "1" })));
  });
  test("tell label values apart", () => {
    expect(measureKey(counter({ a: "1" }))).not.toBe(measureKey(counter({ a: "2" })));
  });
  test("of buckets carry their upper edge and are read back", () => {
    const measure: Measure = { kind: "histogram", service: "api", metric: "h", labels: {}, quantile: 0.9 };
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: 0 }), (bound) => {
        expect(bucketBound(measure, bucketKey(measure, bound))).toBe(bound);
      }),
    );
    expect(bucketBound(measure, measureKey(measure))).toBeUndefined();
    expect(bucketBound(counter({}), bucketKey(measure, 1))).toBeUndefined();
  });
});

describe("series of metrics", () => {
  const window = { fromMs: 0, toMs: 120_000 };

  function filled(measure: Measure, shadowFactor: number) {
    const store = createBlockStore({ routes: ["a"] });
    store.addPairs(traffic({ seed: 1, ratePerSecond: 20, fromMs: 0, toMs: 120_000 }));
    for (let atMs = 0; atMs <= 121_000; atMs += 1000) {
      const grown = atMs / 1000 + Math.sin(atMs);
      store.addMetric({ atMs, role: "control", key: measureKey(measure), value: 10 * grown });
      store.addMetric({ atMs, role: "shadow", key: measureKey(measure), value: 10 * grown * shadowFactor });
    }
    return store;
  }

  test("CPU is seconds per request of both twins", () => {
    const measure: Measure = { kind: "cpu", service: "api" };
    const series = phaseSeries(filled(measure, 1.25), { measure, scale: "log", window, blockMs: 10_000 });
    expect(series).toMatchObject({ kind: "series", invalid: 0 });
    if (series.kind !== "series") return;
    expect(series.levels.control).toBeCloseTo(0.5, 2);
    expect(series.estimate).toBeCloseTo(Math.log(1.25), 9);
    expect(series.influence).toHaveLength(12);
  });

  test("a counter on the absolute scale is a difference per second", () => {
    const measure: Measure = { kind: "counter", service: "api", metric: "x", labels: {} };
    const series = phaseSeries(filled(measure, 1.5), { measure, scale: "absolute", window, blockMs: 10_000 });
    expect(series).toMatchObject({ kind: "series" });
    if (series.kind === "series") expect(series.estimate).toBeCloseTo(5, 1);
  });

  test("a shadow that shows nothing is as good as minus one hundred percent", () => {
    const measure: Measure = { kind: "counter", service: "api", metric: "x", labels: {} };
    const series = phaseSeries(filled(measure, 0), { measure, scale: "log", window, blockMs: 10_000 });
    expect(series).toMatchObject({ kind: "series" });
    if (series.kind === "series") expect(Math.expm1(series.estimate)).toBeCloseTo(-1, 4);
  });

  test("a control that shows nothing has no percentage", () => {
    const measure: Measure = { kind: "gauge", service: "api", metric: "x", labels: {} };
    const store = createBlockStore({ routes: ["a"] });
    for (let atMs = 0; atMs < 120_000; atMs += 1000) {
      store.addMetric({ atMs, role: "control", key: measureKey(measure), value: 0 });
      store.addMetric({ atMs, role: "shadow", key: measureKey(measure), value: 3 });
    }
    expect(phaseSeries(store, { measure, scale: "log", window, blockMs: 30_000 })).toMatchObject({ kind: "no-data" });
    expect(phaseSeries(store, { measure, scale: "absolute", window, blockMs: 30_000 })).toMatchObject({ estimate: 3 });
  });

  test("nobody reading anything is no data", () => {
    const measure: Measure = { kind: "memory", service: "api" };
    const series = phaseSeries(createBlockStore({ routes: [] }), { measure, scale: "log", window, blockMs: 30_000 });
    expect(series).toMatchObject({ kind: "no-data", blocks: 4, invalid: 4 });
  });
});

describe("histograms", () => {
  const measure: Measure = { kind: "histogram", service: "api", metric: "h", labels: {}, quantile: 0.9 };
  const bounds = [0.1, 0.2, 0.4, 0.8, 1.6, Number.POSITIVE_INFINITY];

  function filled(shares: Readonly<Record<"control" | "shadow", readonly number[]>>) {
    const store = createBlockStore({ routes: [] });
    for (let atMs = 0; atMs <= 61_000; atMs += 1000) {
      for (const role of ["control", "shadow"] as const) {
        let cumulative = 0;
        for (const [i, bound] of bounds.entries()) {
          cumulative += shares[role][i] ?? 0;
          store.addMetric({ atMs, role, key: bucketKey(measure, bound), value: (cumulative * atMs) / 1000 });
        }
      }
    }
    return phaseSeries(store, { measure, scale: "log", window: { fromMs: 0, toMs: 60_000 }, blockMs: 10_000 });
  }

  test("give the quantile inside its bucket", () => {
    const series = filled({ control: [50, 30, 20, 0, 0, 0], shadow: [50, 30, 0, 20, 0, 0] });
    expect(series).toMatchObject({ kind: "series" });
    if (series.kind !== "series") return;
    expect(series.levels.control).toBeCloseTo(0.2 * Math.SQRT2, 6);
    expect(series.estimate).toBeCloseTo(Math.LN2, 6);
  });

  test("whose quantile lies beyond the last bucket say nothing", () => {
    expect(filled({ control: [1, 1, 1, 1, 1, 95], shadow: [1, 1, 1, 1, 1, 95] })).toMatchObject({ kind: "no-data" });
    expect(filled({ control: [50, 30, 20, 0, 0, 0], shadow: [1, 1, 1, 1, 1, 95] })).toMatchObject({ kind: "no-data" });
  });

  test("that observe nothing say nothing", () => {
    expect(filled({ control: [0, 0, 0, 0, 0, 0], shadow: [50, 30, 20, 0, 0, 0] })).toMatchObject({ kind: "no-data" });
  });

  test("count above the quantile what the quantile leaves", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 5, maxLength: 5 }),
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        (counts, p) => {
          fc.pre(counts.some((count) => count > 0));
          const sample = bucketSample(bounds, [...counts, 0]);
          expect(sample.above(sample.lnQuantile(p))).toBeCloseTo((1 - p) * sample.size, 6);
        },
      ),
    );
  });
});
