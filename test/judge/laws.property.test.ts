import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { decide, type Evidence } from "../../src/judge/decide.ts";
import { judgeSlos } from "../../src/judge/judge-slos.ts";
import type { SloJudgement } from "../../src/judge/verdict.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import type { PairBatch } from "../../src/replay/recording.ts";
import { swapped, traffic } from "../support/judged-traffic.ts";
import { ERRORS, FOUR, LIMITS, look, P50, P95, SERVED, slo, storeOf, WINDOWS, type World } from "./support/judged.ts";

// Laws of the verdict that hold for every world. Worlds are small, so that each law sees dozens of them.

// One fixed seed: a world within a hair of a limit may flip by a latency bin, which is no news in CI.
const RUNS = { numRuns: 25, seed: 20_261_123 };
const seed = fc.integer({ min: 1, max: 1e6 });
const slower = fc.double({ min: 0.8, max: 1.6, noNaN: true });
const failing = fc.double({ min: 0, max: 0.05, noNaN: true });
const world = fc.record({ seed, slower, errors: fc.record({ control: fc.constant(0.002), shadow: failing }) });

const CAUTION = { pass: 0, open: 1, "no-data": 1, fail: 2 } as const;
const ranks = (judgements: readonly SloJudgement[]) => judgements.map((judgement) => CAUTION[judgement.state]);

/** Everything proven but for what the SLOs say. */
const PROVEN: Omit<Evidence, "slos"> = {
  gates: [],
  quiet: { actions: [{ id: "act", effects: [], undeclared: [], absent: [], noOp: false }], residue: [] },
  rollback: { kind: "run", undoMs: 10, withinMs: 1000, residue: [], notRecovered: [] },
  against: [],
  replayFailures: [],
  triggers: [],
  tier: 2,
  snapshotVerified: false,
  stubOnlyEffects: [],
};
const kindOf = (slos: readonly SloJudgement[]) => decide({ ...PROVEN, slos }).kind;

describe("a worse shadow never gets a kinder verdict", () => {
  test("when every answer is slower", () => {
    fc.assert(
      fc.property(world, fc.double({ min: 1, max: 2, noNaN: true }), (given, factor) => {
        const latencies = { slos: [P50, P95] };
        const before = ranks(look(given, latencies));
        const after = ranks(look({ ...given, slower: given.slower * factor }, latencies));
        for (const [i, rank] of after.entries()) expect(rank).toBeGreaterThanOrEqual(before[i] ?? 2);
      }),
      RUNS,
    );
  });

  test("when more answers fail", () => {
    fc.assert(
      fc.property(seed, failing, failing, (from, a, b) => {
        const at = (share: number): World => ({ seed: from, errors: { control: 0.002, shadow: share } });
        const errors = { slos: [ERRORS, SERVED] };
        const [few, many] = [ranks(look(at(Math.min(a, b)), errors)), ranks(look(at(Math.max(a, b)), errors))];
        // Never newly promoted; a fail may soften only to open, when scattered errors also widen the interval.
        for (const [i, rank] of many.entries())
          expect(Math.min(1, rank)).toBeGreaterThanOrEqual(Math.min(1, few[i] ?? 1));
      }),
      RUNS,
    );
  });
});

describe("what things are called and measured in changes nothing", () => {
  test("milliseconds or seconds", () => {
    fc.assert(
      fc.property(world, (given) => {
        const absolute = (to: string) =>
          slo({ name: "abs", measure: { kind: "latency", quantile: 0.5 }, limit: { to } });
        const ms = look(given, { slos: [...FOUR, absolute("+3")] });
        const s = look({ ...given, unit: 0.001 }, { slos: [...FOUR, absolute("+0.003")] });
        expect(ranks(s)).toEqual(ranks(ms));
      }),
      RUNS,
    );
  });

  test("names of SLOs and routes", () => {
    fc.assert(
      fc.property(world, (given) => {
        const batches = worldBatches(given);
        const states = (routes: readonly string[], route: string, name: string) => {
          const store = createBlockStore({ routes });
          for (const batch of batches) store.addPairs(batch);
          const renamed = slo({ name, measure: { kind: "latency", quantile: 0.5, route }, limit: { to: "+10%" } });
          const judgements = judgeSlos({ store, slos: [renamed], windows: WINDOWS, limits: LIMITS, restarted: false });
          return judgements.map(({ state, estimate, interval }) => ({ state, estimate, interval }));
        };
        expect(states(["zebra", "yak"], "yak", "zz")).toEqual(states(["a", "b"], "b", "aa"));
      }),
      RUNS,
    );
  });

  test("twins exchanged, with the expectation mirrored", () => {
    fc.assert(
      fc.property(world, (given) => {
        const limit = { from: "-9.0909090909%", to: "+10%" };
        const both = [
          slo({ name: "p50", measure: { kind: "latency", quantile: 0.5 }, limit }),
          slo({ name: "errors", measure: { kind: "errors" }, limit: { from: "-1pp", to: "+1pp" } }),
        ];
        const judged = (exchange: (batch: PairBatch) => PairBatch) => {
          const store = createBlockStore({ routes: ["a", "b"] });
          for (const batch of worldBatches(given)) store.addPairs(exchange(batch));
          return judgeSlos({ store, slos: both, windows: WINDOWS, limits: LIMITS, restarted: false });
        };
        const [straight, mirrored] = [judged((batch) => batch), judged(swapped)];
        expect(ranks(mirrored)).toEqual(ranks(straight));
        expect(mirrored[1]?.interval.hi).toBeCloseTo(-(straight[1]?.interval.lo ?? 0), 12);
      }),
      RUNS,
    );
  });

  test("re-judging gives the same bytes", () => {
    fc.assert(
      fc.property(world, (given) => {
        const store = storeOf(given);
        const once = JSON.stringify(look(store));
        look(store, { windows: { ...WINDOWS, after: { fromMs: 70_000, toMs: 90_000 } } });
        expect(JSON.stringify(look(store))).toBe(once);
      }),
      RUNS,
    );
  });
});

