import { describe, expect, test } from "vitest";
import { followHarm, type HarmAlarm, harmAlarm, harmReason } from "../../src/judge/harm-alarm.ts";
import { harmBar } from "../../src/judge/harm-bars.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { ALL_ROUTES } from "../../src/measure/harm-blocks.ts";
import { SloSchema } from "../../src/measure/slo.ts";
import type { PairBatch } from "../../src/replay/recording.ts";
import { type TrafficSettings, traffic } from "../support/judged-traffic.ts";

const P50 = { name: "p50", measure: { kind: "latency", quantile: 0.5 }, limit: { to: "+10%" } };
const ERRORS = { name: "errors", measure: { kind: "errors" }, limit: { to: "+0.2pp" } };
const ACTED_MS = 60_000;
const BASELINE = { fromMs: 0, toMs: ACTED_MS };
const USUAL = { control: 0.002, shadow: 0.002 };

interface Harmed extends Partial<TrafficSettings> {
  readonly slos?: readonly object[];
  /** Changes pairs after the plan. */
  readonly changed?: (batch: PairBatch) => void;
}

/** The alarm of a minute of alike twins and 40 s of something else. */
function alarmOf({ slos = [P50, ERRORS], changed, ...after }: Harmed): HarmAlarm | undefined {
  const store = createBlockStore({ routes: ["browse", "search", "checkout"] });
  const usual = { seed: 5, ratePerSecond: 100, routes: 3, errors: USUAL };
  store.addPairs(traffic({ ...usual, ...BASELINE }));
  const batch = traffic({ ...usual, seed: 6, fromMs: ACTED_MS, toMs: ACTED_MS + 40_000, ...after });
  changed?.(batch);
  store.addPairs(batch);
  return harmAlarm({
    store,
    slos: slos.map((slo) => SloSchema.parse(slo)),
    baseline: BASELINE,
    window: { fromMs: ACTED_MS, toMs: ACTED_MS + 40_000 },
  });
}

/** What happens to the shadow alone in some seconds after the plan, on one route or all. */
function during(
  fromMs: number,
  toMs: number,
  change: (batch: PairBatch, at: number) => void,
  route?: number,
): (batch: PairBatch) => void {
  return (batch) => {
    for (let i = 0; i < batch.size; i++) {
      const atMs = (batch.intendedMs[i] ?? 0) - ACTED_MS;
      if (atMs >= fromMs && atMs < toMs && (route === undefined || batch.route[i] === route)) change(batch, i);
    }
  };
}

const fails = (batch: PairBatch, at: number): void => {
  batch.arms.shadow.outcome[at] = 1;
};
const slows = (batch: PairBatch, at: number): void => {
  batch.arms.shadow.latencyMs[at] = 1.6 * (batch.arms.shadow.latencyMs[at] ?? 0);
};
const stalls = (batch: PairBatch, at: number): void => {
  batch.arms.shadow.latencyMs[at] = 4000;
};

describe("the harm alarm", () => {
  test("is silent while nothing happens", () => expect(alarmOf({})).toBeUndefined());
  test("is silent for a plan at the very limit", () => {
    expect(alarmOf({ slower: 1.1, errors: { control: 0.002, shadow: 0.004 } })).toBeUndefined();
  });
  test("stops half as much latency again within twenty seconds, and says so with its numbers", () => {
    const alarm = alarmOf({ slower: 1.5 });
    expect(alarm).toMatchObject({ kind: "latency", slo: "p50" });
    expect(alarm?.afterSeconds).toBeLessThanOrEqual(14);
    expect(alarm?.excess).toBeCloseTo(0.5, 1);
    expect(alarm === undefined ? "" : harmReason(alarm).message).toMatch(
      /stopped the plan: .* had a median of .* ms on the shadow and .* ms on the control \(\+\d\d.*%\), within 10 s.*more than \+30% is gross harm/,
    );
  });
  test("knows no harm in what the operator accepts", () => {
    const wide = { ...P50, limit: { to: "+75%" } };
    expect(alarmOf({ slower: 1.5, slos: [wide, ERRORS] })).toBeUndefined();
    expect(alarmOf({ slower: 2.2, slos: [wide, ERRORS] })).toMatchObject({ kind: "latency" });
  });
  test("knows no harm where a tail may be twice as slow, although no SLO speaks of the median", () => {
    const tail = { name: "p99", measure: { kind: "latency", quantile: 0.99 }, limit: { to: "+100%" } };
    expect(alarmOf({ slower: 1.5, slos: [tail, ERRORS] })).toBeUndefined();
    const stricter = { name: "p95", measure: { kind: "latency", quantile: 0.95 }, limit: { to: "+20%" } };
    expect(alarmOf({ slower: 1.5, slos: [stricter, tail, ERRORS] })).toBeUndefined();
    expect(alarmOf({ slower: 1.5, slos: [stricter, ERRORS] })).toMatchObject({ kind: "latency", slo: "p95" });
  });
  test("has a bar of its own where no SLO speaks of latency or errors", () => {
    const jobs = { name: "jobs", measure: { kind: "counter", service: "w", metric: "jobs" }, limit: { from: "-10%" } };
    expect(alarmOf({ slower: 1.5, slos: [jobs] })).toMatchObject({ kind: "latency" });
    expect(alarmOf({ slos: [jobs], changed: during(0, 40_000, fails) })).toMatchObject({ kind: "errors" });
  });
  test("lets all routes together move as far as the route that may move most, where limits are given to routes alone", () => {
    const of = (route: string, to: string) =>
      SloSchema.parse({ name: route, measure: { kind: "latency", route, quantile: 0.5 }, limit: { to } });
    const routes = [of("browse", "+100%"), of("checkout", "+20%")];
    expect(harmBar(ALL_ROUTES, routes).latency).toEqual({ scale: "ratio", limit: 1, slo: "browse" });
    expect(harmBar("checkout", routes).latency).toMatchObject({ limit: 0.2, slo: "checkout" });
    expect(harmBar("search", routes).latency).toEqual({ scale: "ratio", limit: 0.1 });
    const all = SloSchema.parse({ ...P50, limit: { to: "+10%" } });
    expect(harmBar(ALL_ROUTES, [...routes, all]).latency).toMatchObject({ limit: 0.1, slo: "p50" });
  });
  test("takes a limit in ms against the baseline's own median", () => {
    const limit = (to: string) => [{ ...P50, limit: { to } }];
    expect(alarmOf({ slower: 1.5, slos: limit("+20") })).toBeUndefined();
    expect(alarmOf({ slower: 1.5, slos: limit("+1") })).toMatchObject({ kind: "latency" });
  });
  test("finds the one route that is harmed among those that are not", () => {
    expect(alarmOf({ changed: during(0, 40_000, slows, 2) })).toMatchObject({ kind: "latency", scope: "checkout" });
  });
});

