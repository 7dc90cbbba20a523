import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { compareSeries } from "../../src/judge/compare-series.ts";
import { JudgeLimitsSchema, type SwitchbackDesign } from "../../src/judge/judge-limits.ts";
import { judgeRounds } from "../../src/judge/judge-rounds.ts";
import { judgeSlos } from "../../src/judge/judge-slos.ts";
import { passingRange } from "../../src/judge/passing-margin.ts";
import type { SloJudgement } from "../../src/judge/verdict.ts";
import { type BlockStore, createBlockStore } from "../../src/measure/block-store.ts";
import { bucketKey } from "../../src/measure/metric-keys.ts";
import { type Measure, measureKey } from "../../src/measure/slo.ts";
import { traffic } from "../support/judged-traffic.ts";
import { slo } from "./support/judged.ts";
import { wholeVerdict } from "./support/whole-verdict.ts";

type Role = "control" | "shadow";
/** Value read of a twin in a second; undefined where the reading failed. */
type Read = (second: number, role: Role) => number | undefined;

const GAUGE = { kind: "gauge", service: "web", metric: "pool", labels: {} } as const;
const COUNTER = { kind: "counter", service: "web", metric: "queries_total", labels: {} } as const;
const CPU = { kind: "cpu", service: "web" } as const;
const HISTOGRAM = { kind: "histogram", service: "web", metric: "seconds", labels: {}, quantile: 0.5 } as const;
const LIMITS = JudgeLimitsSchema.parse({ blockSeconds: 10, gaugeBlockSeconds: 10 });
/** The plan acts at 310 s, and 20 s of settling are left out. */
const ACTS = 310;
const WINDOWS = { baseline: { fromMs: 0, toMs: 310_000 }, after: { fromMs: 330_000, toMs: 530_000 } };
const SECONDS = 535;

/** A number that looks random, the same for a second and twin in every test. */
const noise = (second: number, role: Role): number => seededRandom(second * 2 + (role === "control" ? 0 : 1))() - 0.5;
const calm = (second: number, role: Role): number => 10 + noise(second, role);
const isHarmed = (second: number, role: Role): boolean => role === "shadow" && second >= ACTS;

function stored(measure: Measure, read: Read, ratePerSecond = 5): BlockStore {
  const store = createBlockStore({ routes: ["a"] });
  store.addPairs(traffic({ seed: 3, ratePerSecond, fromMs: 0, toMs: SECONDS * 1000 }));
  const keys =
    measure.kind === "histogram"
      ? [0.1, 0.11, Number.POSITIVE_INFINITY].map((bound, i) => ({ key: bucketKey(measure, bound), part: (i + 1) / 3 }))
      : [{ key: measureKey(measure), part: 1 }];
  for (let second = 0; second < SECONDS; second++) {
    for (const role of ["control", "shadow"] as const) {
      const value = read(second, role);
      if (value === undefined) continue;
      for (const { key, part } of keys) store.addMetric({ atMs: second * 1000 + 7, role, key, value: value * part });
    }
  }
  return store;
}

function sloOf(measure: Measure, limit: object = { to: "+20%" }) {
  return slo({ name: "metric", measure, limit });
}

function judged(measure: Measure, read: Read, limit?: object): SloJudgement {
  const slos = [sloOf(measure, limit)];
  const look = { store: stored(measure, read), slos, limits: LIMITS, windows: WINDOWS, restarted: false };
  const [judgement] = judgeSlos(look);
  if (judgement === undefined) throw new Error("one SLO gives one judgement");
  return judgement;
}

/** Counts up by what `step` says, second by second; it is asked in order. */
function counting(step: (second: number, role: Role) => number): Read {
  const total = { control: 0, shadow: 0 };
  return (second, role) => {
    total[role] += step(second, role);
    return total[role];
  };
}

const STEADY_COUNT = (second: number, role: Role): number => 50 + noise(second, role);

