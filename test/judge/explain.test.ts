import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { decide } from "../../src/judge/decide.ts";
import { type DecisionTrace, type Explanation, explain } from "../../src/judge/explain.ts";
import { explainSlo } from "../../src/judge/explain-slo.ts";
import { lateOf } from "../../src/judge/explain-time.ts";
import { JudgeLimitsSchema } from "../../src/judge/judge-limits.ts";
import type { LookInput } from "../../src/judge/judge-slos.ts";
import { passingRange } from "../../src/judge/passing-margin.ts";
import { powerBySlo } from "../../src/judge/planned-power.ts";
import { logEvidenceBelow } from "../../src/judge/request-test.ts";
import type { ReasonCode, SloJudgement } from "../../src/judge/verdict.ts";
import { measureKey } from "../../src/measure/slo.ts";
import { traffic } from "../support/judged-traffic.ts";
import { ERRORS, FOUR, LIMITS, look, P50, slo, steady, storeOf, WINDOWS, type World } from "./support/judged.ts";

const CONTEXT = { limits: LIMITS, sloCount: FOUR.length };

function textOf(judgement: SloJudgement, topic: string): string {
  return explainSlo(judgement, CONTEXT)
    .filter((line) => line.topic === topic)
    .map((line) => line.text)
    .join(" ");
}

function named(judgements: readonly SloJudgement[], name: string): SloJudgement {
  const found = judgements.find((judgement) => judgement.name === name);
  if (found === undefined) throw new Error(`${name} was not judged`);
  return found;
}

function traceOf(world: World, options: Partial<LookInput> = {}): DecisionTrace {
  const store = storeOf(world);
  const slos = look(store, options);
  const verdict = decide({
    slos,
    gates: [],
    quiet: undefined,
    rollback: { kind: "not-run", why: "not part of this test" },
    against: [],
    replayFailures: [],
    triggers: [],
    tier: 2,
    snapshotVerified: true,
    stubOnlyEffects: [],
  });
  const acting = { fromMs: WINDOWS.baseline.toMs, toMs: WINDOWS.after.fromMs };
  const phases = { baseline: WINDOWS.baseline, acting, observing: WINDOWS.after };
  return { verdict, slos, limits: LIMITS, phases, late: lateOf(store, phases), cores: "pinned" };
}

function explained(world: World, options: Partial<LookInput> = {}): Explanation {
  return explain(traceOf(world, options));
}

describe("every number of an interval can be computed again from the judgement", () => {
  test.each(FOUR.map((one) => one.slo.name))("%s", (name) => {
    const { derivation, interval, estimate, accepted } = named(look({ slower: 1.03 }), name);
    expect(derivation).toBeDefined();
    if (derivation === undefined) return;
    const onScale = (value: number): number => (accepted.scale === "ratio" ? Math.log1p(value) : value);
    const middle = derivation.estimateAfter - derivation.biasKept * derivation.estimateBefore;
    const half = derivation.critical * derivation.standardError + derivation.widening;
    expect(onScale(estimate ?? Number.NaN)).toBeCloseTo(middle, 9);
    expect(onScale(interval.hi)).toBeCloseTo(middle + half, 9);
    expect(onScale(interval.lo)).toBeCloseTo(middle - half, 9);
  });
});

test("the chain of an SLO says what was asked, measured, cut, left out, corrected, deflated, bounded and answered", () => {
  const judged = named(
    look({}, { slos: [{ ...P50, promised: { scale: "ratio", lo: Number.NEGATIVE_INFINITY, hi: 0.08 } }] }),
    "p50",
  );
  const lines = explainSlo(judged, { ...CONTEXT, sloCount: 1 });
  expect(lines.map((line) => line.topic)).toEqual([
    "asked",
    "measured",
    "blocks",
    "left out",
    "own difference",
    "noise",
    "interval",
    "rejection",
    "answer",
    "otherwise",
  ]);
  expect(lines[0]?.text).toBe(
    "The operator allows +10% or less, the plan promises +8% or less; both must hold, so +8% or less is tested.",
  );
  for (const { text } of lines) expect(text).toMatch(/^[A-Z0-9+-].*\.$/s);
});