describe("failures", () => {
  test("of everything stop the plan after three blocks", () => {
    const alarm = alarmOf({ changed: during(0, 40_000, fails) });
    expect(alarm).toMatchObject({ kind: "errors", level: "outage" });
    expect(alarm?.afterSeconds).toBe(6);
  });
  test("of a moment do not, however many", () => {
    expect(alarmOf({ changed: during(5000, 7000, fails) })).toBeUndefined();
  });
  test("of one in thirty requests that go on do", () => {
    expect(alarmOf({ ratePerSecond: 100, errors: { control: 0.002, shadow: 0.035 } })).toMatchObject({
      kind: "errors",
      level: "gross",
      slo: "errors",
    });
  });
  test("that the operator's budget allows do not stop the plan before the budget is spent", () => {
    const budget = (excessErrors: number) => [P50, { ...ERRORS, during: { excessErrors } }];
    const outage = { changed: during(0, 10_000, fails) };
    expect(alarmOf({ ...outage, slos: budget(2000) })).toBeUndefined();
    expect(alarmOf({ ...outage, slos: budget(500) })).toMatchObject({ kind: "errors" });
  });
  test("of a burst on the control before the plan are no bias that would hide or invent harm", () => {
    const store = createBlockStore({ routes: ["a"] });
    const before = traffic({ seed: 5, ratePerSecond: 300, ...BASELINE, errors: USUAL });
    for (let i = 3000; i < 3600; i += 3) before.arms.control.outcome[i] = 1;
    store.addPairs(before);
    store.addPairs(traffic({ seed: 6, ratePerSecond: 300, fromMs: ACTED_MS, toMs: ACTED_MS + 120_000, errors: USUAL }));
    const window = { fromMs: ACTED_MS, toMs: ACTED_MS + 120_000 };
    const slos = [SloSchema.parse(ERRORS)];
    expect(harmAlarm({ store, slos, baseline: BASELINE, window })).toBeUndefined();
  });
  test("on both twins alike are no harm of the plan's", () => {
    expect(alarmOf({ errors: { control: 0.3, shadow: 0.3 } })).toBeUndefined();
  });
});

describe("a shadow that stops answering", () => {
  test("is stopped when its requests have waited, not when they have timed out", () => {
    const alarm = alarmOf({ changed: during(0, 40_000, stalls) });
    expect(alarm?.afterSeconds).toBeLessThanOrEqual(8);
  });
  test("is stopped by what the driver says is overdue, long before the store can know", () => {
    const store = createBlockStore({ routes: ["browse"] });
    store.addPairs(traffic({ seed: 5, ratePerSecond: 100, ...BASELINE }));
    const follower = followHarm({ store, slos: [], baseline: BASELINE, actedFromMs: ACTED_MS });
    const waiting = Array.from({ length: 10 }, (_, second) => {
      return { route: 0, intendedFromMs: ACTED_MS + second * 1000, control: 0, shadow: 100, both: 0 };
    });
    let alarm: HarmAlarm | undefined;
    while (alarm === undefined && follower.nextToMs() <= ACTED_MS + 10_000) {
      alarm = follower.take(waiting, follower.nextToMs() + 2000);
    }
    expect(alarm).toMatchObject({ level: "outage", requests: 600 });
    expect(alarm?.afterSeconds).toBe(8);
  });
  test("is no harm of the plan's when the control does not answer either", () => {
    const both = (batch: PairBatch, at: number): void => {
      stalls(batch, at);
      batch.arms.control.latencyMs[at] = 4000;
    };
    expect(alarmOf({ changed: during(0, 40_000, both) })).toBeUndefined();
  });
});
