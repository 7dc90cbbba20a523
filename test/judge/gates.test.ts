import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { minimumSeconds } from "../../src/judge/minimum-seconds.ts";
import { plannedPower, powerBySlo } from "../../src/judge/planned-power.ts";
import { workShrank } from "../../src/judge/work-reasons.ts";
import { emptyBatch, numberedStore, traffic } from "../support/judged-traffic.ts";
import { ERRORS, FOUR, gates, LIMITS, look, P50, slo, steady, storeOf, WINDOWS, type World } from "./support/judged.ts";

const codes = (reasons: readonly { readonly code: string }[]) => reasons.map((reason) => reason.code);

/** Alike halves but for what the arguments say of first half, second half and the time after the plan. */
function phases(...slower: readonly [number, number, number]) {
  const store = numberedStore({ routes: ["a"] });
  const common = { ratePerSecond: 100, errors: { control: 0.002, shadow: 0.002 } };
  store.addPairs(traffic({ ...common, seed: 1, fromMs: 0, toMs: 30_000, slower: slower[0] }));
  store.addPairs(traffic({ ...common, seed: 2, fromMs: 30_000, toMs: 60_000, slower: slower[1] }));
  store.addPairs(traffic({ ...common, seed: 3, ...WINDOWS.after, slower: slower[2] }));
  return store;
}

describe("the environment", () => {
  test("of alike twins gives no reason to doubt", () => expect(gates({})).toEqual([]));

  test("whose twins differ before the plan holds", () => {
    expect(codes(gates(phases(1.2, 1.2, 1.2), { slos: [P50] }))).toEqual(["TWINS_DIFFER"]);
  });
  test("whose twins differ a little is corrected, not held", () => {
    expect(gates(phases(1.05, 1.05, 1.05), { slos: [P50] })).toEqual([]);
  });
  test("whose error rates differ before the plan holds", () => {
    const store = numberedStore({ routes: ["a"] });
    store.addPairs(traffic({ seed: 1, ratePerSecond: 100, ...WINDOWS.baseline, errors: { control: 0, shadow: 0.06 } }));
    store.addPairs(traffic({ seed: 2, ratePerSecond: 100, ...WINDOWS.after, errors: { control: 0, shadow: 0.06 } }));
    expect(codes(gates(store, { slos: [ERRORS] }))).toEqual(["TWINS_DIFFER"]);
  });
  test("that wanders during the baseline holds", () => {
    expect(codes(gates(phases(0.91, 1.09, 1), { slos: [P50] }))).toEqual(["ENVIRONMENT_UNSTABLE"]);
  });
  test("without traffic holds", () => {
    expect(codes(gates(numberedStore({ routes: [] })))).toEqual(["NO_DATA", "NO_DATA"]);
  });
  test("whose control fails holds", () => {
    const failing: World = { errorsBefore: 0.6, errors: { control: 0.6, shadow: 0.6 } };
    expect(codes(gates(failing, { slos: [] }))).toEqual(["ENVIRONMENT_UNSTABLE", "ENVIRONMENT_UNSTABLE"]);
  });
  test("with times that can not be holds", () => {
    const store = storeOf();
    const batch = emptyBatch(1);
    batch.arms.shadow.latencyMs[0] = Number.NaN;
    store.addPairs(batch);
    expect(codes(gates(store))).toEqual(["NO_DATA"]);
  });
  test("that loses the shadow's requests only holds", () => {
    const store = storeOf();
    const batch = traffic({ seed: 9, ratePerSecond: 100, fromMs: 130_000, toMs: 190_000 });
    for (let i = 0; i < batch.size; i += 5) batch.arms.shadow.outcome[i] = 5;
    store.addPairs(batch);
    const windows = { ...WINDOWS, after: { fromMs: 130_000, toMs: 190_000 } };
    expect(codes(gates(store, { windows, slos: [] }))).toEqual(["ASYMMETRIC_LOSS"]);
  });
  test("that loses them in a short observation holds, however long the baseline was", () => {
    const store = storeOf();
    const batch = traffic({ seed: 9, ratePerSecond: 100, fromMs: 130_000, toMs: 142_000 });
    for (let i = 0; i < batch.size; i += 5) batch.arms.shadow.outcome[i] = 5;
    store.addPairs(batch);
    const windows = { ...WINDOWS, after: { fromMs: 130_000, toMs: 142_000 } };
    expect(codes(gates(store, { windows, slos: [] }))).toEqual(["ASYMMETRIC_LOSS"]);
  });
  test("in which the driver is late only after the plan holds; lateness at all times is left out", () => {
    const lateIn = (seconds: readonly number[]) => {
      const store = numberedStore({ routes: ["a"] });
      const batch = traffic({ seed: 2, ratePerSecond: 100, fromMs: 0, toMs: 130_000 });
      for (let i = 0; i < batch.size; i++) {
        if (seconds.includes(Math.floor((batch.intendedMs[i] ?? 0) / 1000))) batch.arms.control.sendLagMs[i] = 40;
      }
      store.addPairs(batch);
      return codes(gates(store, { slos: [] }));
    };
    const every = (step: number, fromS: number, toS: number) =>
      Array.from({ length: Math.floor((toS - fromS) / step) }, (_, i) => fromS + i * step);
    expect(lateIn(every(8, 70, 130))).toEqual(["ENVIRONMENT_UNSTABLE"]);
    expect(lateIn(every(4, 70, 130))).toEqual(["NO_DATA"]);
    expect(lateIn(every(8, 0, 130))).toEqual([]);
    expect(lateIn([80, 100])).toEqual([]);
  });
});