test("the request-level evidence stands against its thresholds, of a pass and of a rejection", () => {
  const text = textOf(named(look({}), "errors"), "requests");
  expect(text).toContain("4.6052 needed");
  expect(text).toContain(`${Number(Math.log(FOUR.length / LIMITS.alpha).toPrecision(5))} needed`);
});

test("a rejection is explained at its own, stricter level", () => {
  const judged = named(look({ slower: 1.4 }), "p50");
  expect(judged.state).toBe("fail");
  expect(textOf(judged, "rejection")).toMatch(/0\.25% error on each side, 1% shared by 4 SLOs.* is wholly outside\./);
  expect(textOf(judged, "answer")).toMatch(/^Broken: the interval lies wholly outside/);
});

test("a restart that nobody calibrated is said to allow no margin", () => {
  const judged = named(look({}, { restarted: true }), "p50");
  expect(textOf(judged, "own difference")).toContain("nobody calibrated it, so this can not pass");
  expect(textOf(judged, "otherwise")).toMatch(/^No margin would have made these measurements pass/);
});

test("a calibrated difference is said to be believed in part", () => {
  const judged = named(look({}, { profile: { slos: { p50: { tau: 0.01 } } } }), "p50");
  expect(textOf(judged, "own difference")).toMatch(
    /\d% of it, .*, is believed and was taken off \(calibrated sd .* 0\.01\)/,
  );
});

test("blocks that are longer than asked for say why", () => {
  const rare = slo({ name: "p999", measure: { kind: "latency", quantile: 0.999 }, limit: { to: "+30%" } });
  const judged = named(look({}, { slos: [rare] }), "p999");
  expect(judged.blocks.blockMs).toBeGreaterThan(LIMITS.blockSeconds * 1000);
  expect(textOf(judged, "blocks")).toMatch(/longer than asked for, because a block of .* requests beyond the quantile/);
});

test("before the least samples are there no margin would do, and the missing sample is named", () => {
  const short = { baseline: WINDOWS.baseline, after: { fromMs: 70_000, toMs: 76_000 } };
  const judged = named(look({}, { windows: short }), "p50");
  expect(textOf(judged, "otherwise")).toContain(
    "No margin would have made these measurements pass, because 3 of at least 6 blocks after the plan have passed",
  );
});

describe("a run that is held before the plan", () => {
  const end = WINDOWS.baseline.toMs;
  const held = { windows: { baseline: WINDOWS.baseline, after: { fromMs: end, toMs: end } } };

  test("is explained from its baseline: levels, blocks, noise, the time and the margin that would do", () => {
    const judged = named(look({}, held), "p50");
    expect(explainSlo(judged, CONTEXT).map((line) => line.topic)).toEqual([
      "asked",
      "measured",
      "blocks",
      "noise",
      "answer",
      "otherwise",
    ]);
    expect(textOf(judged, "measured")).toMatch(/^Control \d[\d.]* ms and shadow \d.*after the plan: not measured\.$/);
    expect(textOf(judged, "blocks")).toMatch(/^30 blocks before the plan of at least 20, 2 s each with \d+ requests/);
    expect(textOf(judged, "noise")).toMatch(/^One block varies with sd 0\.\d+ on the log scale/);
    expect(textOf(judged, "otherwise")).toMatch(
      /^By the noise of this baseline a decision takes about .* of baseline and .* of observation .* tells [\d.]+% apart\.$/,
    );
  });

  test("forecasts what the power of the same baseline forecasts", () => {
    const store = storeOf();
    const judged = look(store, held);
    const power = powerBySlo({
      store,
      slos: FOUR,
      baseline: WINDOWS.baseline,
      limits: LIMITS,
      restarted: false,
      profile: steady(FOUR),
    });
    for (const { name, observeSeconds, baselineSeconds, minimalDetectable } of power) {
      expect(named(judged, name)).toMatchObject({ minimalDetectable, baseline: { observeSeconds, baselineSeconds } });
    }
  });

  test("says of a short baseline how long it has to be, and names no margin", () => {
    const short = { baseline: { fromMs: 0, toMs: 20_000 }, after: { fromMs: 20_000, toMs: 20_000 } };
    const text = textOf(named(look({}, { windows: short }), "p50"), "otherwise");
    expect(text).toMatch(/^The baseline is too short .* it needs 40 s, and at least/);
  });

  test("of a switchback names rounds, not seconds of observation", () => {
    const limits = JudgeLimitsSchema.parse({ blockSeconds: 2, design: { kind: "switchback" } });
    const judged = named(look({}, { ...held, limits }), "p50");
    const [text] = explainSlo(judged, { limits, sloCount: 1 }).flatMap((line) =>
      line.topic === "otherwise" ? [line.text] : [],
    );
    expect(text).toMatch(/a switchback decides by its rounds/);
  });
});

