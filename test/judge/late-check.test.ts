import { describe, expect, test } from "vitest";
import { comparedWindows } from "../../src/judge/compared-windows.ts";
import { JudgeLimitsSchema } from "../../src/judge/judge-limits.ts";
import { judgeRounds } from "../../src/judge/judge-rounds.ts";
import { judgeSlos, type ResolvedSlo } from "../../src/judge/judge-slos.ts";
import { lateGate } from "../../src/judge/late-gate.ts";
import { passingRange } from "../../src/judge/passing-margin.ts";
import type { SwitchbackRound } from "../../src/judge/switchback.ts";
import type { BlockStore } from "../../src/measure/block-store.ts";
import { numberedStore, traffic } from "../support/judged-traffic.ts";
import { ERRORS, P50, P95, slo, states } from "./support/judged.ts";

const LIMITS = JudgeLimitsSchema.parse({ blockSeconds: 5 });
const WINDOWS = { baseline: { fromMs: 0, toMs: 120_000 }, after: { fromMs: 130_000, toMs: 250_000 } };
const P99 = slo({ name: "p99", measure: { kind: "latency", quantile: 0.99 }, limit: { to: "+40%" } });

interface LateWorld {
  /** Seconds in which the driver is late for every tenth request, on both twins. */
  readonly isLate: (second: number) => boolean;
  /** Factor on the shadow's latency in those seconds. */
  readonly harm?: number;
  /** Lateness, ms, that is in the latencies of both twins. */
  readonly lagMs?: number;
  readonly seconds?: number;
}

function storeOf({ isLate, harm = 1, lagMs = 15, seconds = 250 }: LateWorld): BlockStore {
  const store = numberedStore({ routes: ["a"] });
  for (let second = 0; second < seconds; second++) {
    const late = isLate(second);
    const window = { fromMs: second * 1000, toMs: (second + 1) * 1000 };
    const batch = traffic({ seed: second + 1, ratePerSecond: 100, ...window, slower: late ? harm : 1 });
    for (let i = 0; late && i < batch.size; i += 10) {
      for (const { sendLagMs, latencyMs } of [batch.arms.control, batch.arms.shadow]) {
        sendLagMs[i] = lagMs;
        latencyMs[i] = (latencyMs[i] ?? 0) + lagMs;
      }
    }
    store.addPairs(batch);
  }
  return store;
}

function judged(world: LateWorld, slos: readonly ResolvedSlo[] = [P50, P95, P99]) {
  return judgeSlos({ store: storeOf(world), slos, windows: WINDOWS, limits: LIMITS, restarted: false });
}

const ELEVENTH_AFTER = (second: number) => second >= 130 && second % 11 === 5;

