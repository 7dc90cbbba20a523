import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import {
  budgetReasons,
  type DuringBudget,
  duringBudgets,
  spendBudgets,
  usualBefore,
} from "../../src/judge/during-budgets.ts";
import { type BlockStore, createBlockStore } from "../../src/measure/block-store.ts";
import { SloSchema } from "../../src/measure/slo.ts";
import { excessErrors } from "../../src/measure/work.ts";
import { traffic } from "../support/judged-traffic.ts";
import { storeOf, WINDOWS } from "./support/judged.ts";

const ERRORS = { name: "errors", measure: { kind: "errors" }, limit: { to: "+1pp" } };
const CHECKOUT = {
  name: "checkout",
  measure: { kind: "latency", route: "checkout", quantile: 0.9 },
  limit: { to: "+10%" },
};

function budgets(slos: readonly object[], expects: Parameters<typeof duringBudgets>[1] = []): readonly DuringBudget[] {
  return duringBudgets(
    slos.map((slo) => SloSchema.parse(slo)),
    expects,
    100,
  );
}

function reasonsOf(store: BlockStore, asked: readonly DuringBudget[], window = WINDOWS.after) {
  return budgetReasons(store, window, spendBudgets(store, window, asked));
}

describe("budgets while the plan acts and settles", () => {
  test("are one second of the traffic where nobody sets any", () => {
    expect(budgets([ERRORS])).toEqual([
      { kind: "errors", allowed: 100, by: "default", stallMs: 2000 },
      { kind: "stalls", allowed: 100, by: "default", stallMs: 2000 },
    ]);
  });
  test("are the operator's where the operator sets them", () => {
    const during = { excessErrors: 500, excessStalls: 7, stallMs: 800 };
    expect(budgets([{ ...ERRORS, during }])).toEqual([
      { slo: "errors", kind: "errors", allowed: 500, by: "scenario", stallMs: 800 },
      { slo: "errors", kind: "stalls", allowed: 7, by: "scenario", stallMs: 800 },
    ]);
  });
  test("are narrowed by the plan and never widened by it", () => {
    const slo = { ...ERRORS, during: { excessErrors: 50 } };
    const allowedWith = (excessErrors: number) => budgets([slo], [{ slo: "errors", during: { excessErrors } }])[0];
    expect(allowedWith(5)).toMatchObject({ allowed: 5, by: "plan" });
    expect(allowedWith(5000)).toMatchObject({ allowed: 50, by: "scenario" });
    const unlimited = budgets([ERRORS], [{ slo: "errors", during: { excessErrors: 5000 } }]);
    expect(unlimited[0]).toMatchObject({ allowed: 100, by: "default" });
  });
  test("of one route leave the default for all of them", () => {
    const found = budgets([{ ...CHECKOUT, during: { excessErrors: 300 } }]);
    expect(found.filter(({ kind }) => kind === "errors")).toEqual([
      { slo: "checkout", route: "checkout", kind: "errors", allowed: 300, by: "scenario", stallMs: 2000 },
      { kind: "errors", allowed: 300, by: "default", stallMs: 2000 },
    ]);
  });
  test("belong to SLOs of requests", () => {
    const gauge = { name: "memory", measure: { kind: "memory", service: "api" }, limit: { to: "+10%" } };
    expect(() => SloSchema.parse({ ...gauge, during: { excessErrors: 1 } })).toThrow(/SLO of requests/);
  });
});