test("blocks of CPU that are too few before the plan are no matter of longer observation", () => {
  const measure = { kind: "cpu", service: "app" } as const;
  const store = storeOf();
  const random = seededRandom(9);
  let used = 0;
  store.addPairs(traffic({ seed: 3, ratePerSecond: 20, fromMs: 130_000, toMs: 480_000, firstSequence: 12_000 }));
  for (let atMs = 0; atMs < 480_000; atMs += 1000) {
    used += 1 + random() / 10;
    for (const role of ["control", "shadow"] as const) {
      store.addMetric({ atMs, role, key: measureKey(measure), value: used + random() / 10 });
    }
  }
  const windows = { baseline: { fromMs: 0, toMs: 250_000 }, after: { fromMs: 260_000, toMs: 470_000 } };
  const judged = named(look(store, { slos: [slo({ name: "cpu", measure, limit: { to: "+20%" } })], windows }), "cpu");
  expect(judged.blocks.before).toBeGreaterThan(LIMITS.minBlocksBefore);
  expect(judged.derivation).toMatchObject({ baselineShort: true });
  expect(textOf({ ...judged, secondsToDecision: 40 }, "otherwise")).not.toContain("more of observation");
});

test("an SLO without data says so and explains nothing else", () => {
  const nobody = slo({
    name: "lost",
    measure: { kind: "latency", quantile: 0.5, route: "nowhere" },
    limit: { to: "+5%" },
  });
  const judged = named(look({}, { slos: [nobody] }), "lost");
  expect(explainSlo(judged, CONTEXT).map((line) => line.topic)).toEqual(["asked", "answer", "otherwise"]);
  expect(textOf(judged, "answer")).toContain("no data never passes");
});

describe("the range that would have passed", () => {
  test.each([0.9, 1, 1.05, 1.2])("shadow slower by %d: asking for it passes, asking for less does not", (slower) => {
    const judged = named(look({ slower }), "p50");
    const range = passingRange(judged, LIMITS.alpha);
    expect(range).toBeDefined();
    const withLimit = (hi: number): string =>
      named(look({ slower }, { slos: [{ slo: { ...P50.slo, limit: { ...judged.accepted, hi } } }] }), "p50").state;
    expect(withLimit(range?.hi ?? 0)).toBe("pass");
    expect(withLimit((range?.hi ?? 0) - 0.012)).not.toBe("pass");
  });

  test("of an error rate keeps the bet on single requests as well", () => {
    const judged = named(look({}), "errors");
    const range = passingRange(judged, LIMITS.alpha);
    const withLimit = (hi: number): string =>
      named(look({}, { slos: [{ slo: { ...ERRORS.slo, limit: { ...judged.accepted, hi } } }] }), "errors").state;
    expect(withLimit(range?.hi ?? 0)).toBe("pass");
    expect(withLimit((range?.hi ?? 0) * 0.9)).not.toBe("pass");
  });
});