describe("readings that one twin lacks", () => {
  test("of sound readings every kind of measure passes: what is held below is held for what is wrong with it", () => {
    expect(judged(GAUGE, calm).state).toBe("pass");
    expect(judged(COUNTER, counting(STEADY_COUNT)).state).toBe("pass");
    expect(judged(CPU, counting(STEADY_COUNT)).state).toBe("pass");
    expect(judged(HISTOGRAM, counting(STEADY_COUNT)).state).toBe("pass");
  });

  test("in 8 of 10 s, those in which the shadow is ten times higher, promote nothing, as they do not where they can be read", () => {
    const hidden: Read = (s, role) => (isHarmed(s, role) && s % 10 < 8 ? undefined : calm(s, role));
    const shown: Read = (s, role) => (isHarmed(s, role) && s % 10 < 8 ? 100 : calm(s, role));
    const verdictOf = (read: Read) =>
      wholeVerdict(stored(GAUGE, read), { ...WINDOWS, limits: LIMITS, slos: [sloOf(GAUGE)] }).verdict.kind;
    expect([verdictOf(calm), verdictOf(shown), verdictOf(hidden)]).toEqual(["promote", "reject", "hold"]);
  });

  test("in every sixth block hold, with the shares that are missing", () => {
    for (const [measure, read] of [
      [GAUGE, calm],
      [COUNTER, counting(STEADY_COUNT)],
      [HISTOGRAM, counting(STEADY_COUNT)],
    ] as const) {
      const lossy: Read = (s, role) => {
        const value = read(s, role);
        return isHarmed(s, role) && Math.floor(s / 10) % 6 === 2 ? undefined : value;
      };
      const judgement = judged(measure, lossy);
      expect(judgement).toMatchObject({ state: "open", because: { code: "ASYMMETRIC_LOSS", subject: "metric" } });
      expect(judgement.note).toMatch(
        /15% of the shadow's readings with the plan in force are missing and 0% of the control's/,
      );
    }
  });

  test("before the plan hold as well: what is left out there is what the plan is held against", () => {
    const lossy: Read = (s, role) => (role === "shadow" && s < ACTS && s % 12 === 0 ? undefined : calm(s, role));
    expect(judged(GAUGE, lossy)).toMatchObject({ because: { code: "ASYMMETRIC_LOSS" } });
  });

  test("hold on the control too, and do not where both lack the same moments", () => {
    const lacking = (roles: readonly Role[]) =>
      judged(GAUGE, (s, role) => (roles.includes(role) && s % 10 === 3 ? undefined : calm(s, role)));
    expect(lacking(["control"])).toMatchObject({ because: { code: "ASYMMETRIC_LOSS" } });
    expect(lacking(["control", "shadow"]).state).toBe("pass");
  });

  test("while a service starts again cost nothing: neither those of settling, nor a few seconds after it, nor a counter that falls", () => {
    const since = { control: 0, shadow: 0 };
    const restarted: Read = (s, role) => {
      const isDown = role === "shadow" && s >= ACTS && s < ACTS + 27;
      since[role] = isDown ? 0 : since[role] + STEADY_COUNT(s, role);
      return isDown ? undefined : since[role];
    };
    expect(judged(COUNTER, restarted).state).toBe("pass");
  });

  test("for some seconds after settling hold a short observation only: the same loss weighs less in a longer one", () => {
    const read: Read = (s, role) => (isHarmed(s, role) && s < ACTS + 26 ? undefined : calm(s, role));
    const store = stored(GAUGE, read);
    const at = (toMs: number) =>
      judgeSlos({
        store,
        slos: [sloOf(GAUGE)],
        limits: LIMITS,
        restarted: false,
        windows: { ...WINDOWS, after: { fromMs: 330_000, toMs } },
      })[0];
    expect(at(420_000)).toMatchObject({ state: "open", because: { code: "ASYMMETRIC_LOSS" } });
    expect(at(520_000)?.state).toBe("pass");
  });

  test("do not soften a rejection, and no margin would have passed what is held", () => {
    const harmed: Read = (s, role) => {
      if (isHarmed(s, role) && s % 10 === 3) return undefined;
      return calm(s, role) * (isHarmed(s, role) ? 3 : 1);
    };
    expect(judged(GAUGE, harmed).state).toBe("fail");
    const held = judged(GAUGE, (s, role) => (isHarmed(s, role) && s % 10 === 3 ? undefined : calm(s, role)));
    expect(held.because?.code).toBe("ASYMMETRIC_LOSS");
    expect(passingRange(held, 0.01)).toBeUndefined();
  });

  test("thinned on both twins by a slow shadow leave no block: two of ten seconds are not ten", () => {
    const thinned = judged(GAUGE, (s, role) => (s >= ACTS && s % 10 < 8 ? undefined : calm(s, role)));
    expect(thinned).toMatchObject({ state: "no-data", because: { code: "NO_DATA" } });
  });

  test("removed from a harmed shadow alone, by any rule, never let it pass", () => {
    const rule = fc.oneof(
      fc.record({ every: fc.integer({ min: 2, max: 30 }), first: fc.integer({ min: 1, max: 30 }) }).map(
        ({ every, first }) =>
          (s: number) =>
            s % every < first,
      ),
      fc.record({ seed: fc.nat(1e6), share: fc.double({ min: 0, max: 1, noNaN: true }) }).map(
        ({ seed, share }) =>
          (s: number) =>
            seededRandom(seed + s)() < share,
      ),
      fc.record({ from: fc.integer({ min: 0, max: SECONDS }), length: fc.integer({ min: 1, max: 400 }) }).map(
        ({ from, length }) =>
          (s: number) =>
            s >= from && s < from + length,
      ),
      // The worst that can be: exactly those that show the harm.
      fc.constant((s: number, isHigh: boolean) => isHigh && s >= ACTS),
    );
    // Harm in more of the time than the 5 points that a shadow may lack.
    const harm = fc.record({
      factor: fc.double({ min: 3, max: 50, noNaN: true }),
      of: fc.integer({ min: 2, max: 10 }),
    });
    const measure = fc.constantFrom<Measure>(GAUGE, COUNTER);
    fc.assert(
      fc.property(measure, harm, rule, (of, { factor, of: ofTen }, removed) => {
        const isHigh = (s: number, role: Role): boolean => isHarmed(s, role) && s % 10 < ofTen;
        const step: Read = (s, role) => (10 + noise(s, role)) * (isHigh(s, role) ? factor : 1);
        const read = of.kind === "counter" ? counting((s, role) => step(s, role) ?? 0) : step;
        const left: Read = (s, role) => {
          const value = read(s, role);
          return role === "shadow" && removed(s, isHigh(s, role)) ? undefined : value;
        };
        expect(judged(of, left).state).not.toBe("pass");
      }),
      { numRuns: 60, seed: 20_261_130 },
    );
  });
});

