import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { decide } from "../../src/judge/decide.ts";
import type { SloJudgement } from "../../src/judge/verdict.ts";
import { type BlockStore, createBlockStore } from "../../src/measure/block-store.ts";
import { measureKey } from "../../src/measure/slo.ts";
import type { PairBatch } from "../../src/replay/recording.ts";
import { picked, swapped, traffic } from "../support/judged-traffic.ts";
import { FOUR, LIMITS, P50, slo, WINDOWS } from "./support/judged.ts";
import { PROVEN, type RunSettings, type WholeVerdict, wholeVerdict } from "./support/whole-verdict.ts";

// Laws of whole verdicts: a look after every block until it is decided, then gates, served work and proofs. What can not be
// a law, and why, stands in docs/decisions/0013.

/** What the plan does to the shadow. */
interface Plan {
  readonly seed: number;
  readonly slower: number;
  readonly failing: number;
}

// A fixed seed: a world within a hair of a limit may flip by a latency bin, which is no news in CI.
const SEED = 20_261_123;
const RUNS = { numRuns: 24, seed: SEED };
const RATE = 100;
const plan: fc.Arbitrary<Plan> = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  slower: fc.oneof(
    { weight: 4, arbitrary: fc.double({ min: 0.9, max: 1.02, noNaN: true }) },
    { weight: 3, arbitrary: fc.double({ min: 1.05, max: 1.12, noNaN: true }) },
    { weight: 1, arbitrary: fc.double({ min: 1.15, max: 1.6, noNaN: true }) },
  ),
  failing: fc.oneof(
    { weight: 5, arbitrary: fc.constant(0.002) },
    { weight: 1, arbitrary: fc.double({ min: 0.002, max: 0.05, noNaN: true }) },
  ),
});
const PLANS = fc.sample(plan, { numRuns: 30, seed: SEED });
const anyPlan = fc.constantFrom(...PLANS);

/** A minute alike, ten seconds of settling, a minute with the plan's effect and some more, numbered without a gap. */
function pieces({ seed, slower, failing }: Plan, unit = 1): readonly PairBatch[] {
  const alike = { control: 0.002, shadow: 0.002 };
  const common = { ratePerSecond: RATE, routes: 2, unit };
  return [
    traffic({ ...common, seed, fromMs: 0, toMs: 70_000, errors: alike }),
    traffic({
      ...common,
      seed: seed + 1,
      fromMs: 70_000,
      toMs: 140_000,
      slower,
      errors: { control: 0.002, shadow: failing },
      firstSequence: 70 * RATE,
    }),
  ];
}

function storeOf(
  batches: readonly PairBatch[],
  options: { routes?: readonly string[]; unit?: number } = {},
): BlockStore {
  const store = createBlockStore({ routes: options.routes ?? ["a", "b"], noAnswerMs: 5000 * (options.unit ?? 1) });
  for (const batch of batches) store.addPairs(batch);
  return store;
}

const judgedBefore = new Map<Plan, WholeVerdict>();
/** The verdict of a plan as it is, computed once. */
function usual(given: Plan): WholeVerdict {
  const known = judgedBefore.get(given) ?? wholeVerdict(storeOf(pieces(given)));
  judgedBefore.set(given, known);
  return known;
}

/** Holds for every plan that what `change` makes of its run is promoted only if the run itself was. */
function neverNewlyPromotes<T>(change: fc.Arbitrary<T>, judge: (given: Plan, how: T) => WholeVerdict): void {
  const seen = { promote: 0, hold: 0, reject: 0 };
  fc.assert(
    fc.property(anyPlan, change, (given, how) => {
      const before = usual(given).verdict.kind;
      seen[before]++;
      if (before !== "promote") expect(judge(given, how).verdict.kind).not.toBe("promote");
    }),
    RUNS,
  );
  // A law of which no case could fail would hold for nothing.
  expect(seen.hold + seen.reject).toBeGreaterThan(RUNS.numRuns / 4);
}

const reasonsOf = ({ verdict }: WholeVerdict): readonly string[] => verdict.reasons.map((reason) => reason.code);

