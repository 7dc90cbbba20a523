import { describe, expect, test } from "vitest";
import { blockLevels } from "../../src/measure/block-levels.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { routeReports } from "../../src/measure/summaries.ts";
import { excessErrors, workByRoute } from "../../src/measure/work.ts";
import { traffic } from "../support/judged-traffic.ts";

const window = { fromMs: 0, toMs: 60_000 };

function filled(slower = 1, shadowErrors = 0) {
  const store = createBlockStore({ routes: ["browse", "search", "idle"] });
  const errors = { control: 0, shadow: shadowErrors };
  store.addPairs(traffic({ seed: 3, ratePerSecond: 50, fromMs: 0, toMs: 60_000, routes: 2, slower, errors }));
  return store;
}

describe("route reports", () => {
  test("list routes with traffic, and every request exactly once in totals and distribution", () => {
    const reports = routeReports(filled(1, 0.1), window);
    expect(reports.map((report) => report.route)).toEqual(["browse", "search"]);
    let requests = 0;
    for (const { control, shadow, distribution } of reports) {
      requests += control.requests;
      expect(control.requests).toBe(shadow.requests);
      expect(shadow.ok + shadow.errors).toBe(shadow.requests);
      expect(distribution.edgesMs).toHaveLength(distribution.counts.control.length + 1);
      expect(distribution.counts.control.reduce((a, b) => a + b, 0)).toBe(control.requests);
      expect(distribution.counts.shadow.reduce((a, b) => a + b, 0)).toBe(shadow.requests);
    }
    expect(requests).toBe(3000);
  });

  test("carry the slowdown in every quantile", () => {
    for (const { control, shadow } of routeReports(filled(2), window)) {
      expect(shadow.latencyMs.p50 / control.latencyMs.p50).toBeCloseTo(2, 0);
      expect(shadow.latencyMs.p99).toBeGreaterThan(shadow.latencyMs.p95);
    }
  });

  test("of an empty window are empty", () =>
    expect(routeReports(filled(), { fromMs: 90_000, toMs: 99_000 })).toEqual([]));
});

describe("work", () => {
  test("counts what each twin served of the same requests", () => {
    const work = workByRoute(filled(1, 0.2), window);
    for (const route of work) {
      expect(route.controlOk).toBe(route.requests);
      expect(route.shadowOk).toBe(route.requests - route.shadowOnly);
      expect(route.controlOnly).toBe(0);
    }
  });

  test("excess errors are the shadow's beyond the control's, per route or in all", () => {
    const store = filled(1, 0.2);
    const all = excessErrors(store, window, undefined);
    expect(all).toBeGreaterThan(500);
    expect(excessErrors(store, window, "browse") + excessErrors(store, window, "search")).toBe(all);
    expect(excessErrors(store, window, "idle")).toBe(0);
    expect(excessErrors(store, { fromMs: 5, toMs: 5 }, undefined)).toBe(0);
  });
});

describe("levels over time", () => {
  const query = { scale: "log" as const, window, blockMs: 10_000 };

  test("are one point a block for each twin in natural units", () => {
    const levels = blockLevels(filled(2), { ...query, measure: { kind: "latency", quantile: 0.5 } });
    expect(levels.map((level) => level.atMs)).toEqual([5000, 15_000, 25_000, 35_000, 45_000, 55_000]);
    for (const level of levels) expect(level.shadow / level.control).toBeCloseTo(2, 0);
  });

  test("of the served rate are requests per second", () => {
    for (const level of blockLevels(filled(), { ...query, measure: { kind: "served" } }))
      expect(level.control).toBe(50);
  });
});