describe("readings that stand still", () => {
  const frozen = { state: "open", because: { code: "NO_DATA", subject: "metric" } };
  const last = (read: Read, isFrozen: (second: number, role: Role) => boolean): Read => {
    const kept: Partial<Record<Role, number>> = {};
    return (second, role) => {
      const value = read(second, role);
      if (isFrozen(second, role)) return kept[role];
      if (value !== undefined) kept[role] = value;
      return value;
    };
  };

  test("on the shadow from the plan on hold, whatever is read, and say what they look like", () => {
    for (const [measure, read] of [
      [GAUGE, calm],
      [COUNTER, counting(STEADY_COUNT)],
      [CPU, counting(STEADY_COUNT)],
    ] as const) {
      const judgement = judged(measure, last(read, isHarmed));
      expect(judgement).toMatchObject(frozen);
      expect(judgement.note).toContain("a frozen exporter looks the same");
    }
  });

  test("on the shadow hold when they stop later, or never moved there while the control's did", () => {
    expect(
      judged(
        GAUGE,
        last(calm, (s, role) => role === "shadow" && s >= 450),
      ),
    ).toMatchObject(frozen);
    expect(judged(GAUGE, (s, role) => (role === "shadow" ? 10 : calm(s, role)))).toMatchObject(frozen);
  });

  test("on the shadow hold also where the control's never move, if the shadow's did", () => {
    const moving: Read = (s, role) => (role === "control" ? 10 : calm(s, role));
    expect(judged(GAUGE, last(moving, isHarmed))).toMatchObject(frozen);
  });

  test("of a control that froze hold", () => {
    expect(
      judged(
        GAUGE,
        last(calm, (s, role) => role === "control" && s >= ACTS),
      ),
    ).toMatchObject(frozen);
  });

  test("of a shadow whose harm is shown all the same do not hide it", () => {
    const stuck: Read = (s, role) => (isHarmed(s, role) ? 30 : calm(s, role));
    expect(judged(GAUGE, stuck)).toMatchObject({ state: "fail", because: { code: "SLO_OUTSIDE_RANGE" } });
  });

  test("of a number that somebody sets are judged as before: outside where it is, else nothing was measured", () => {
    const replicas: Read = (s, role) => (isHarmed(s, role) ? 3 : 1);
    expect(judged(GAUGE, replicas, { to: "+1" }).state).toBe("fail");
    expect(judged(GAUGE, replicas, { to: "+5" })).toMatchObject({ state: "no-data", because: { code: "NO_DATA" } });
  });

  test("as often as they always did are no sign: a queue that is mostly empty, a counter of what is rare", () => {
    // One second in a hundred on either twin, none of the shadow's after the plan.
    const rare: Read = (s, role) => (s % 100 === 50 && !isHarmed(s, role) ? 4 : 0);
    expect(judged(GAUGE, rare, { to: "+2" }).state).toBe("pass");
    const counted = counting((s, role) => rare(s, role) ?? 0);
    expect(judged(COUNTER, counted, { to: "+2" }).state).toBe("pass");
  });

  test("between bursts are no sign: what comes five at a time pauses for long", () => {
    // Bursts of five seconds, 60 s apart on the control and on the shadow before the plan; then a pause of the shadow.
    const bursty: Read = (s, role) => (s % 60 < 5 && !(isHarmed(s, role) && s > 425) ? (s % 60) + 1 : 0);
    expect(judged(GAUGE, bursty, { to: "+5" }).state).toBe("pass");
  });

  test("on both twins alike are no sign: what rightly stops stops on both", () => {
    const stopping: Read = (s, role) => (s < ACTS + (role === "shadow" ? 60 : 61) ? calm(s, role) : 10);
    expect(judged(GAUGE, stopping).state).toBe("pass");
  });

  test("of a control that never moves, before the plan or after it, are no sign either", () => {
    expect(judged(GAUGE, (s, role) => (role === "control" ? 10 : calm(s, role))).state).toBe("pass");
  });

  test("of a series from elsewhere are not inside, and outside all the same", () => {
    const compared = (experiment: (i: number) => number) =>
      compareSeries({
        name: "latency",
        points: Array.from({ length: 120 }, (_, i) => ({
          atMs: i * 15_000,
          control: 20 + noise(i, "control"),
          experiment: experiment(i),
        })),
        limit: slo({ name: "p50", measure: { kind: "latency", quantile: 0.5 }, limit: { to: "+20%" } }).slo.limit,
        unit: "",
        limits: JudgeLimitsSchema.parse({ settleSeconds: 0 }),
        actedAtMs: 900_000,
      });
    const moving = (i: number): number => 20 + noise(i, "shadow");
    expect(compared(moving).answer).toBe("inside");
    for (const from of [0, 60, 90]) {
      const stuck = compared((i) => (i >= from ? 20 : moving(i)));
      expect(stuck).toMatchObject({ answer: "undecided", because: { code: "NO_DATA" } });
      expect(stuck.because?.message).toContain("a frozen exporter looks the same");
    }
    expect(compared((i) => (i >= 60 ? 60 : moving(i))).answer).toBe("outside");
  });
});