describe("a budget of errors", () => {
  const store = storeOf({ errorsBefore: 0, errors: { control: 0, shadow: 0.02 } });
  const withBudget = (excess: number) => budgets([{ ...ERRORS, during: { excessErrors: excess } }]);

  test("that is passed is told with both numbers", () => {
    const [reason] = reasonsOf(store, withBudget(5));
    expect(reason).toMatchObject({ code: "EXCESS_ERRORS", subject: "errors" });
    expect(reason?.message).toMatch(/the shadow had 1\d\d errors more than the control, 5 are allowed/);
  });
  test("that is kept is not, to the last error", () => {
    const excess = excessErrors(store, WINDOWS.after, undefined);
    expect(reasonsOf(store, withBudget(excess))).toEqual([]);
    expect(reasonsOf(store, withBudget(excess - 1))).toHaveLength(1);
  });
  test("counts an error at the very edge of the window", () => {
    const edge = createBlockStore({ routes: ["a"] });
    const batch = traffic({ seed: 1, ratePerSecond: 1, fromMs: 500, toMs: 2500 });
    batch.arms.shadow.outcome[0] = 1;
    edge.addPairs(batch);
    expect(reasonsOf(edge, withBudget(0), { fromMs: 400, toMs: 900 })).toHaveLength(1);
  });
});

describe("a budget of stalls", () => {
  function stalledFor(ms: number, twins: readonly ("control" | "shadow")[]) {
    const store = createBlockStore({ routes: ["a"] });
    const batch = traffic({ seed: 3, ratePerSecond: 50, fromMs: 0, toMs: 20_000 });
    for (let i = 200; i < 230; i++) for (const role of twins) batch.arms[role].latencyMs[i] = ms;
    store.addPairs(batch);
    return reasonsOf(store, budgets([{ ...ERRORS, during: { excessStalls: 10, stallMs: 1000 } }]), {
      fromMs: 0,
      toMs: 20_000,
    });
  }

  test("counts answers that came too late, although they were right", () => {
    expect(stalledFor(1500, ["shadow"])).toMatchObject([{ code: "EXCESS_STALLS", subject: "errors" }]);
    expect(stalledFor(1500, ["shadow"])[0]?.message).toBe(
      "errors: while the plan acted and settled 30 requests more than on the control took longer than 1 s on the shadow, 10 are allowed.",
    );
  });
  test("counts nothing that the operator's bound allows, nor what stalls on the control as well", () => {
    expect(stalledFor(900, ["shadow"])).toEqual([]);
    expect(stalledFor(1500, ["control", "shadow"])).toEqual([]);
  });
});

