import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { explainSlo } from "../../src/judge/explain-slo.ts";
import { passingRange } from "../../src/judge/passing-margin.ts";
import { plannedPower, powerBySlo } from "../../src/judge/planned-power.ts";
import { plannedRounds, unseenByRounds } from "../../src/judge/planned-rounds.ts";
import { forecastAfterBaseline } from "../../src/judge/power-forecast.ts";
import { forecastRounds } from "../../src/judge/rounds-forecast.ts";
import type { SloJudgement } from "../../src/judge/verdict.ts";
import {
  atPlan,
  type BucketWorld,
  COARSE,
  DESIGN,
  fine,
  histogramSlo,
  judgedBuckets,
  judgedRounds,
  LIMITS,
  logNormal,
  type Shares,
  storedBuckets,
  TAIL,
  WINDOWS,
} from "./support/bucket-world.ts";

const UP_TO_DOUBLE =
  "p99 lies in the bucket 0.25 to 0.5, in which up to +100% would not be seen; finer buckets or a limit of +101% would do";

describe("what can hide inside the bucket of the quantile", () => {
  test("is not passed: the slowest 1.8% may have gone from 0.26 to 0.49 s without changing a count", () => {
    const judged = judgedBuckets({ bounds: COARSE, shares: TAIL, quantile: 0.99, limit: { to: "+10%" } });
    expect(judged.estimate).toBeCloseTo(0, 2);
    expect(judged.interval.hi).toBeLessThan(0.1);
    expect(judged).toMatchObject({ state: "open", note: UP_TO_DOUBLE });
    expect(judged.because).toEqual({ code: "UNDERPOWERED", subject: "metric", message: `metric: ${UP_TO_DOUBLE}` });
  });

  test("passes under a limit that is wider than the bucket, as the message says and no narrower one", () => {
    const under = (to: string) => judgedBuckets({ bounds: COARSE, shares: TAIL, quantile: 0.99, limit: { to } }).state;
    expect([under("+99%"), under("+101%")]).toEqual(["open", "pass"]);
  });

  test("of the lowest bucket is a rise of any size: no limit of a percentage passes", () => {
    const half: Shares = () => [0.7, 0.2, 0.08, 0.02, 0];
    for (const to of ["+10%", "+5000%"]) {
      const judged = judgedBuckets({ bounds: COARSE, shares: half, quantile: 0.5, limit: { to } });
      expect(judged.note).toBe(
        "p50 lies in the bucket 0 to 0.1, in which a rise of any size would not be seen; finer buckets would do",
      );
      expect(judged.because?.code).toBe("UNDERPOWERED");
      expect(passingRange(judged, LIMITS.alpha)).toBeUndefined();
    }
  });

  test("of the lowest bucket is not more than its edge where the limit is in the metric's own unit", () => {
    const half: Shares = () => [0.7, 0.2, 0.08, 0.02, 0];
    const under = (to: string) => judgedBuckets({ bounds: COARSE, shares: half, quantile: 0.5, limit: { to } });
    expect(under("+0.05")).toMatchObject({ state: "open", because: { code: "UNDERPOWERED" } });
    expect(under("+0.05").note).toContain("up to +0.1 would not be seen; finer buckets or a limit of +0.101 would do");
    expect(under("+0.2").state).toBe("pass");
  });

  test("counts on the side that is asked for, and on both where both are", () => {
    const under = (limit: object) => judgedBuckets({ bounds: COARSE, shares: TAIL, quantile: 0.99, limit });
    expect(under({ from: "-10%" }).note).toContain("down to -50% would not be seen; finer buckets or a limit of -50");
    expect(under({ from: "-10%", to: "+10%" }).note).toMatch(
      /down to -50% or up to \+100% would .* to \+101% would do$/,
    );
    expect(under({ from: "-52%", to: "+101%" }).state).toBe("pass");
    // A rise may hide, but only a fall was asked about.
    expect(under({ from: "-52%" }).state).toBe("pass");
  });

  test("is all of two buckets where noise may put the quantile into either", () => {
    const atEdge: Shares = () => [0.5, 0.4901, 0.0089, 0.001, 0];
    const judged = judgedBuckets({
      bounds: COARSE,
      shares: atEdge,
      quantile: 0.99,
      limit: { to: "+160%" },
      noise: 0.2,
    });
    expect(judged).toMatchObject({ state: "open", because: { code: "UNDERPOWERED" } });
    expect(judged.note).toContain("p99 lies in the buckets 0.1 to 0.5, in which up to +400% would not be seen");
  });

  test("is all of two buckets also where both twins may lie in the other one, and do not differ", () => {
    const bounds = [0.1, 0.25, 1, Number.POSITIVE_INFINITY];
    const belowEdge: Shares = () => [0.97, 0.0205, 0.0085, 0.001];
    const world = { bounds, shares: belowEdge, quantile: 0.99, limit: { to: "+160%" }, paired: true };
    expect(judgedBuckets({ ...world, noise: 0 }).state).toBe("pass");
    expect(judgedBuckets({ ...world, noise: 0.5 }).note).toContain(
      "p99 lies in the buckets 0.1 to 1, in which up to +900%",
    );
  });

  test("does not soften a rejection: counts that moved are evidence", () => {
    const moved = atPlan(TAIL, [0.9, 0.05, 0.01, 0.04, 0]);
    const judged = judgedBuckets({ bounds: COARSE, shares: moved, quantile: 0.99, limit: { to: "+10%" } });
    expect(judged).toMatchObject({ state: "fail", because: { code: "SLO_OUTSIDE_RANGE" } });
  });

  test("never lets a plan pass that leaves the limit, wherever in their buckets the values lie", () => {
    const place = fc.double({ min: 0.01, max: 2, noNaN: true });
    const mass = fc.record({ was: place, is: fc.option(place), weight: fc.double({ min: 0.05, max: 1, noNaN: true }) });
    const quantile = fc.double({ min: 0.1, max: 0.95, noNaN: true });
    const world = fc.record({
      masses: fc.array(mass, { minLength: 2, maxLength: 5 }),
      bounds: fc.array(place, { minLength: 3, maxLength: 14 }),
      margin: fc.double({ min: 0.05, max: 5, noNaN: true }),
    });
    fc.assert(
      fc.property(world, quantile, ({ masses, bounds, margin }, q) => {
        const values = (isHarmed: boolean) =>
          masses.map(({ was, is, weight }) => ({ at: isHarmed ? (is ?? was) : was, weight }));
        const edges = [...new Set(bounds)].sort((a, b) => a - b).concat(Infinity);
        const shares: Shares = (second, role) => counted(values(role === "shadow" && second >= 310), edges);
        const limit = { from: `-${(100 * margin) / (1 + margin)}%`, to: `+${100 * margin}%` };
        const effect = quantileOf(values(true), q) / quantileOf(values(false), q) - 1;
        const isInside = effect < margin && effect > -margin / (1 + margin);
        const { state } = judgedBuckets({ bounds: edges, shares, quantile: q, limit, noise: 0 });
        if (!isInside) expect(state).not.toBe("pass");
      }),
      { numRuns: 150, seed: 20_261_130 },
    );
  });
});

