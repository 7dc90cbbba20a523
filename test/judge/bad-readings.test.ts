import { describe, expect, test } from "vitest";
import type { ReasonCode } from "../../src/judge/verdict.ts";
import { type BlockStore, createBlockStore } from "../../src/measure/block-store.ts";
import { bucketKey } from "../../src/measure/metric-keys.ts";
import { measureKey } from "../../src/measure/slo.ts";
import { traffic } from "../support/judged-traffic.ts";
import { LIMITS, slo } from "./support/judged.ts";
import { refusedWith, wholeVerdict } from "./support/whole-verdict.ts";

// As bad-input.test.ts, for what is no request: counters, gauges, histograms.

describe("readings of metrics", () => {
  const GAUGE = { kind: "gauge", service: "web", metric: "pool", labels: {} } as const;
  const COUNTER = { kind: "counter", service: "web", metric: "queries_total", labels: {} } as const;
  const HISTOGRAM = { kind: "histogram", service: "web", metric: "seconds", labels: {}, quantile: 0.9 } as const;
  const CPU = { kind: "cpu", service: "web" } as const;
  const LONG = { baseline: { fromMs: 0, toMs: 240_000 }, after: { fromMs: 250_000, toMs: 400_000 } };
  const SHORT = { ...LIMITS, gaugeBlockSeconds: 10 };
  type Role = "control" | "shadow";
  /** A reading a second of a key on both twins. */
  const sampled = (key: string, value: (second: number, role: Role) => number | undefined): BlockStore => {
    const store = createBlockStore({ routes: ["a"] });
    store.addPairs(traffic({ seed: 3, ratePerSecond: 20, fromMs: 0, toMs: 410_000 }));
    for (let second = 0; second < 410; second++) {
      for (const role of ["control", "shadow"] as const) {
        const read = value(second, role);
        if (read !== undefined) store.addMetric({ atMs: second * 1000 + 7, role, key, value: read });
      }
    }
    return store;
  };
  const wobble = (second: number, role: Role): number => ((second * (role === "control" ? 7 : 11)) % 13) / 13;
  const judged = (measure: unknown, store: BlockStore, limit: object = { to: "+20%" }): readonly ReasonCode[] =>
    refusedWith(store, { ...LONG, limits: SHORT, slos: [slo({ name: "metric", measure, limit })] });
  const gauge = (value: (second: number, role: Role) => number | undefined, limit?: object) =>
    judged(GAUGE, sampled(measureKey(GAUGE), value), limit);
  const counter = (value: (second: number, role: Role) => number | undefined, measure: object = COUNTER) =>
    judged(measure, sampled(measureKey(measure as typeof COUNTER), value));

  test("of a sound gauge and a sound counter are promoted: the rows below are refused for what is wrong with them", () => {
    const store = sampled(measureKey(GAUGE), (second, role) => 10 + wobble(second, role));
    const slos = [slo({ name: "metric", measure: GAUGE, limit: { to: "+20%" } })];
    expect(wholeVerdict(store, { ...LONG, limits: SHORT, slos }).verdict.kind).toBe("promote");
  });
  test("that are all zero hold, in percent and in units", () => {
    expect(gauge(() => 0)).toEqual(["NO_DATA"]);
    expect(gauge(() => 0, { to: "+5" })).toEqual(["NO_DATA"]);
  });
  test("that never change hold", () => expect(gauge(() => 42)).toEqual(["NO_DATA"]));
  test("that are no numbers hold", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) expect(gauge(() => value)).toEqual(["NO_DATA"]);
  });
  test("of a control below zero hold, for nothing is a percentage of it", () => {
    expect(gauge((second, role) => -5 + wobble(second, role))).toEqual(["NO_DATA"]);
  });
  test("that stop on the shadow with the plan hold", () => {
    expect(gauge((s, role) => (role === "shadow" && s > 245 ? undefined : 10 + wobble(s, role)))).toContain("NO_DATA");
  });
  test("that exist on one twin only hold", () => {
    for (const silent of ["control", "shadow"] as const) {
      expect(gauge((s, role) => (role === silent ? undefined : 10 + wobble(s, role)))).toEqual(["NO_DATA"]);
    }
  });
  test("that nobody ever took hold", () => expect(gauge(() => undefined)).toEqual(["NO_DATA"]));
  test("of a gauge that falls to zero on the shadow are not taken for nothing", () => {
    const fallen = gauge((s, role) => (role === "shadow" && s > 245 ? 0 : 10 + wobble(s, role)), { from: "-20%" });
    expect(fallen).toEqual(["SLO_OUTSIDE_RANGE"]);
  });
  test("of a counter that starts again every second hold: what it counted is unknown", () => {
    expect(counter((s, role) => (s > 245 && role === "shadow" ? 100 - (s % 50) : s * 10 + wobble(s, role)))).toContain(
      "NO_DATA",
    );
  });
  test("of a counter that stands still hold", () => expect(counter(() => 1000)).toEqual(["NO_DATA"]));
  test("of a counter that goes back in time are no readings", () => {
    const store = sampled(measureKey(COUNTER), (second, role) => second * 10 + wobble(second, role));
    store.addMetric({ atMs: 5, role: "shadow", key: measureKey(COUNTER), value: 1e9 });
    const slos = [slo({ name: "metric", measure: COUNTER, limit: { to: "+20%" } })];
    expect(wholeVerdict(store, { ...LONG, limits: SHORT, slos }).slos[0]?.state).toBe("pass");
  });
  test("of CPU seconds without a request to share them hold", () => {
    const store = createBlockStore({ routes: ["a"] });
    for (let second = 0; second < 410; second++) {
      for (const role of ["control", "shadow"] as const) {
        store.addMetric({ atMs: second * 1000, role, key: measureKey(CPU), value: second * 0.2 });
      }
    }
    expect(judged(CPU, store)).toEqual(["NO_DATA"]);
  });
  test("of a histogram whose quantile lies in its last bucket hold", () => {
    const store = createBlockStore({ routes: ["a"] });
    store.addPairs(traffic({ seed: 3, ratePerSecond: 20, fromMs: 0, toMs: 410_000 }));
    for (let second = 0; second < 410; second++) {
      for (const role of ["control", "shadow"] as const) {
        for (const [bound, rate] of [
          [0.1, 1],
          [Number.POSITIVE_INFINITY, 10],
        ] as const) {
          store.addMetric({ atMs: second * 1000, role, key: bucketKey(HISTOGRAM, bound), value: second * rate });
        }
      }
    }
    expect(judged(HISTOGRAM, store)).toEqual(["NO_DATA"]);
  });
});