test("the plans below are promoted, held and rejected, each often enough for the laws to mean something", () => {
  const kinds = PLANS.map((given) => usual(given).verdict.kind);
  for (const kind of ["promote", "hold", "reject"] as const) {
    expect(kinds.filter((seen) => seen === kind).length).toBeGreaterThanOrEqual(5);
  }
});

describe("what things are called, measured in and listed by changes nothing", () => {
  test("milliseconds or seconds", () => {
    fc.assert(
      fc.property(anyPlan, (given) => {
        const seconds = wholeVerdict(storeOf(pieces(given, 0.001), { unit: 0.001 }));
        expect(seconds.verdict.kind).toBe(usual(given).verdict.kind);
        expect(reasonsOf(seconds)).toEqual(reasonsOf(usual(given)));
      }),
      RUNS,
    );
  });

  test("names of SLOs and routes: the same bytes but for the names", () => {
    const named = (given: Plan, names: readonly [string, string, string]): string => {
      const measure = { kind: "latency", quantile: 0.5, route: names[1] };
      const slos = [...FOUR, slo({ name: names[2], measure, limit: { to: "+10%" } })];
      const result = wholeVerdict(storeOf(pieces(given), { routes: [names[0], names[1]] }), { slos });
      return names.reduce((text, name, i) => text.replaceAll(name, `#${i}#`), JSON.stringify(result));
    };
    fc.assert(
      fc.property(anyPlan, (given) => {
        expect(named(given, ["zebra-0", "yak-1", "gnu-2"])).toBe(named(given, ["ant-0000", "bee-1", "cow-222222"]));
      }),
      { ...RUNS, numRuns: 10 },
    );
  });

  test("names of services", () => {
    const requests = traffic({ seed: 3, ratePerSecond: 20, fromMs: 0, toMs: 480_000 });
    const judgedAs = (service: string, kind: "cpu" | "memory", more: number, seed: number): string => {
      const measure = { kind, service } as const;
      const store = createBlockStore({ routes: ["a"] });
      const random = seededRandom(seed);
      store.addPairs(requests);
      for (let second = 0; second < 480; second++) {
        for (const role of ["control", "shadow"] as const) {
          const harm = role === "shadow" && second >= 320 ? more : 1;
          const value =
            kind === "cpu" ? second + harm * (second - 320) + random() / 10 : 1e8 * harm * (1 + random() / 50);
          store.addMetric({
            atMs: second * 1000,
            role,
            key: measureKey(measure),
            value: value + (kind === "cpu" ? 640 : 0),
          });
        }
      }
      const windows = { baseline: { fromMs: 0, toMs: 310_000 }, after: { fromMs: 320_000, toMs: 470_000 } };
      const slos = [slo({ name: "resource", measure, limit: { to: "+20%" } })];
      return JSON.stringify(wholeVerdict(store, { ...windows, slos }));
    };
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        name,
        name,
        fc.constantFrom("cpu", "memory"),
        fc.constantFrom(1, 1.6),
        fc.nat(),
        (one, other, kind, more, seed) => {
          const judged = judgedAs(one, kind, more, seed);
          expect(judged).toBe(judgedAs(other, kind, more, seed));
          seen.add(`${kind} x ${more}: ${JSON.parse(judged).verdict.kind}`);
        },
      ),
      { ...RUNS, numRuns: 20 },
    );
    expect([...seen].sort()).toEqual([
      "cpu x 1.6: reject",
      "cpu x 1: promote",
      "memory x 1.6: hold",
      "memory x 1: hold",
    ]);
  });

  test("the order of the SLOs: the same judgement of each, the same reasons", () => {
    const sorted = (list: readonly { readonly message: string }[]) => list.map((reason) => reason.message).sort();
    fc.assert(
      fc.property(anyPlan, fc.shuffledSubarray(FOUR, { minLength: 4 }), (given, slos) => {
        const other = wholeVerdict(storeOf(pieces(given)), { slos });
        const inOrder = FOUR.map(({ slo: { name } }) => other.slos.find((judged) => judged.name === name));
        expect(inOrder).toEqual(usual(given).slos);
        expect(other.verdict.kind).toBe(usual(given).verdict.kind);
        expect(sorted(other.verdict.reasons)).toEqual(sorted(usual(given).verdict.reasons));
      }),
      { ...RUNS, numRuns: 12 },
    );
  });

  test("which twin is called the shadow, if the expectation is mirrored", () => {
    // Gates and served work are left out: that the control may not fail and the shadow may is meant.
    const kindOf = (slos: readonly SloJudgement[]) => decide({ ...PROVEN, slos }).kind;
    const limits = fc.record({ lo: fc.double({ min: -0.3, max: -0.05 }), hi: fc.double({ min: 0.02, max: 0.4 }) });
    fc.assert(
      fc.property(anyPlan, limits, (given, { lo, hi }) => {
        const range = (from: number, to: number) => ({ from: percent(Math.expm1(from)), to: percent(Math.expm1(to)) });
        const both = (from: number, to: number) => [
          slo({ name: "p50", measure: { kind: "latency", quantile: 0.5 }, limit: range(from, to) }),
          slo({ name: "served", measure: { kind: "served" }, limit: range(from, to) }),
          slo({ name: "errors", measure: { kind: "errors" }, limit: { from: `${from}pp`, to: `${to}pp` } }),
        ];
        const straight = wholeVerdict(storeOf(pieces(given)), { slos: both(lo, hi) });
        const mirrored = wholeVerdict(storeOf(pieces(given).map(swapped)), { slos: both(-hi, -lo) });
        expect(mirrored.slos.map((judged) => judged.state)).toEqual(straight.slos.map((judged) => judged.state));
        expect(kindOf(mirrored.slos)).toBe(kindOf(straight.slos));
        expect(mirrored.looks).toBe(straight.looks);
        expect(mirrored.slos[2]?.interval.hi).toBeCloseTo(-(straight.slos[2]?.interval.lo ?? 0), 12);
      }),
      { ...RUNS, numRuns: 12 },
    );
  });
});