describe("seconds in which the load generator was late", () => {
  test("can not hide the harm that made it late: what passes without them must pass with them", () => {
    const [p99] = judged({ isLate: ELEVENTH_AFTER, harm: 8 }, [P99]);
    expect(p99?.state).toBe("open");
    expect(p99?.because).toMatchObject({ code: "ENVIRONMENT_UNSTABLE", subject: "p99" });
    expect(p99?.note).toMatch(/^with the 11 s in which the load generator was late, \+\d+.*; without them [+-]/);
    expect(p99?.estimate).toBeGreaterThan(1);
  });
  test("can not hide it behind their own lag either, however long that is", () => {
    for (const lagMs of [15, 100, 400, 2000]) {
      const [p99] = judged({ isLate: ELEVENTH_AFTER, harm: 8, lagMs }, [P99]);
      expect(p99, `${lagMs} ms`).toMatchObject({ state: "open", because: { code: "ENVIRONMENT_UNSTABLE" } });
    }
  });
  test("of harm that is everywhere reject as ever", () => {
    const store = numberedStore({ routes: ["a"] });
    store.addPairs(traffic({ seed: 1, ratePerSecond: 100, ...WINDOWS.baseline }));
    const after = traffic({ seed: 2, ratePerSecond: 100, ...WINDOWS.after, slower: 1.5 });
    for (let i = 0; i < after.size; i++) if (i % 1100 < 100) after.arms.control.sendLagMs[i] = 40;
    store.addPairs(after);
    const [p50] = judgeSlos({ store, slos: [P50], windows: WINDOWS, limits: LIMITS, restarted: false });
    expect(p50).toMatchObject({ state: "fail", because: { code: "SLO_OUTSIDE_RANGE" } });
  });
  test.each([0, 130])(
    "from second %d on, alike on both twins, do not keep from a pass, and are left out of its numbers",
    (from) => {
      const isLate = (second: number) => second >= from && second % 25 === 5;
      const judgements = judged({ isLate });
      expect(states(judgements)).toEqual({ p50: "pass", p95: "pass", p99: "pass" });
      expect(judgements[0]?.derivation?.observations.after).toBe(11_500);
    },
  );
  test("that do not exist are not asked about", () => {
    const store = storeOf({ isLate: () => false });
    const rules = new Set<string | undefined>();
    const asked: BlockStore = {
      ...store,
      requests: (route, window, blockMs, late) => {
        rules.add(late);
        return store.requests(route, window, blockMs, late);
      },
    };
    const look = { slos: [P50, ERRORS], windows: WINDOWS, limits: LIMITS, restarted: false };
    expect(judgeSlos({ ...look, store: asked })).toEqual(judgeSlos({ ...look, store }));
    expect([...rules]).not.toContain("kept");
  });
  test("leave a margin that would have passed, and it passes", () => {
    const both = { ...P99, slo: { ...P99.slo, limit: { ...P99.slo.limit, lo: -0.4 } } };
    const world = { isLate: ELEVENTH_AFTER, harm: 8 };
    const [held] = judged(world, [both]);
    const range = held && passingRange(held, LIMITS.alpha);
    expect(range).toMatchObject({ lo: -0.4 });
    expect(states(judged(world, [{ slo: { ...both.slo, limit: range ?? both.slo.limit } }]))).toEqual({ p99: "pass" });
  });
});

describe("late seconds of a switchback", () => {
  const design = { kind: "switchback", rounds: 12, secondsOn: 10, secondsOff: 10, settleSeconds: 2 } as const;
  const rounds: readonly SwitchbackRound[] = Array.from({ length: 12 }, (_, round) => {
    const at = (fromS: number, toS: number) => ({
      fromMs: (24 * round + fromS) * 1000,
      toMs: (24 * round + toS) * 1000,
    });
    return { before: at(5, 10), on: at(12, 22), after: at(24, 29) };
  });
  const isOnce = (second: number) => second % 24 === 15;

  test("can not hide harm either", () => {
    const look = { slos: [P50, P99], rounds, design, limits: LIMITS, restarted: false };
    expect(states(judgeRounds({ ...look, store: storeOf({ isLate: isOnce, harm: 8, seconds: 300 }) }))).toEqual({
      p50: "pass",
      p99: "open",
    });
    const [p50] = judgeRounds({ ...look, store: storeOf({ isLate: isOnce, seconds: 300 }) });
    expect(p50?.state).toBe("pass");
  });
  test("are counted where the plan was in force, against where it was not", () => {
    const windows = { baseline: { fromMs: 0, toMs: 5000 }, after: { fromMs: 12_000, toMs: 293_000 } };
    const store = storeOf({ isLate: (second) => second % 24 === 15 || second % 24 === 18, seconds: 300 });
    const [reason] = lateGate(store, comparedWindows(windows, rounds));
    expect(reason).toMatchObject({ code: "ENVIRONMENT_UNSTABLE" });
    expect(reason?.message).toContain("late in 20% of all seconds with the plan in force, 0% without it");
    expect(lateGate(store, comparedWindows(windows, undefined))).toEqual([]);
  });
});
