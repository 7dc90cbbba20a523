import { describe, expect, test } from "vitest";
import { confidenceSequence, PLAIN_BIAS } from "../../src/judge/confidence-sequence.ts";
import { judgeSlos } from "../../src/judge/judge-slos.ts";
import { meanArm } from "../../src/measure/arm-series.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { emptyBatch, traffic } from "../support/judged-traffic.ts";
import { LIMITS, SERVED, slo, steady, storeOf, WINDOWS } from "./support/judged.ts";
import { refusedWith } from "./support/whole-verdict.ts";

const STILL = storeOf();

describe("very many of everything", () => {
  test("ten thousand routes are counted apart, judged together, and named in no more than the reasons", () => {
    const routes = Array.from({ length: 10_000 }, (_, i) => `route-${i}`);
    const store = createBlockStore({ routes });
    const errors = { control: 0.002, shadow: 0.3 };
    store.addPairs(traffic({ seed: 1, ratePerSecond: 500, fromMs: 0, toMs: 60_000, routes: 10_000 }));
    const rest = { seed: 2, ratePerSecond: 500, fromMs: 60_000, toMs: 140_000, routes: 10_000, firstSequence: 30_000 };
    store.addPairs(traffic({ ...rest, errors }));
    expect(refusedWith(store)).toContain("SLO_OUTSIDE_RANGE");
    const rare = slo({ name: "rare", measure: { kind: "errors", route: "route-77" }, limit: { to: "+1pp" } });
    expect(refusedWith(store, { slos: [rare] })).toContain("NO_DATA");
  });
  test("a million block values give an interval that is finite and does not contain a shift of a sixth of their sd", () => {
    const wave = (count: number, shift: number) =>
      meanArm(Array.from({ length: count }, (_, i) => shift + Math.sin(i * 12.9898) * Math.sqrt(2)));
    const phases = { before: wave(1_000_000, 0), after: wave(1_000_000, 1 / 6), floor: 0.001 };
    const cs = confidenceSequence(phases, PLAIN_BIAS, { alpha: 0.01, g: 1 });
    expect(cs.lo).toBeGreaterThan(0.1);
    expect(cs.hi).toBeLessThan(0.25);
  });
  test("a hundred thousand base blocks hold a pair each, and the answer is the one of their sum", () => {
    const store = createBlockStore({ routes: ["a"], baseBlockMs: 1 });
    const batch = emptyBatch(100_000);
    store.addPairs({ ...batch, intendedMs: Float64Array.from(batch.sequence) });
    const blocks = store.requests("a", { fromMs: 0, toMs: 1e5 }, 1000).blocks;
    expect(blocks.map((block) => block.size)).toEqual(Array.from({ length: 100 }, () => 1000));
    expect(refusedWith(store, { slos: [SERVED] })).toEqual(["NO_DATA"]);
  });
  test("a window of a million blocks, nearly all of them empty, holds within the time of a test", () => {
    const after = { fromMs: 70_000, toMs: 70_000 + 1e6 * 2000 };
    const { grid } = STILL;
    expect(grid(after, 2000).count).toBeLessThan(20_000);
    expect(grid({ fromMs: -1e15, toMs: 1e15 }, 2000).count).toBeLessThan(20_000);
    const [judged] = judgeSlos({
      store: STILL,
      slos: [SERVED],
      limits: LIMITS,
      restarted: false,
      windows: { ...WINDOWS, after },
      profile: steady([SERVED]),
    });
    expect(judged).toMatchObject({ state: "no-data", because: { code: "NO_DATA" } });
  });
  test("a million requests behind one that never comes are not remembered one by one", () => {
    const store = createBlockStore({ routes: ["a"] });
    const batch = emptyBatch(100_000);
    for (let part = 0; part < 10; part++) {
      store.addPairs({ ...batch, sequence: batch.sequence.map((_, i) => 1 + part * 100_000 + i) });
    }
    expect(store.deliveredUntilMs()).toBe(Number.NEGATIVE_INFINITY);
    expect(store.hasGapBefore(1)).toBe(true);
  });
});