describe("less never promotes", () => {
  test("a plan beyond its limit is not promoted for lack of data", () => {
    fc.assert(
      fc.property(seed, fc.double({ min: 0.05, max: 0.95, noNaN: true }), (from, share) => {
        const random = seededRandom(from);
        const store = createBlockStore({ routes: ["a", "b"] });
        for (const batch of worldBatches({ seed: from, slower: 1.25 }))
          store.addPairs(thinned(batch, () => random() < share));
        const judgements = judgeSlos({ store, slos: [P50], windows: WINDOWS, limits: LIMITS, restarted: false });
        expect(kindOf(judgements)).not.toBe("promote");
      }),
      RUNS,
    );
  });

  test("a phase that is cut short or lost is not promoted", () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 0, max: 11 }), fc.integer({ min: 0, max: 39 }), (from, after, before) => {
        const cutAfter = { ...WINDOWS, after: { fromMs: 70_000, toMs: 70_000 + after * 1000 } };
        const cutBefore = { ...WINDOWS, baseline: { fromMs: 0, toMs: before * 1000 } };
        expect(kindOf(look({ seed: from }, { windows: cutAfter }))).toBe("hold");
        expect(kindOf(look({ seed: from }, { windows: cutBefore }))).toBe("hold");
      }),
      RUNS,
    );
  });

  test("adding an SLO never newly promotes", () => {
    fc.assert(
      fc.property(world, fc.subarray(FOUR, { minLength: 1 }), (given, some) => {
        const before = kindOf(look(given, { slos: some }));
        const after = kindOf(look(given, { slos: FOUR }));
        if (before !== "promote") expect(after).not.toBe("promote");
      }),
      RUNS,
    );
  });
});

function worldBatches(given: World): readonly PairBatch[] {
  const { seed: from = 1, ...rest } = given;
  const alike = { control: 0.002, shadow: 0.002 };
  const common = { ratePerSecond: 100, routes: 2 };
  return [
    traffic({ ...common, ...WINDOWS.baseline, seed: from, errors: alike }),
    traffic({ errors: alike, ...rest, ...common, ...WINDOWS.after, seed: from + 1, firstSequence: 6000 }),
  ];
}

/** Only some of the pairs, as if the others had been lost on both twins. */
function thinned(batch: PairBatch, keeps: () => boolean): PairBatch {
  const kept = [...batch.sequence.keys()].filter(keeps);
  const pick = <T extends { [index: number]: number; readonly length: number }>(column: T, into: T): T => {
    for (const [i, from] of kept.entries()) into[i] = column[from] ?? 0;
    return into;
  };
  const size = kept.length;
  const arm = (role: "control" | "shadow") => ({
    outcome: pick(batch.arms[role].outcome, new Uint8Array(size)),
    status: pick(batch.arms[role].status, new Uint16Array(size)),
    sendLagMs: pick(batch.arms[role].sendLagMs, new Float32Array(size)),
    latencyMs: pick(batch.arms[role].latencyMs, new Float32Array(size)),
    serviceMs: pick(batch.arms[role].serviceMs, new Float32Array(size)),
  });
  return {
    size,
    sequence: pick(batch.sequence, new Uint32Array(size)),
    intendedMs: pick(batch.intendedMs, new Float64Array(size)),
    route: pick(batch.route, new Uint16Array(size)),
    arms: { control: arm("control"), shadow: arm("shadow") },
  };
}
