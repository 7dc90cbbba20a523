import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { decide } from "../../src/judge/decide.ts";
import { judgeSlos } from "../../src/judge/judge-slos.ts";
import type { SloJudgement } from "../../src/judge/verdict.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import type { PairBatch } from "../../src/replay/recording.ts";
import { picked, swapped, traffic } from "../support/judged-traffic.ts";
import { ERRORS, FOUR, LIMITS, look, P50, P95, SERVED, slo, steady, WINDOWS, type World } from "./support/judged.ts";
import { PROVEN } from "./support/whole-verdict.ts";

// Laws of one look that hold for every world; those of a whole run are in laws-of-runs. Worlds are small, so that each law
// sees dozens of them.

// One fixed seed: a world within a hair of a limit may flip by a latency bin, which is no news in CI.
const RUNS = { numRuns: 25, seed: 20_261_123 };
const seed = fc.integer({ min: 1, max: 1e6 });
const slower = fc.double({ min: 0.8, max: 1.6, noNaN: true });
const failing = fc.double({ min: 0, max: 0.05, noNaN: true });
const world = fc.record({ seed, slower, errors: fc.record({ control: fc.constant(0.002), shadow: failing }) });

const CAUTION = { pass: 0, open: 1, "no-data": 1, fail: 2 } as const;
const ranks = (judgements: readonly SloJudgement[]) => judgements.map((judgement) => CAUTION[judgement.state]);

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
          const profile = steady(both);
          return judgeSlos({ store, slos: both, windows: WINDOWS, limits: LIMITS, restarted: false, profile });
        };
        const [straight, mirrored] = [judged((batch) => batch), judged(swapped)];
        expect(ranks(mirrored)).toEqual(ranks(straight));
        expect(mirrored[1]?.interval.hi).toBeCloseTo(-(straight[1]?.interval.lo ?? 0), 12);
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
          store.addPairs(picked(batch, () => random() < share));
        const profile = steady([P50]);
        const judgements = judgeSlos({
          store,
          slos: [P50],
          windows: WINDOWS,
          limits: LIMITS,
          restarted: false,
          profile,
        });
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