describe("a control that follows the plan", () => {
  const recovery = { fromMs: 140_000, toMs: 200_000 };
  const windows = { ...WINDOWS, recovery };
  /** Both twins alike slower by these factors: the difference is nil, the control's own shift is not. */
  function moved(after: number, undone: number, rivals: { readonly slower?: number } = {}) {
    const store = numberedStore({ routes: ["a"] });
    const common = { ratePerSecond: 100, routes: 1 };
    store.addPairs(traffic({ ...common, seed: 1, ...WINDOWS.baseline }));
    store.addPairs(traffic({ ...common, seed: 2, ...WINDOWS.after, unit: after, ...rivals }));
    store.addPairs(traffic({ ...common, seed: 3, ...recovery, unit: undone }));
    return store;
  }
  const shared = { cores: "shared", slos: [P50], windows } as const;

  test("and goes back with its undo holds, saying by how much", () => {
    const [reason] = gates(moved(1.3, 1), shared);
    expect(reason?.code).toBe("CONTROL_DISTURBED");
    expect(reason?.message).toMatch(
      /^p50 moved by \+(29|30|31).* with the plan and by -(2[2-4]).* with its undo on the untouched/,
    );
  });
  test("holds on cores of its own as well: disk, caches and engine are shared", () =>
    expect(codes(gates(moved(1.3, 1), { ...shared, cores: "pinned" }))).toEqual(["CONTROL_DISTURBED"]));
  test("and stays so after the undo holds as well: what the twins share may be broken, or it moved by itself", () => {
    const [reason, ...others] = gates(moved(1.3, 1.3), shared);
    expect(reason).toMatchObject({ code: "ENVIRONMENT_UNSTABLE", subject: "p50" });
    expect(reason?.message).toMatch(
      /^p50 moved by \+(29|30|31).* with the plan .* its undo did not take it back: put back/,
    );
    expect(others).toEqual([]);
    expect(gates(moved(1.05, 1.05), shared)).toEqual([]);
    expect(gates(moved(1, 1.3), shared)).toEqual([]);
  });
  test("holds without an undo to ask, for nobody can tell", () =>
    expect(codes(gates(moved(1.3, 1), { cores: "shared", slos: [P50] }))).toEqual(["CONTROL_DISTURBED"]));
  test("to the better does not: that hides nothing", () => expect(gates(moved(0.7, 1), shared)).toEqual([]));
  test("within what the shadow may take even so does not", () => {
    expect(gates(moved(1.05, 1), shared)).toEqual([]);
    expect(codes(gates(moved(1.05, 1, { slower: 1.07 }), shared))).toEqual(["CONTROL_DISTURBED"]);
  });
  test("holds where its shift put back is inside, but not with the doubt of the interval that passes", () => {
    const [passed] = look(moved(1.08, 1), { slos: [P50] });
    expect(passed).toMatchObject({ state: "pass" });
    const doubt = Math.log1p(passed?.interval.hi ?? 0);
    expect(Math.log1p(passed?.estimate ?? 1) + Math.log(1.08)).toBeLessThan(Math.log(1.1));
    expect(doubt + Math.log(1.08)).toBeGreaterThan(Math.log(1.1));
    expect(codes(gates(moved(1.08, 1), shared))).toEqual(["CONTROL_DISTURBED"]);
  });
  test("only as far as it wanders by itself does not", () => {
    const store = numberedStore({ routes: ["a"] });
    const common = { ratePerSecond: 100, routes: 1 };
    for (const [i, unit] of [1, 1.4, 1, 1.4, 1, 1.35, 1].entries()) {
      store.addPairs(traffic({ ...common, seed: i, fromMs: i * 20_000, toMs: (i + 1) * 20_000, unit }));
    }
    const wandering = { baseline: { fromMs: 0, toMs: 100_000 }, after: { fromMs: 100_000, toMs: 120_000 } };
    const after = { fromMs: 120_000, toMs: 140_000 };
    expect(gates(store, { ...shared, windows: { ...wandering, recovery: after } })).toEqual([]);
  });
  test("that stays put does not", () => expect(gates(phases(1, 1, 1.5), { cores: "shared", slos: [P50] })).toEqual([]));
});