describe("fine buckets", () => {
  const bounds = fine(1.03);
  const alike: Shares = () => logNormal(bounds, 0.05);
  const of = (shares: Shares, to: string) => judgedBuckets({ bounds, shares, quantile: 0.9, limit: { to } });

  test("pass what keeps the limit, and show what does not", () => {
    expect(of(alike, "+10%").state).toBe("pass");
    const slower = (by: number) => of(atPlan(alike, logNormal(bounds, 0.05 * by)), "+10%").state;
    expect([slower(1.01), slower(1.09), slower(1.3)]).toEqual(["pass", "open", "fail"]);
  });

  test("do not charge the plan with what the twins differed before it, as far as that is sure", () => {
    const differing: Shares = (_, role) => logNormal(bounds, role === "shadow" ? 0.06 : 0.05);
    expect(of(differing, "+10%").state).toBe("pass");
  });

  test("do not credit the plan with a difference that may be none: twins in one bucket may be alike", () => {
    // 0.30 and 0.37 s by the counts, without the plan and with it; both may lie anywhere in their bucket.
    const fewer = [0.95, 0.037, 0.012, 0.001, 0];
    const shares: Shares = (_, role) => (role === "shadow" ? TAIL(0, role) : fewer);
    const judged = judgedBuckets({ bounds: COARSE, shares, quantile: 0.99, limit: { to: "+99%" } });
    expect(judged.biasRemoved).toBeGreaterThan(0.1);
    expect(judged).toMatchObject({ state: "open", note: UP_TO_DOUBLE });
  });
});

