import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { measureWindow } from "../../src/judge/calibration-windows.ts";
import { learnCalibration, upperSd } from "../../src/judge/learn-calibration.ts";
import type { LearnedSlo } from "../../src/judge/profile.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { traffic } from "../support/judged-traffic.ts";
import { type Rounds, roundsOf } from "./support/calibration-rounds.ts";
import { ERRORS, P50, slo } from "./support/judged.ts";

function learned(world: Rounds): LearnedSlo {
  const found = learnCalibration(P50, roundsOf(world));
  if (found.kind !== "learned") throw new Error(found.why);
  return found;
}

/** Share of 1,000 seeds for which something holds. */
function shareOf(holds: (seed: number) => boolean): number {
  let count = 0;
  for (let seed = 1; seed <= 1000; seed++) if (holds(seed)) count++;
  return count / 1000;
}

describe("the limits of a profile", () => {
  test.each([
    { truth: 0.02, noise: 0.01, rounds: 8 },
    { truth: 0.005, noise: 0.01, rounds: 8 },
    { truth: 0.02, noise: 0.001, rounds: 4 },
    { truth: 0, noise: 0.01, rounds: 8 },
  ])("lie above a bias sd of $truth nine times in ten, seen through noise of $noise in $rounds rounds", (given) => {
    const { truth, noise, rounds } = given;
    const share = shareOf((seed) => {
      const random = seededRandom(seed);
      const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      const values = Array.from({ length: rounds }, () => ({
        value: truth * gauss() + noise * gauss(),
        noise: noise ** 2,
      }));
      return upperSd(values) >= truth;
    });
    // Three standard errors of 1,000 draws below nine in ten.
    expect(share).toBeGreaterThan(0.87);
  });

  test("hold for raises and for restarts when the noise has to be learned as well", () => {
    const world = { rounds: 8, biasSd: 0.015, secondSd: 0.05 };
    const profiles = Array.from({ length: 300 }, (_, seed) => learned({ ...world, seed: seed + 1 }));
    const above = (value: (profile: LearnedSlo) => number): number =>
      profiles.filter((profile) => value(profile) >= world.biasSd).length / profiles.length;
    expect(above(({ tau }) => tau)).toBeGreaterThan(0.85);
    expect(above(({ restartSd = 0 }) => restartSd)).toBeGreaterThan(0.85);
    // Wide, but of use: half of them below two and a half times the truth.
    expect(above(({ tau }) => tau / 2.5)).toBeLessThan(0.5);
  });

  test("count a bias that every raise shares", () => {
    const { tau } = learned({ seed: 3, rounds: 8, biasSd: 0, secondSd: 0.01, placement: 0.03, restarts: false });
    expect(tau).toBeGreaterThan(0.03);
  });

  test("are wider from fewer rounds", () => {
    const typical = (rounds: number): number => {
      const all = Array.from(
        { length: 101 },
        (_, seed) => learned({ seed: seed + 1, rounds, biasSd: 0.01, secondSd: 0.02 }).tau,
      );
      return all.sort((a, b) => a - b)[50] ?? 0;
    };
    expect(typical(4)).toBeGreaterThan(typical(8));
    expect(typical(8)).toBeGreaterThan(typical(20));
  });
});

describe("drift", () => {
  test("is called shown once in a hundred where there is none", () => {
    const still = { rounds: 8, biasSd: 0.01, secondSd: 0.03 };
    expect(shareOf((seed) => learned({ ...still, seed }).drift.shown)).toBeLessThan(0.03);
  });

  test("is shown where the halves of windows differ by more than noise, with the seconds it holds for", () => {
    const { drift } = learned({ seed: 5, rounds: 8, biasSd: 0.01, secondSd: 0.01, driftSd: 0.05 });
    expect(drift).toMatchObject({ shown: true, seconds: 20 });
    expect(drift.sd).toBeGreaterThan(0.04);
  });
});

describe("noise", () => {
  test("is learned per block length, and the shortest that does not lean is suggested", () => {
    const { blocks, blockMsSuggested } = learned({ seed: 2, rounds: 8, biasSd: 0, secondSd: 0.04 });
    expect(blocks.map(({ blockMs }) => blockMs)).toEqual([1000, 2000, 5000, 10_000]);
    expect(blocks[0]?.sd).toBeCloseTo(0.04, 2);
    expect(blocks[3]?.sd).toBeCloseTo(0.04 / Math.sqrt(10), 2);
    expect(blocks[1]?.varianceInflation).toBeLessThan(1.5);
    expect(blockMsSuggested).toBe(2000);
  });

  test("of one window is not enough to learn from", () => {
    const [only] = roundsOf({ seed: 1, rounds: 1, biasSd: 0, secondSd: 0.01 });
    expect(learnCalibration(P50, only === undefined ? [] : [only])).toMatchObject({ kind: "not-learned" });
    expect(learnCalibration(P50, [])).toMatchObject({ kind: "not-learned" });
  });
});

describe("windows of real pairs", () => {
  const store = createBlockStore({ routes: ["browse"], noAnswerMs: 5000 });
  const errors = { control: 0.002, shadow: 0.002 };
  store.addPairs(traffic({ seed: 1, ratePerSecond: 100, fromMs: 0, toMs: 40_000, slower: 1.05, errors }));
  const at = { round: 0, when: "raised", window: { fromMs: 0, toMs: 40_000 } } as const;

  test("show the bias of the twins with its noise", () => {
    const window = measureWindow(store, P50, at);
    expect(window?.whole.estimate).toBeCloseTo(Math.log(1.05), 1);
    expect(window?.blocks.map(({ series }) => series.influence.length)).toEqual([40, 20, 8, 4]);
    expect(window?.halves).toHaveLength(2);
    expect(measureWindow(store, ERRORS, at)?.whole.scale).toBe("absolute");
  });

  test("of which a twin has no data are none", () => {
    const cpu = slo({ name: "cpu", measure: { kind: "cpu", service: "api" }, limit: { to: "+10%" } });
    expect(measureWindow(store, cpu, at)).toBeUndefined();
    expect(measureWindow(store, P50, { ...at, window: { fromMs: 90_000, toMs: 130_000 } })).toBeUndefined();
  });
});