describe("power", () => {
  const strict = slo({ name: "p99", measure: { kind: "latency", quantile: 0.99 }, limit: { to: "+3%" } });
  const profile = steady([...FOUR, strict]);
  const input = { slos: FOUR, limits: LIMITS, baseline: WINDOWS.baseline, restarted: false, profile };

  test("of easy margins leaves nothing to say", () => {
    expect(plannedPower({ ...input, store: storeOf() })).toEqual([]);
    for (const power of powerBySlo({ ...input, store: storeOf() })) {
      expect(power.observeSeconds).toBeGreaterThanOrEqual(12);
      expect(power.observeSeconds).toBeLessThan(120);
    }
  });
  test("that is not enough names the time, the margin and the traffic that would be", () => {
    const long = { ...WINDOWS.baseline, toMs: 120_000 };
    const store = numberedStore({ routes: ["a"] });
    store.addPairs(traffic({ seed: 1, ratePerSecond: 100, ...long }));
    const [reason] = plannedPower({ ...input, store, slos: [strict], baseline: long });
    expect(reason).toMatchObject({ code: "UNDERPOWERED", subject: "p99" });
    expect(reason?.message).toMatch(
      /needs about \d+ (min|h) of baseline and \d+ (min|h) of observation \(30 min are allowed\); a margin of [\d.]+% or about \d+ times the traffic would do/,
    );
  });
  test("of memory offers no traffic: its noise does not fall with the rate", () => {
    const baseline = { fromMs: 0, toMs: 900_000 };
    const store = numberedStore({ routes: ["a"] });
    const random = seededRandom(5);
    for (let atMs = 0; atMs < baseline.toMs; atMs += 1000) {
      for (const role of ["control", "shadow"] as const) {
        store.addMetric({ atMs, role, key: '[["kind","memory"],["service","api"]]', value: 1e8 * (1 + random()) });
      }
    }
    store.addPairs(traffic({ seed: 1, ratePerSecond: 10, ...baseline }));
    const memory = slo({ name: "memory", measure: { kind: "memory", service: "api" }, limit: { to: "+0.1%" } });
    const [reason] = plannedPower({ ...input, store, slos: [memory], baseline });
    expect(reason?.message).toContain("a margin of");
    expect(reason?.message).not.toContain("times the traffic");
  });
  test("after a baseline that is too short asks for a longer one", () => {
    const store = storeOf({ ratePerSecond: 5 });
    const [power] = powerBySlo({ ...input, store, slos: [strict] });
    expect(power).toMatchObject({ blockMs: 32_000, baselineSeconds: 640, because: { code: "UNDERPOWERED" } });
  });
  test("that only the allowed time denies asks for that time, not for another baseline", () => {
    const limits = { ...LIMITS, observeSecondsMax: 10 };
    const [power] = powerBySlo({ ...input, store: storeOf(), slos: [P50], limits });
    expect(power).toMatchObject({ baselineSeconds: 60, observeSeconds: 12 });
    expect(power?.because?.message).toMatch(/60 s of baseline and 12 s of observation \(10 s are allowed\)/);
  });
  test("of a restart that nobody calibrated does not end the run: it may yet be rejected", () => {
    expect(plannedPower({ ...input, store: storeOf(), restarted: true })).toEqual([]);
    const wide = steady([P50], { slos: { p50: { restart: { sd: 0.1, rounds: 1 } } } });
    const [reason] = plannedPower({ ...input, store: storeOf(), slos: [P50], restarted: true, profile: wide });
    expect(reason?.message).toMatch(/needs more time than any run has; a margin of \d+(\.\d)?%/);
  });
  test("without any data is no power", () => {
    expect(plannedPower({ ...input, store: numberedStore({ routes: [] }), slos: [P50] })).toMatchObject([
      { code: "NO_DATA" },
    ]);
  });
  test("forecasts that come true: what is said to need a time passes in about that time", () => {
    const [power] = powerBySlo({ ...input, store: storeOf(), slos: [P50] });
    expect(power?.observeSeconds).toBeLessThanOrEqual(60);
  });
});

