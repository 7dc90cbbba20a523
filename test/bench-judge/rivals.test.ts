import { expect, test } from "vitest";
import { normalTail, studentQuantile } from "../../bench/judge/chances.ts";
import { ARGO_DEFAULTS, argoRun, measurementPhase, metricPhase } from "../../bench/judge/rivals/argo-like.ts";
import { FLAGGER_START, type FlaggerCheck, flaggerRun, flaggerTick } from "../../bench/judge/rivals/flagger-like.ts";
import {
  classifyMetric,
  KAYENTA_DEFAULTS,
  type KayentaMetric,
  scoreOf,
} from "../../bench/judge/rivals/kayenta-like.ts";
import { mannWhitney, shiftInterval } from "../../bench/judge/rivals/mann-whitney.ts";
import { rootBetween } from "../../bench/judge/rivals/root.ts";
import { seededRandom } from "../../src/core/random.ts";

function gaussFrom(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Telemetry whose points lean on each other by `rho`, sd 1 around 100. */
function telemetry(gauss: () => number, count: number, rho = 0): number[] {
  let state = gauss();
  return Array.from({ length: count }, () => {
    state = rho * state + Math.sqrt(1 - rho ** 2) * gauss();
    return 100 + state;
  });
}

/** Share of trials in which the Kayenta-like rule does not pass the metric. */
function flagged(
  trials: number,
  draw: (gauss: () => number) => { readonly control: readonly number[]; readonly experiment: readonly number[] },
  metric: Partial<KayentaMetric> = {},
): number {
  const gauss = gaussFrom(20_261_123);
  const labels = Array.from(
    { length: trials },
    () => classifyMetric(draw(gauss), { ...KAYENTA_DEFAULTS, ...metric }, gauss).label,
  );
  return labels.filter((label) => label === "High" || label === "Low").length / trials;
}

const sideBySide = (count: number, rho: number) => (gauss: () => number) => ({
  control: telemetry(gauss, count, rho),
  experiment: telemetry(gauss, count, rho),
});

test("the rank test gives the published U and p", () => {
  const { u, p } = mannWhitney([1.1, 2.2, 3.3, 4.4, 5.5], [2, 3, 4, 5, 6.5]);
  expect(u).toBe(10);
  expect(p).toBeCloseTo(0.676103, 6);
});

test("normal tails and Student quantiles are right to the digits of the tables", () => {
  expect(normalTail(2.326348)).toBeCloseTo(0.01, 7);
  expect(normalTail(-1)).toBeCloseTo(0.8413447, 7);
  expect(normalTail(4)).toBeCloseTo(3.167124e-5, 10);
  expect(studentQuantile(0.99, 5)).toBeCloseTo(3.36493, 5);
  expect(studentQuantile(0.99, 120)).toBeCloseTo(2.357825, 5);
});

test("a root is found to the tolerance of the original", () => {
  expect(rootBetween((x) => Math.cos(x) - x, 0, 1)).toBeCloseTo(0.739085, 3);
  expect(rootBetween((x) => x ** 3 - 2, 0, 5)).toBeCloseTo(1.259921, 3);
});

test("a plain shift is estimated and its interval holds it", () => {
  const gauss = gaussFrom(1);
  const control = telemetry(gauss, 60);
  const interval = shiftInterval(
    control.map((value) => value + 3),
    control,
    0.98,
  );
  expect(interval?.estimate).toBeCloseTo(3, 2);
  expect(interval?.lower).toBeGreaterThan(2);
  expect(interval?.upper).toBeLessThan(4);
});

test("independent points are hardly ever flagged, ordinary telemetry in a fifth to half of all innocent runs", () => {
  expect(flagged(1500, sideBySide(60, 0))).toBeLessThan(0.01);
  // Published 18% and 50%, of at most 1,500 trials: within three standard errors of both studies together.
  expect(Math.abs(flagged(600, sideBySide(60, 0.7)) - 0.18)).toBeLessThan(0.065);
  expect(Math.abs(flagged(600, sideBySide(60, 0.9)) - 0.5)).toBeLessThan(0.085);
});

test("with two, three or four points no significance is needed to be flagged", () => {
  expect(Math.abs(flagged(1000, sideBySide(2, 0)) - 0.23)).toBeLessThan(0.07);
  expect(Math.abs(flagged(1000, sideBySide(3, 0)) - 0.05)).toBeLessThan(0.04);
  expect(flagged(1000, sideBySide(4, 0))).toBeLessThan(0.03);
});

test("a shift of half a percent is flagged nearly always, a fifth of all windows a hundred times worse rarely", () => {
  const small = (gauss: () => number) => ({
    control: telemetry(gauss, 60).map((value) => value / 2 + 50),
    experiment: telemetry(gauss, 60).map((value) => value / 2 + 50.5),
  });
  expect(flagged(300, small)).toBeGreaterThan(0.9);
  const outage = (gauss: () => number) => ({
    control: telemetry(gauss, 60),
    experiment: telemetry(gauss, 60).map((value, i) => (i % 5 === 0 ? value * 100 : value)),
  });
  expect(flagged(300, outage)).toBeLessThan(0.2);
});

test("the answer depends on the unit: half as slow again is seen in milliseconds and not in fractions of a microsecond", () => {
  const slower = (unit: number) => (gauss: () => number) => ({
    control: telemetry(gauss, 60).map((value) => unit * (1 + 0.25 * (value - 100))),
    experiment: telemetry(gauss, 60).map((value) => 1.5 * unit * (1 + 0.25 * (value - 100))),
  });
  expect(flagged(100, slower(5))).toBe(1);
  expect(flagged(100, slower(5e-6))).toBe(0);
});

test("noise that both sides share hides ten percent from a rule that does not pair", () => {
  const duet = (gauss: () => number) => {
    const shared = telemetry(gauss, 60, 0.9).map((value) => Math.exp(0.3 * (value - 100)));
    return {
      control: shared.map((level) => level * Math.exp(0.05 * gauss())),
      experiment: shared.map((level) => 1.1 * level * Math.exp(0.05 * gauss())),
    };
  };
  // Published: never. How the shared noise leans is not; at 0.9 one run in twenty.
  expect(flagged(300, duet)).toBeLessThan(0.1);
});

test("one point a side is an error, and an error passes with full marks even when the metric is critical", () => {
  const single = { control: [100], experiment: [900] };
  const classes = Array.from({ length: 5 }, (_, i) =>
    classifyMetric(single, { ...KAYENTA_DEFAULTS, critical: true }, gaussFrom(i)),
  );
  expect(classes.some((one) => one.label === "Pass")).toBe(false);
  expect(scoreOf([{ metrics: [{ label: "Error", critical: false }] }])).toBe(100);
});

test("one and the same value on both sides passes, however many points each side has", () => {
  const label = (control: readonly number[], experiment: readonly number[]) =>
    classifyMetric({ control, experiment }, KAYENTA_DEFAULTS, gaussFrom(1)).label;
  expect(label([0, 0, 0, 0], [0, 0, 0])).toBe("Pass");
  expect(label([5, 5, 5, 5], [5, 5, 5])).toBe("Pass");
  expect(label([5, 5, 5, 5], [9, 9, 9])).toBe("High");
});

test("missing data, equal data and critical metrics score as documented", () => {
  const pass = { label: "Pass", critical: false } as const;
  const nodata = { label: "Nodata", critical: false } as const;
  expect(scoreOf([{ weight: 80, metrics: [nodata] }, { metrics: [pass, pass, pass] }])).toBe(100);
  expect(scoreOf([{ metrics: [nodata, pass] }])).toBe(0);
  expect(scoreOf([{ metrics: [{ label: "High", critical: true }, pass, pass, pass] }])).toBe(0);
  expect(scoreOf([{ weight: 60, metrics: [{ label: "High", critical: false }, pass] }, { metrics: [pass] }])).toBe(70);
  const same = { control: [1, 2, 3], experiment: [3, 2, 1] };
  expect(classifyMetric(same, KAYENTA_DEFAULTS, gaussFrom(1)).label).toBe("Pass");
  const none = { control: [Number.NaN], experiment: [1] };
  expect(classifyMetric(none, { ...KAYENTA_DEFAULTS, mustHaveData: true }, gaussFrom(1)).label).toBe(
    "NodataFailMetric",
  );
  expect(classifyMetric(none, { ...KAYENTA_DEFAULTS, nan: "replace" }, gaussFrom(1)).label).not.toBe("Nodata");
});

test("a healthy release with half a percent of errors and twenty requests a check is rolled back 63 times in 100", () => {
  const random = seededRandom(20_261_123);
  const runs = 4000;
  let rolledBack = 0;
  for (let run = 0; run < runs; run++) {
    const ticks = Array.from({ length: 10 }, (): readonly FlaggerCheck[] => {
      const failed = Array.from({ length: 20 }, () => random() < 0.005).filter(Boolean).length;
      return [1 - failed / 20 >= 0.99 ? "good" : "bad"];
    });
    if (flaggerRun(ticks, { threshold: 1, iterations: 10 }).kind === "reject") rolledBack++;
  }
  // Exactly 1 - 0.995^200 = 0.633; three standard errors.
  expect(Math.abs(rolledBack / runs - (1 - 0.995 ** 200))).toBeLessThan(0.023);
});

test("failed checks add up, a good one forgives none, and the roll back comes a tick later", () => {
  const analysis = { threshold: 2, iterations: 10 };
  const after = (...checks: FlaggerCheck[]) =>
    checks.reduce((state, check) => flaggerTick(state, [check], analysis), FLAGGER_START);
  expect(after("bad", "good", "good", "no-data")).toEqual({ phase: "progressing", failedChecks: 2, iteration: 2 });
  expect(after("bad", "good", "good", "no-data", "good").phase).toBe("rolled-back");
  expect(flaggerRun([["bad"], ["good"], ["bad"]], analysis)).toEqual({ kind: "reject", ticks: 3 });
  expect(flaggerRun([[], []], { threshold: 1, iterations: 2 }).kind).toBe("promote");
});

test("an Argo-like metric fails on more failures than its limit, and errors do not count as measurements", () => {
  const metric = { ...ARGO_DEFAULTS, count: 10, failureLimit: 3 };
  expect(metricPhase(["Failed", "Failed", "Failed"], metric)).toBe("Running");
  expect(metricPhase(["Failed", "Failed", "Failed", "Failed"], metric)).toBe("Failed");
  const nine = Array.from({ length: 9 }, () => "Successful" as const);
  expect(metricPhase([...nine, "Error"], metric)).toBe("Running");
  expect(metricPhase([...nine, "Error", "Successful"], metric)).toBe("Successful");
  expect(metricPhase(["Error", "Error", "Error", "Error", "Error"], metric)).toBe("Error");
  expect(metricPhase(["Inconclusive"], metric)).toBe("Inconclusive");
  expect(metricPhase(nine, { ...metric, count: 9, consecutiveSuccessLimit: 20 })).toBe("Inconclusive");
});

test("an Argo-like measurement with both conditions unmet is inconclusive, with none it succeeds", () => {
  expect(measurementPhase({})).toBe("Successful");
  expect(measurementPhase({ success: false, failure: false })).toBe("Inconclusive");
  expect(measurementPhase({ success: true, failure: true })).toBe("Failed");
  expect(measurementPhase({ success: false })).toBe("Failed");
  expect(measurementPhase({ failure: false })).toBe("Successful");
});

test("an Argo-like run is as bad as its worst metric", () => {
  const metric = { ...ARGO_DEFAULTS, count: 3, failureLimit: 0 };
  expect(argoRun([["Successful", "Failed"]], metric)).toEqual({ kind: "reject", rounds: 1 });
  expect(
    argoRun(
      Array.from({ length: 3 }, () => ["Successful", "Successful"] as const),
      metric,
    ),
  ).toEqual({
    kind: "promote",
    rounds: 3,
  });
});
