import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import type { SwitchbackDesign } from "../../src/judge/judge-limits.ts";
import { hopelessRounds, plannedRounds } from "../../src/judge/planned-rounds.ts";
import { roundsDisturbed } from "../../src/judge/rounds-gate.ts";
import { halvesOf, offStretches, type RoundValue, roundValues } from "../../src/judge/switchback.ts";
import { type BlockStore, createBlockStore } from "../../src/measure/block-store.ts";
import { traffic } from "../support/judged-traffic.ts";
import { ERRORS, LIMITS, P50, slo, storeOf, WINDOWS } from "./support/judged.ts";

const DESIGN: SwitchbackDesign = { kind: "switchback", rounds: 8, secondsOn: 10, secondsOff: 10, settleSeconds: 2 };
const P99_STRICT = slo({ name: "p99", measure: { kind: "latency", quantile: 0.99 }, limit: { to: "+3%" } });

describe("power of rounds", () => {
  const plan = { store: storeOf(), baseline: WINDOWS.baseline, design: DESIGN, limits: LIMITS, restarted: false };

  test("that is enough leaves nothing to say", () => expect(plannedRounds({ ...plan, slos: [P50] })).toEqual([]));
  test("that is not enough names the rounds and the margin that would be", () => {
    const [reason] = plannedRounds({ ...plan, slos: [P99_STRICT] });
    expect(reason).toMatchObject({ code: "UNDERPOWERED", subject: "p99" });
    expect(reason?.message).toMatch(
      /^p99 can not be decided in 8 rounds by the noise of the baseline; (\d+ rounds \(\d+ min\) or )?a margin of [\d.]+% or longer rounds would do\.$/,
    );
  });
  test("of too few requests is known before anything is sent", () => {
    const job = { design: DESIGN, limits: LIMITS };
    const strict = slo({ name: "errors", measure: { kind: "errors" }, limit: { to: "+0.1pp" } });
    expect(hopelessRounds(strict, 50, job)[0]?.message).toMatch(/see 4000 of its requests .* 7\d\d\d are needed/);
    expect(hopelessRounds(strict, 100, job)).toEqual([]);
    expect(hopelessRounds(P99_STRICT, 30, job)[0]?.message).toMatch(/30 beyond the quantile/);
    expect(hopelessRounds(ERRORS, 30, job)).toEqual([]);
  });
});

describe("a control that follows the plan round by round", () => {
  const rounds = Array.from({ length: 10 }, (_, round) => ({
    before: { fromMs: round * 20_000 + 5_000, toMs: round * 20_000 + 10_000 },
    on: { fromMs: round * 20_000 + 10_000, toMs: round * 20_000 + 20_000 },
    after: { fromMs: round * 20_000 + 20_000, toMs: round * 20_000 + 25_000 },
  }));
  /** Both twins alike slower while the plan is in force, and in a phase of their own otherwise. */
  function coupled(on: (round: number) => number): BlockStore {
    const store = createBlockStore({ routes: ["a"] });
    for (let half = 0; half < 22; half++) {
      const unit = half % 2 === 1 ? on((half - 1) / 2) : 1;
      const window = { fromMs: half * 10_000, toMs: (half + 1) * 10_000 };
      store.addPairs(traffic({ seed: half, ratePerSecond: 100, unit, ...window, firstSequence: half * 1000 }));
    }
    return store;
  }
  const input = { slos: [P50], rounds, cores: "shared", limits: LIMITS, restarted: false } as const;

  test("holds when what reached it would leave the range", () => {
    const [reason] = roundsDisturbed({ ...input, store: coupled(() => 1.2) });
    expect(reason).toMatchObject({ code: "CONTROL_DISTURBED", subject: "p50" });
    expect(reason?.message).toMatch(/moved by \+(19|20|21).* with the plan over 10 rounds on the untouched control/);
  });
  test("holds when only the doubt of the interval that passes would leave it", () => {
    const store = coupled(() => 1.088);
    const values = roundValues(store, { measure: P50.slo.measure, scale: "log" }, rounds);
    const mean = (pick: (of: RoundValue) => number): number =>
      values.reduce((sum, of) => sum + (of === undefined ? Number.NaN : pick(of)), 0) / values.length;
    expect(mean((of) => of.effect) + mean((of) => of.shifts.control)).toBeLessThan(Math.log(1.1));
    expect(roundsDisturbed({ ...input, store })).toMatchObject([{ code: "CONTROL_DISTURBED" }]);
  });
  test("does not hold when it would not, when it got better, or when it moved in some rounds only", () => {
    expect(roundsDisturbed({ ...input, store: coupled(() => 1.04) })).toEqual([]);
    expect(roundsDisturbed({ ...input, store: coupled(() => 0.8) })).toEqual([]);
    expect(roundsDisturbed({ ...input, store: coupled((round) => (round % 3 === 0 ? 1.5 : 0.9)) })).toEqual([]);
  });
});

describe("stretches without the plan", () => {
  test("keep no beat, differ by seed, and take as long as asked together", () => {
    const lengths = offStretches(12, 10_000, seededRandom(7));
    expect(lengths).toHaveLength(13);
    expect(lengths.every((ms) => ms >= 5_000 && ms <= 12_500)).toBe(true);
    expect(new Set(lengths.slice(1, -1)).size).toBeGreaterThan(8);
    const inPairs = lengths.slice(1, 11).reduce((total, ms) => total + ms, 0);
    expect(inPairs).toBeCloseTo(100_000, 6);
    expect(offStretches(12, 10_000, seededRandom(7))).toEqual(lengths);
    expect(offStretches(12, 10_000, seededRandom(8))).not.toEqual(lengths);
  });
  test("are halved on whole seconds, and the halves share none", () => {
    const { first, last } = halvesOf({ fromMs: 3_000, toMs: 14_300 });
    expect(first).toEqual({ fromMs: 3_000, toMs: 8_000 });
    expect(last).toEqual({ fromMs: 9_000, toMs: 14_000 });
  });
});