describe("the least time, known from the rate alone", () => {
  const errors = slo({ name: "errors", measure: { kind: "errors" }, limit: { to: "+0.1pp" } });
  const p99 = slo({ name: "p99", measure: { kind: "latency", quantile: 0.99 }, limit: { to: "+10%" } });

  test("of an error margin of 0.1 points is 7,267 clean pairs", () => {
    const least = minimumSeconds(errors, 100, LIMITS);
    expect(least.rule).toMatch(/^72\d\d pairs/);
    expect(least.afterSeconds).toBeCloseTo(72.7, 0);
  });
  test("of a rare quantile is its exceedances", () => {
    expect(minimumSeconds(p99, 5, LIMITS)).toEqual({
      beforeSeconds: 400,
      afterSeconds: expect.closeTo(600, 6),
      rule: "30 requests beyond the quantile",
    });
  });
  test("otherwise is six blocks", () => {
    expect(minimumSeconds(P50, 300, LIMITS)).toEqual({ beforeSeconds: 100, afterSeconds: 30, rule: "6 blocks of 5 s" });
    const calibrated = minimumSeconds(P50, 300, LIMITS, steady([P50]).slos["p50"]);
    expect(calibrated).toEqual({ beforeSeconds: 40, afterSeconds: 12, rule: "6 blocks of 2 s" });
  });
  test("of a margin of nothing is never", () => {
    const none = slo({ name: "errors", measure: { kind: "errors" }, limit: { to: "-0.1pp" } });
    expect(minimumSeconds(none, 100, LIMITS).afterSeconds).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("work", () => {
  test("that shrinks on one route of many is found and named", () => {
    const store = storeOf({ routes: 3 });
    const batch = traffic({ seed: 5, ratePerSecond: 100, routes: 3, fromMs: 200_000, toMs: 260_000 });
    for (let i = 0; i < batch.size; i++) if (batch.route[i] === 2 && i % 10 === 0) batch.arms.shadow.outcome[i] = 4;
    store.addPairs(batch);
    const reasons = workShrank(store, { fromMs: 200_000, toMs: 260_000 }, LIMITS);
    expect(reasons).toMatchObject([{ code: "WORK_SHRANK", subject: "checkout" }]);
    expect(workShrank(store, WINDOWS.after, LIMITS)).toEqual([]);
  });
  test("that a route of few requests loses wholly is found", () => {
    const store = numberedStore({ routes: ["rare"] });
    const batch = traffic({ seed: 5, ratePerSecond: 1, fromMs: 0, toMs: 20_000 });
    batch.arms.shadow.outcome.fill(1);
    store.addPairs(batch);
    expect(workShrank(store, { fromMs: 0, toMs: 20_000 }, LIMITS)).toHaveLength(1);
  });
  test("of an empty window has not shrunk", () => {
    expect(workShrank(storeOf(), { fromMs: 1e6, toMs: 1e6 }, LIMITS)).toEqual([]);
  });
});