describe("a shadow that gets worse is never newly promoted", () => {
  test("by answering everything slower", () => {
    const factor = fc.double({ min: 1, max: 1.5, noNaN: true });
    neverNewlyPromotes(factor, (given, by) => wholeVerdict(storeOf(pieces({ ...given, slower: given.slower * by }))));
  });

  test("by as many milliseconds more in every answer", () => {
    neverNewlyPromotes(fc.double({ min: 0, max: 10, noNaN: true }), (given, moreMs) => {
      const [before, after] = pieces(given) as readonly [PairBatch, PairBatch];
      const { latencyMs } = after.arms.shadow;
      for (let i = 0; i < after.size; i++) latencyMs[i] = (latencyMs[i] ?? 0) + moreMs;
      return wholeVerdict(storeOf([before, after]));
    });
  });

  test.each([
    ["failing", 1],
    ["timing out", 2],
    ["refusing connections", 3],
    ["never being sent", 5],
  ] as const)("by more requests %s", (_, outcome) => {
    neverNewlyPromotes(fc.double({ min: 0, max: 0.1, noNaN: true }), (given, share) => {
      const [before, after] = pieces(given) as readonly [PairBatch, PairBatch];
      const random = seededRandom(given.seed + 7);
      for (let i = 0; i < after.size; i++) if (random() < share) after.arms.shadow.outcome[i] = outcome;
      return wholeVerdict(storeOf([before, after]));
    });
  });
});

