import { describe, expect, test } from "vitest";
import { lookOutcome } from "../../src/judge/judge-slos.ts";
import type { SloJudgement } from "../../src/judge/verdict.ts";
import { ERRORS, LIMITS, look, P50, P95, SERVED, slo, states, storeOf, WINDOWS, type World } from "./support/judged.ts";

const afterFor = (seconds: number) => ({
  ...WINDOWS,
  after: { fromMs: WINDOWS.after.fromMs, toMs: WINDOWS.after.fromMs + seconds * 1000 },
});

function only(judgements: readonly SloJudgement[]): SloJudgement {
  expect(judgements).toHaveLength(1);
  return judgements[0] as SloJudgement;
}

describe("one look", () => {
  test("passes every SLO of a plan that costs nothing", () => {
    const judgements = look({});
    expect(states(judgements)).toEqual({ p50: "pass", p95: "pass", errors: "pass", served: "pass" });
    expect(lookOutcome(judgements)).toBe("pass");
    for (const judgement of judgements) {
      expect(judgement.because).toBeUndefined();
      expect(judgement.interval.lo).toBeLessThanOrEqual(0);
      expect(judgement.interval.hi).toBeGreaterThanOrEqual(0);
    }
  });

  test("fails what is slower than allowed, with the number that was tested", () => {
    const judgements = look({ slower: 1.5 });
    expect(states(judgements)).toMatchObject({ p50: "fail", p95: "fail", errors: "pass", served: "pass" });
    expect(lookOutcome(judgements)).toBe("fail");
    expect(judgements[0]?.because?.code).toBe("SLO_OUTSIDE_RANGE");
    expect(judgements[0]?.because?.message).toMatch(
      /^p50: \+49\.\d% \(interval .*\), outside the accepted \+10% or less$/,
    );
    expect(judgements[0]?.levels.shadowAfter).toBeGreaterThan(28);
  });

  test("fails errors beyond the limit and served work below it", () => {
    const judgements = look({ errors: { control: 0.002, shadow: 0.15 } });
    expect(states(judgements)).toMatchObject({ p50: "pass", errors: "fail", served: "fail" });
    expect(judgements.find((judgement) => judgement.name === "errors")?.requestTest?.logFail).toBeGreaterThan(5);
  });

  test("leaves open what straddles the limit, and says how long it would take", () => {
    const judgement = only(look({ slower: 1.1 }, { slos: [P50] }));
    expect(judgement.state).toBe("open");
    expect(judgement.because?.code).toBe("UNDERPOWERED");
    expect(judgement.minimalDetectable).toBeGreaterThan(0);
    expect(judgement.note).toMatch(/does not settle the accepted \+10% or less/);
  });

  test("decides nothing before six blocks have passed", () => {
    expect(only(look({ slower: 3 }, { slos: [P50], windows: afterFor(10) })).state).toBe("open");
    expect(only(look({ slower: 3 }, { slos: [P50], windows: afterFor(12) })).state).toBe("fail");
  });

  test("waits for thirty requests beyond the quantile", () => {
    const rare = slo({ name: "p95", measure: { kind: "latency", quantile: 0.95 }, limit: { to: "+1000%" } });
    const judgement = only(look({ ratePerSecond: 40 }, { slos: [rare], windows: afterFor(14) }));
    expect(judgement.note).toBe("28 of at least 30 requests beyond the quantile were seen after the plan");
    expect(only(look({ ratePerSecond: 40 }, { slos: [rare], windows: afterFor(16) })).state).toBe("pass");
  });

  test("an error margin waits for enough pairs, however clean they are", () => {
    const strict = slo({ name: "errors", measure: { kind: "errors" }, limit: { to: "+0.3pp" } });
    const clean = { errorsBefore: 0, errors: { control: 0, shadow: 0 } };
    const early = only(look(clean, { slos: [strict], windows: afterFor(12) }));
    expect(early.state).toBe("open");
    expect(early.requestTest?.logPass).toBeLessThan(Math.log(100));
    const later = only(look(clean, { slos: [strict] }));
    expect(later.requestTest?.logPass).toBeGreaterThan(Math.log(100));
    expect(later.state).toBe("pass");
  });

  test("needs twenty blocks before the plan", () => {
    const windows = { ...WINDOWS, baseline: { fromMs: 0, toMs: 38_000 } };
    const judgement = only(look({}, { slos: [P50], windows }));
    expect(judgement).toMatchObject({ state: "open", because: { code: "UNDERPOWERED" } });
    expect(judgement.note).toBe("the baseline has 19 blocks, 20 of 2 s are needed (40 s)");
  });

  test("lengthens blocks until a quantile is exceeded once in each", () => {
    const p99 = slo({ name: "p99", measure: { kind: "latency", quantile: 0.99 }, limit: { to: "+50%" } });
    expect(only(look({}, { slos: [p99] })).blocks.blockMs).toBe(2000);
    expect(only(look({ ratePerSecond: 5 }, { slos: [p99] })).blocks.blockMs).toBe(32_000);
  });
});