test("few pairs without a failure bound an error rate more weakly than their interval, and the range says so", () => {
  const judged = named(look({}), "errors");
  const few = { shadowOnly: 0, controlOnly: 0, neither: 500, logPass: 0, logFail: 0 };
  const narrow = { ...judged, interval: { ...judged.interval, lo: -0.001, hi: 0.001 }, requestTest: few };
  const range = passingRange(narrow, LIMITS.alpha);
  expect(range?.hi).toBeGreaterThan(0.012);
  expect(logEvidenceBelow(few, range?.hi ?? 0)).toBeGreaterThanOrEqual(Math.log(1 / LIMITS.alpha));
  const below = { ...narrow, accepted: { scale: "absolute", lo: -0.001, hi: Number.POSITIVE_INFINITY } } as const;
  expect(passingRange(below, LIMITS.alpha)).toEqual({ scale: "absolute", lo: -(range?.hi ?? 0), hi: Infinity });
});

describe("the run as a whole", () => {
  test("says what was discarded, every gate that was asked, and why the answer outranks the others", () => {
    const { run } = explained({});
    expect(run.map((line) => line.topic)).toEqual([
      "time",
      "late seconds",
      "calibration",
      "gate: sound data",
      "gate: steady environment",
      "gate: equal twins",
      "gate: untouched control",
      "harm alarm",
      "precedence",
    ]);
    expect(run.find((line) => line.topic === "late seconds")?.text).toContain(
      "0 of 60 before the plan and 0 of 60 after it",
    );
    expect(run.at(-1)?.text).toMatch(/^Nothing was found against the plan, but something is missing/);
  });

  test("names after the first reason only the others", () => {
    const of = (codes: readonly ReasonCode[]): string | undefined => {
      const [first, ...others] = codes.map((code, i) => ({ code, message: `Reason ${i}.` }));
      if (first === undefined) return undefined;
      const { run } = explain({ ...traceOf({}), verdict: { kind: "hold", reasons: [first, ...others] } });
      return run.find((line) => line.topic === "precedence")?.text;
    };
    expect(of(["UNDERPOWERED", "UNDERPOWERED"])).toMatch(/for UNDERPOWERED: Reason 0\.$/);
    expect(of(["NO_DATA", "NO_DATA", "UNDERPOWERED"])).toMatch(/ Then: UNDERPOWERED\.$/);
  });

  test.each([
    ["the plan never acted", {}, ["steady environment", "untouched control"]],
    ["rounds hold their own comparison", { rounds: 9 }, ["steady environment", "equal twins"]],
  ])("claims no gate that was not asked: %s", (_, more, unasked) => {
    const { run } = explain({
      verdict: { kind: "hold", reasons: [{ code: "UNDERPOWERED", message: "too short" }] },
      slos: [],
      limits: LIMITS,
      phases: { baseline: WINDOWS.baseline },
      late: {},
      cores: "pinned",
      ...more,
    });
    const gates = run.filter(({ topic }) => topic.startsWith("gate: "));
    const said = gates.filter(({ text }) => text.includes("Not asked: ")).map(({ topic }) => topic.slice(6));
    expect(said).toEqual(unasked);
    const control = gates.find(({ topic }) => topic === "gate: untouched control");
    expect(control?.text.startsWith("Asked")).toBe("rounds" in more);
  });

  test("says which margins would have been kept, where margins alone would have done", () => {
    const { run } = explained({ slower: 1.09 });
    expect(run.at(-1)?.topic).toBe("otherwise");
    expect(run.at(-1)?.text).toMatch(
      /^With p50 \+\d+(\.\d+)?% or less and the other SLOs as they are, every SLO would have held\.$/,
    );
  });

  test("is the same for the same trace", () => {
    expect(explained({ slower: 1.05 })).toEqual(explained({ slower: 1.05 }));
  });
});