describe("in the rounds of a switchback", () => {
  const DESIGN: SwitchbackDesign = { kind: "switchback", rounds: 12, secondsOn: 10, secondsOff: 10, settleSeconds: 3 };
  const rounds = Array.from({ length: 12 }, (_, round) => {
    const fromMs = (60 + round * 26) * 1000;
    const window = (from: number, to: number) => ({ fromMs: fromMs + from * 1000, toMs: fromMs + to * 1000 });
    return { before: window(-5, 0), on: window(3, 13), after: window(16, 21) };
  });
  const isOn = (s: number): boolean => rounds.some(({ on }) => s * 1000 >= on.fromMs - 3000 && s * 1000 < on.toMs);
  const state = (measure: Measure, read: Read, limit: object = { to: "+20%" }) => {
    const store = stored(measure, read);
    const slos = [sloOf(measure, limit)];
    return judgeRounds({ store, slos, rounds, design: DESIGN, limits: LIMITS, restarted: false })[0];
  };

  test("sound readings pass", () => expect(state(GAUGE, calm)?.state).toBe("pass"));

  test("readings that the shadow lacks in force hold, whether few of every round or all of some", () => {
    const few: Read = (s, role) => (role === "shadow" && isOn(s) && s % 5 === 0 ? undefined : calm(s, role));
    expect(state(GAUGE, few)).toMatchObject({ state: "open", because: { code: "ASYMMETRIC_LOSS" } });
    const most: Read = (s, role) => (role === "shadow" && isOn(s) && s % 5 > 0 ? undefined : calm(s, role));
    expect(state(GAUGE, most)?.state).toBe("no-data");
    const whole: Read = (s, role) => (role === "shadow" && isOn(s) && s < 100 ? undefined : calm(s, role));
    expect(state(GAUGE, whole)).toMatchObject({ state: "open", because: { code: "ASYMMETRIC_LOSS" } });
  });

  test("readings that stand still on the shadow whenever the plan is in force hold, though each round has another value", () => {
    let kept = 10;
    const stuck: Read = (s, role) => {
      if (role === "shadow" && !isOn(s)) kept = 10 + noise(s, role);
      return role === "shadow" ? kept : calm(s, role);
    };
    expect(state(GAUGE, stuck)).toMatchObject({ state: "open", because: { code: "NO_DATA" } });
    const dead = counting((s, role) => (role === "shadow" && isOn(s) ? 0 : STEADY_COUNT(s, role)));
    expect(state(COUNTER, dead)).toMatchObject({ state: "open", because: { code: "NO_DATA" } });
  });
});