describe("a promise", () => {
  const promise = (lo: number, hi: number) => ({ ...P50, promised: { scale: "ratio" as const, lo, hi } });

  test("narrows the limit: what the operator would allow breaks it", () => {
    expect(only(look({ slower: 1.08 }, { slos: [promise(-Infinity, 0.02)] })).state).toBe("fail");
  });
  test("never widens it", () => {
    expect(only(look({ slower: 1.3 }, { slos: [promise(-Infinity, 1)] })).state).toBe("fail");
  });
  test("of an effect fails when there is none", () => {
    expect(only(look({}, { slos: [promise(-0.6, -0.3)] })).state).toBe("fail");
  });
  test("that shares nothing with the limit can not pass", () => {
    expect(only(look({ slower: 1.5 }, { slos: [promise(0.4, 0.6)] }))).toMatchObject({
      state: "no-data",
      because: { code: "NO_DATA" },
    });
  });
});

describe("looks", () => {
  test("a fail stays although it decays, with the numbers that were tested", () => {
    const failed = look({ slower: 2 }, { slos: [P50] });
    expect(only(look({}, { slos: [P50], latched: failed }))).toEqual(only(failed));
  });
  test("a pass does not stay", () => {
    const passed = look({}, { slos: [P50] });
    expect(only(look({ slower: 1.1 }, { slos: [P50], latched: passed })).state).toBe("open");
  });
  test("all must be inside at the same look", () => {
    expect(lookOutcome([...look({}, { slos: [P50] }), ...look({ slower: 1.1 }, { slos: [P50] })])).toBe("open");
    expect(lookOutcome([])).toBe("open");
  });
  test("at an SLO among many rejects at a stricter level", () => {
    const many = Array.from({ length: 20 }, (_, i) => slo({ ...P50.slo, name: `p50-${i}`, limit: { to: "+10%" } }));
    const alone = look({ slower: 1.147 }, { slos: [P50] });
    expect(alone[0]?.state).toBe("fail");
    expect(look({ slower: 1.147 }, { slos: many })[0]?.state).toBe("open");
  });
});

describe("a restart", () => {
  const profile = (sd: number) => ({ slos: { p50: { restart: { sd, rounds: 1 } } } });

  test("whose bias nobody has calibrated holds", () => {
    expect(only(look({}, { slos: [P50], restarted: true }))).toMatchObject({
      state: "open",
      because: { code: "BIAS_UNCALIBRATED" },
    });
  });
  test("still fails what no bias explains", () => {
    expect(only(look({ slower: 1.8 }, { slos: [P50], restarted: true })).state).toBe("fail");
  });
  test("does not fail what a bias might explain", () => {
    expect(only(look({ slower: 1.2 }, { slos: [P50], restarted: true })).state).toBe("open");
  });
  test("passes within a calibrated bias, and not within a larger one", () => {
    expect(only(look({}, { slos: [P50], restarted: true, profile: profile(0.01) })).state).toBe("pass");
    expect(only(look({}, { slos: [P50], restarted: true, profile: profile(0.05) })).state).toBe("open");
  });
  test("drift that was calibrated widens the interval", () => {
    const width = (judgement: SloJudgement) => judgement.interval.hi - judgement.interval.lo;
    const plain = only(look({}, { slos: [P50] }));
    const drifting = only(look({}, { slos: [P50], profile: { slos: { p50: { driftSd: 0.02 } } } }));
    expect(width(drifting)).toBeGreaterThan(width(plain) + 0.09);
  });
});