describe("in the rounds of a switchback", () => {
  test("what can hide inside the bucket of the quantile is not passed", () => {
    const under = (to: string) => judgedRounds({ bounds: COARSE, shares: TAIL, quantile: 0.99, limit: { to } });
    expect(under("+10%")).toMatchObject({ state: "open", because: { code: "UNDERPOWERED" }, note: UP_TO_DOUBLE });
    expect(under("+101%").state).toBe("pass");
  });

  test("fine buckets pass", () => {
    const bounds = fine(1.03);
    const shares: Shares = () => logNormal(bounds, 0.05);
    expect(judgedRounds({ bounds, shares, quantile: 0.9, limit: { to: "+10%" } }).state).toBe("pass");
  });
});

describe("buckets that are too wide for the limit", () => {
  const world = { bounds: COARSE, shares: TAIL, quantile: 0.99, limit: { to: "+10%" } };
  const asked = {
    store: storedBuckets(world),
    slos: [histogramSlo(world)],
    limits: LIMITS,
    baseline: WINDOWS.baseline,
    restarted: false,
  };
  const [resolved] = asked.slos;
  if (resolved === undefined) throw new Error("one SLO is asked about");

  test("are said after the baseline with what would do, and end no run: it may be rejected", () => {
    const [power] = powerBySlo(asked);
    if (power === undefined) throw new Error("one SLO gives one forecast");
    expect(power.unseen).toBe(UP_TO_DOUBLE);
    expect(plannedPower(asked)).toEqual([]);
    const forecast = forecastAfterBaseline(resolved, power, { limits: LIMITS, restartUncalibrated: false });
    expect(forecast).toMatchObject({ possible: false, advice: UP_TO_DOUBLE });
  });

  test("are said of rounds as well", () => {
    const plan = { ...asked, design: DESIGN };
    const unseen = unseenByRounds(resolved, plan);
    expect(unseen).toBe(UP_TO_DOUBLE);
    expect(plannedRounds(plan)).toEqual([]);
    const known = { noise: { sd: 0.01, from: "baseline" as const }, ...(unseen === undefined ? {} : { unseen }) };
    const question = { design: DESIGN, limits: LIMITS, ratePerSecond: 50, restarted: false, ...known };
    expect(forecastRounds(resolved, question)).toMatchObject({ possible: false, advice: UP_TO_DOUBLE });
  });

  test("are not said of a limit that is wider, nor of fine ones", () => {
    const unseenOf = (other: BucketWorld) =>
      powerBySlo({ ...asked, store: storedBuckets(other), slos: [histogramSlo(other)] })[0]?.unseen;
    expect(unseenOf({ ...world, limit: { to: "+101%" } })).toBeUndefined();
    const bounds = fine(1.03);
    expect(unseenOf({ ...world, bounds, shares: () => logNormal(bounds, 0.05) })).toBeUndefined();
  });

  test("are explained with what they leave open and the margin that would have passed", () => {
    const judged = judgedBuckets(world);
    expect(textOf(judged, "buckets")).toBe(
      "P99 lies in the bucket 0.25 to 0.5; a bucket tells how many values lie in it, not where: wherever the quantile lies in them on either twin, the delta is -50% to +100%, and a pass needs that inside as well.",
    );
    expect(textOf(judged, "otherwise")).toContain("These measurements would keep +101% or less");
  });
});

function textOf(judged: SloJudgement, topic: string): string | undefined {
  return explainSlo(judged, { limits: LIMITS, sloCount: 1 }).find((line) => line.topic === topic)?.text;
}

interface Mass {
  readonly at: number;
  readonly weight: number;
}

function counted(masses: readonly Mass[], bounds: readonly number[]): readonly number[] {
  const total = masses.reduce((sum, { weight }) => sum + weight, 0);
  return bounds.map((bound, i) => {
    const inside = masses.filter(({ at }) => at <= bound && at > (bounds[i - 1] ?? 0));
    return inside.reduce((sum, { weight }) => sum + weight, 0) / total;
  });
}

/** The value that holds the quantile, of values that are known one by one. */
function quantileOf(masses: readonly Mass[], q: number): number {
  const weightOf = (some: readonly Mass[]): number => some.reduce((sum, { weight }) => sum + weight, 0);
  const isEnough = ({ at }: Mass): boolean => weightOf(masses.filter((mass) => mass.at <= at)) >= q * weightOf(masses);
  return Math.min(...masses.filter(isEnough).map(({ at }) => at));
}