describe("less is never newly promoted", () => {
  test("fewer looks: a run that ends earlier", () => {
    neverNewlyPromotes(fc.integer({ min: 0, max: 30 }), (given, blocks) => {
      const after = { fromMs: WINDOWS.after.fromMs, toMs: WINDOWS.after.fromMs + 2000 * blocks };
      return wholeVerdict(storeOf(pieces(given)), { after });
    });
  });

  test("a recording from which requests are missing, whichever they are: not even what was promoted stays so", () => {
    // Every run looks at least until second 82; behind it nobody can miss anything.
    const lost = fc.uniqueArray(fc.integer({ min: 0, max: 80 * RATE }), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(anyPlan, lost, (given, numbers) => {
        const gone = new Set(numbers);
        const kept = pieces(given).map((batch) => picked(batch, (i) => !gone.has(batch.sequence[i] ?? -1)));
        const { verdict } = wholeVerdict(storeOf(kept));
        expect(verdict.kind).not.toBe("promote");
        expect(verdict.reasons.map((reason) => reason.code)).toContain("NO_DATA");
      }),
      RUNS,
    );
  });

  test("a baseline with fewer blocks than needed promotes nothing, a plan beyond its limit is not promoted by any baseline", () => {
    const seconds = fc.integer({ min: 0, max: 60 });
    fc.assert(
      fc.property(anyPlan, seconds, (given, length) => {
        const baseline = { fromMs: 60_000 - length * 1000, toMs: 60_000 };
        const settings: RunSettings = { baseline, slos: [P50] };
        if (length < 2 * LIMITS.minBlocksBefore) {
          expect(wholeVerdict(storeOf(pieces(given)), settings).verdict.kind).not.toBe("promote");
        }
        const harmful = storeOf(pieces({ ...given, slower: 1.25 }));
        expect(wholeVerdict(harmful, settings).verdict.kind).not.toBe("promote");
      }),
      { ...RUNS, numRuns: 16 },
    );
  });
});

test("what is promoted was shown: every interval inside its range, from enough blocks, errors also request by request", () => {
  for (const given of PLANS) {
    const { verdict, slos } = usual(given);
    if (verdict.kind !== "promote") continue;
    for (const { accepted, interval, blocks, requestTest } of slos) {
      expect(interval.lo).toBeGreaterThan(accepted.lo);
      expect(interval.hi).toBeLessThan(accepted.hi);
      expect(interval.hi).toBeGreaterThan(interval.lo);
      expect(blocks.before).toBeGreaterThanOrEqual(LIMITS.minBlocksBefore);
      expect(blocks.after).toBeGreaterThanOrEqual(LIMITS.minBlocksAfter);
      if (requestTest !== undefined) expect(requestTest.logPass).toBeGreaterThanOrEqual(Math.log(1 / LIMITS.alpha));
    }
  }
});

test("a narrower limit never newly promotes", () => {
  const limits = fc.record({ p50: fc.integer({ min: 1, max: 10 }), p95: fc.integer({ min: 1, max: 30 }) });
  neverNewlyPromotes(limits, (given, { p50, p95 }) => {
    const narrower = [
      slo({ name: "p50", measure: { kind: "latency", quantile: 0.5 }, limit: { to: `+${p50}%` } }),
      slo({ name: "p95", measure: { kind: "latency", quantile: 0.95 }, limit: { to: `+${p95}%` } }),
      ...FOUR.slice(2),
    ];
    return wholeVerdict(storeOf(pieces(given)), { slos: narrower });
  });
});

test("one more SLO never newly promotes", () => {
  neverNewlyPromotes(fc.subarray(FOUR, { minLength: 1, maxLength: 3 }), (given, some) => {
    const fewer = wholeVerdict(storeOf(pieces(given)), { slos: some });
    const all = usual(given);
    if (fewer.verdict.kind !== "promote") expect(all.verdict.kind).not.toBe("promote");
    return all;
  });
});

test("judged again, or delivered in other pieces, the answer is the same bytes", () => {
  fc.assert(
    fc.property(anyPlan, fc.integer({ min: 1, max: 14_000 }), (given, cut) => {
      const again = pieces(given).flatMap((batch) => [
        picked(batch, (i) => (batch.sequence[i] ?? 0) % 3 === cut % 3),
        picked(batch, (i) => (batch.sequence[i] ?? 0) % 3 !== cut % 3),
      ]);
      const store = storeOf(again);
      const once = JSON.stringify(wholeVerdict(store));
      expect(once).toBe(JSON.stringify(usual(given)));
      expect(JSON.stringify(wholeVerdict(store))).toBe(once);
    }),
    { ...RUNS, numRuns: 12 },
  );
});

function percent(ratio: number): string {
  return `${ratio * 100}%`;
}