describe("bad data has a defined answer that is not a pass", () => {
  const cases: readonly (readonly [string, World | ReturnType<typeof storeOf>, Parameters<typeof look>[1]])[] = [
    ["an empty baseline", {}, { windows: { ...WINDOWS, baseline: { fromMs: 5, toMs: 5 } } }],
    ["an empty observation", {}, { windows: afterFor(0) }],
    ["windows that run backwards", {}, { windows: { baseline: { fromMs: 60_000, toMs: 0 }, after: WINDOWS.after } }],
    [
      "windows that are no numbers",
      {},
      { windows: { baseline: WINDOWS.baseline, after: { fromMs: Number.NaN, toMs: Number.NaN } } },
    ],
    ["windows where nothing happened", {}, { windows: { ...WINDOWS, after: { fromMs: 1e6, toMs: 2e6 } } }],
    ["all errors on both sides", { errorsBefore: 1, errors: { control: 1, shadow: 1 } }, { slos: [ERRORS, SERVED] }],
    ["no traffic at all", { ratePerSecond: 0.01 }, {}],
  ];
  test.each(cases)("%s", (_, world, options) => {
    for (const judgement of look(world, options)) {
      expect(["open", "no-data", "fail"]).toContain(judgement.state);
      expect(judgement.because?.message.length).toBeGreaterThan(10);
      for (const number of [judgement.interval.lo, judgement.interval.hi, judgement.minimalDetectable]) {
        expect(number).not.toBeNaN();
      }
    }
  });

  test("a series that never changes looks like a measurement that stopped", () => {
    const store = storeOf();
    for (const role of ["control", "shadow"] as const) {
      for (let atMs = 0; atMs < 1_300_000; atMs += 1000) {
        store.addMetric({ atMs, role, key: '[["kind","memory"],["service","api"]]', value: 1e8 });
      }
    }
    const memory = slo({ name: "memory", measure: { kind: "memory", service: "api" }, limit: { to: "+10%" } });
    const windows = { baseline: { fromMs: 0, toMs: 600_000 }, after: { fromMs: 700_000, toMs: 1_300_000 } };
    expect(only(look(store, { slos: [memory], windows }))).toMatchObject({
      state: "no-data",
      because: { code: "NO_DATA" },
    });
  });

  test("a twin whose metric is silent", () => {
    const store = storeOf();
    for (let atMs = 0; atMs < 130_000; atMs += 1000) {
      store.addMetric({ atMs, role: "control", key: '[["kind","cpu"],["service","api"]]', value: atMs });
    }
    const cpu = slo({ name: "cpu", measure: { kind: "cpu", service: "api" }, limit: { to: "+10%" } });
    expect(only(look(store, { slos: [cpu] }))).toMatchObject({ state: "no-data", because: { code: "NO_DATA" } });
  });

  test("more than a fifth of the blocks invalid", () => {
    const store = storeOf();
    for (let block = 0; block < 7; block++) {
      const atMs = WINDOWS.after.fromMs + block * 8000;
      store.addPairs({
        size: 1,
        sequence: Uint32Array.of(1e6),
        intendedMs: Float64Array.of(atMs),
        route: Uint16Array.of(0),
        arms: { control: column(Number.NaN), shadow: column(10) },
      });
    }
    expect(only(look(store, { slos: [P95] }))).toMatchObject({ state: "no-data", blocks: { invalid: 7 } });
  });
});

function column(latencyMs: number) {
  return {
    outcome: Uint8Array.of(0),
    status: Uint16Array.of(200),
    sendLagMs: Float32Array.of(0),
    latencyMs: Float32Array.of(latencyMs),
    serviceMs: Float32Array.of(latencyMs),
  };
}

test("limits of a scenario can be stricter than the method's, never looser", () => {
  expect(LIMITS).toMatchObject({ alpha: 0.01, g: 1, minBlocksBefore: 20, minBlocksAfter: 6 });
});