describe("a stall that nobody sets", () => {
  const baseline = { fromMs: 0, toMs: 60_000 };
  const during = { fromMs: 60_000, toMs: 90_000 };
  /** Traffic whose latencies are these times those of the usual traffic (p99 near 60 ms), and what the plan does in `during`. */
  function spent(unit: number, harm: (i: number, atMs: number) => number | undefined, slos: readonly object[] = []) {
    const store = createBlockStore({ routes: ["a"] });
    const batch = traffic({ seed: 4, ratePerSecond: 100, fromMs: 0, toMs: during.toMs, unit });
    for (let i = 0; i < batch.size; i++) {
      const atMs = batch.intendedMs[i] ?? 0;
      const slow = atMs < during.fromMs ? undefined : harm(i, atMs);
      if (slow !== undefined) batch.arms.shadow.latencyMs[i] = slow;
    }
    store.addPairs(batch);
    const parsed = slos.map((slo) => SloSchema.parse(slo));
    const found = spendBudgets(store, during, duringBudgets(parsed, [], 100, usualBefore(store, baseline)));
    return { reasons: budgetReasons(store, during, found), stalls: found.find(({ kind }) => kind === "stalls") };
  }
  const mostWait = (i: number) => (i % 10 < 3 ? 1900 : undefined);

  test("is ten times what the slowest hundredth took before the plan: 1.9 s for 30% of requests is harm", () => {
    const { reasons, stalls } = spent(1, mostWait);
    expect(stalls?.stallMs).toBe(Math.round(10 * (stalls?.usualMs ?? 0)));
    expect(stalls).toMatchObject({ allowed: 100, by: "default", spent: 900 });
    expect(reasons).toMatchObject([{ code: "EXCESS_STALLS" }]);
    expect(reasons[0]?.message).toMatch(
      / took longer than \d+ ms \(ten times the p99 before the plan\) on the shadow, 100 are/,
    );
  });
  test("sees every request wait 1.9 s for four seconds", () => {
    expect(spent(1, (_, atMs) => (atMs < 64_000 ? 1900 : undefined)).reasons).toMatchObject([
      { code: "EXCESS_STALLS" },
    ]);
  });
  test("is half a second at least, however fast the service is, and 2 s at most, however slow", () => {
    const fast = spent(0.01, mostWait);
    expect(fast.stalls).toMatchObject({ stallMs: 500, spent: 900 });
    expect(fast.reasons[0]?.message).toMatch(/500 ms \(more than ten times the p99 before the plan\)/);
    expect(spent(0.01, () => 450).reasons).toEqual([]);
    expect(spent(10, mostWait).stalls).toEqual({
      kind: "stalls",
      allowed: 100,
      by: "default",
      stallMs: 2000,
      spent: 0,
    });
  });
  test("is what the operator sets, as it is written", () => {
    const set = { ...ERRORS, during: { excessStalls: 10, stallMs: 1950 } };
    expect(spent(1, mostWait, [set])).toMatchObject({ reasons: [], stalls: { stallMs: 1950, spent: 0 } });
    const counted = spent(1, mostWait, [{ ...ERRORS, during: { excessStalls: 10 } }]);
    expect(counted.stalls).toMatchObject({ allowed: 10, by: "scenario", spent: 900 });
  });
  test("goes by the control: a shadow that was slow already before the plan makes nothing of it normal", () => {
    const store = createBlockStore({ routes: ["a"] });
    const batch = traffic({ seed: 4, ratePerSecond: 100, fromMs: 0, toMs: during.toMs });
    for (let i = 0; i < batch.size; i += 10) batch.arms.shadow.latencyMs[i] = 1900;
    store.addPairs(batch);
    expect(usualBefore(store, baseline)(undefined)).toBeLessThan(400);
  });
  test("is 2 s where fewer than a hundred requests came before the plan: they do not show what is usual", () => {
    const store = createBlockStore({ routes: ["a"] });
    store.addPairs(traffic({ seed: 4, ratePerSecond: 1, fromMs: 0, toMs: during.toMs }));
    const [, stalls] = duringBudgets([], [], 1, usualBefore(store, baseline));
    expect(stalls).toEqual({ kind: "stalls", allowed: 5, by: "default", stallMs: 2000 });
  });
  test("never lets the control's shorter stalls make up for the shadow's long ones", () => {
    const store = createBlockStore({ routes: ["a"] });
    const batch = traffic({ seed: 4, ratePerSecond: 100, fromMs: 0, toMs: during.toMs });
    for (let i = 6000; i < 6150; i++) {
      batch.arms.shadow.latencyMs[i] = 2500;
      batch.arms.control.latencyMs[i + 1000] = 1500;
    }
    store.addPairs(batch);
    const found = spendBudgets(store, during, duringBudgets([], [], 100, usualBefore(store, baseline)));
    expect(budgetReasons(store, during, found)[0]?.message).toMatch(
      / 150 requests .* took longer than 2 s on the shadow/,
    );
  });
  test("costs no harmless plan anything, though hundredths of both twins' requests take twenty times as long", () => {
    for (let seed = 0; seed < 50; seed++) {
      const store = createBlockStore({ routes: ["a"] });
      const batch = traffic({ seed, ratePerSecond: 100, fromMs: 0, toMs: during.toMs });
      const random = seededRandom(seed);
      for (let i = 0; i < batch.size; i++) {
        for (const role of ["control", "shadow"] as const) if (random() < 0.009) batch.arms[role].latencyMs[i] = 1900;
      }
      store.addPairs(batch);
      const found = spendBudgets(store, during, duringBudgets([], [], 100, usualBefore(store, baseline)));
      expect(budgetReasons(store, during, found), `seed ${seed}`).toEqual([]);
    }
  });
});
