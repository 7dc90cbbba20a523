import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { compareSeries } from "../../src/judge/compare-series.ts";
import type { Comparison, ComparisonInput } from "../../src/judge/comparison.ts";
import { explainComparison, lostWithoutPairs } from "../../src/judge/explain-comparison.ts";
import type { ExternalPoint } from "../../src/judge/external-points.ts";
import { DEFAULT_JUDGE_LIMITS, JudgeLimitsSchema } from "../../src/judge/judge-limits.ts";

const STEP_MS = 15_000;
const ACTED_AT = 60 * STEP_MS;

interface World {
  readonly seed?: number;
  /** Ratio of the experiment's values from the change on. */
  readonly effect?: number;
  /** The sides' own ratio, always. */
  readonly own?: number;
  /** Sd of the noise of each side alone, of what both share, and how each leans on its predecessor. */
  readonly alone?: number;
  readonly shared?: number;
  readonly lean?: number;
  readonly count?: number;
}

/** Values around 20 every 15 s, half of them before the change. */
function series(world: World = {}): readonly ExternalPoint[] {
  const { seed = 1, effect = 1, own = 1.02, alone = 0.03, shared = 0.05, lean = 0, count = 120 } = world;
  const random = seededRandom(seed);
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const leaning = (sd: number): (() => number) => {
    let value = sd * gauss();
    return () => {
      value = lean * value + Math.sqrt(1 - lean ** 2) * sd * gauss();
      return value;
    };
  };
  const [both, one, other] = [leaning(shared), leaning(alone), leaning(alone)];
  return Array.from({ length: count }, (_, i) => {
    const atMs = i * STEP_MS;
    const common = both();
    const change = atMs < ACTED_AT ? 1 : effect;
    return { atMs, control: 20 * Math.exp(common + one()), experiment: 20 * own * change * Math.exp(common + other()) };
  });
}

const INPUT = {
  name: "latency",
  limit: { scale: "ratio", lo: Number.NEGATIVE_INFINITY, hi: 0.1 },
  unit: "",
  limits: DEFAULT_JUDGE_LIMITS,
  actedAtMs: ACTED_AT,
} as const;

function compare(points: readonly ExternalPoint[], more: Partial<ComparisonInput> = {}): Comparison {
  return compareSeries({ ...INPUT, points, ...more });
}

/** Said of the rows in the half minute after the change. */
const SETTLING =
  "2 rows of the 30 s after the change, in which things settle, were left out; --set settleSeconds=0 judges them too";

/** The same question without a moment of change. */
const NO_ACT = { name: INPUT.name, limit: INPUT.limit, unit: INPUT.unit, limits: INPUT.limits } as const;

test("a harmless change is inside, a gross one outside, and the sides' own difference is taken off", () => {
  const harmless = compare(series());
  expect(harmless).toMatchObject({ answer: "inside", baseline: "before" });
  expect(harmless.measured?.estimate).toBeCloseTo(0, 1);
  expect(harmless.measured?.biasRemoved).toBeCloseTo(0.02, 1);
  expect(compare(series({ effect: 1.3 }))).toMatchObject({
    answer: "outside",
    because: { code: "SLO_OUTSIDE_RANGE" },
  });
});

test("a change at the limit is not decided, and the blocks that it would take are said where there are any", () => {
  const close = compare(series({ effect: 1.085 }));
  expect(close).toMatchObject({ answer: "undecided", because: { code: "UNDERPOWERED" } });
  const { before = 0, after = 0 } = close.measured?.decidedWith ?? {};
  expect(Math.min(before, after)).toBeGreaterThan(60);
  expect(close.because?.message).toContain(`about ${before} blocks before and ${after} after the change`);
});

test.each([0, 0.6, 0.9])(
  "exactly at the limit, values leaning %d on each other: at most 15 of 1000 are inside",
  (lean) => {
    const inside = Array.from({ length: 1000 }, (_, seed) => compare(series({ seed, effect: 1.1, lean }))).filter(
      (comparison) => comparison.answer === "inside",
    );
    expect(inside.length).toBeLessThanOrEqual(15);
  },
);

test("values that lean on each other are judged in longer blocks", () => {
  const counts = [0, 0.8].map((lean) => compare(series({ lean, count: 400 }), { actedAtMs: 200 * STEP_MS }));
  expect(counts[0]?.measured?.blocks.pointsPerBlock).toBe(1);
  expect(counts[1]?.measured?.blocks.pointsPerBlock).toBeGreaterThan(1);
});

test("values that lean on each other beyond what can be made up for are not decided, however clear they look", () => {
  const drifting = series({ count: 60 }).map((point, i) => ({ ...point, experiment: point.control * (1 + i / 2000) }));
  const comparison = compareSeries({ ...NO_ACT, points: drifting, biasSd: 0 });
  expect(comparison).toMatchObject({ answer: "undecided", because: { code: "UNDERPOWERED" } });
  expect(comparison.because?.message).toContain("lean on each other");
});

describe("without anything before the change", () => {
  test("the interval is widened by the difference that both sides may always have had", () => {
    const points = series({ own: 1 });
    const narrow = compareSeries({ ...NO_ACT, points });
    expect(narrow).toMatchObject({ answer: "undecided", baseline: "none" });
    expect(narrow.because?.message).toContain("rows from before the change would tell it");
    const wide = compareSeries({ ...NO_ACT, points, limit: { ...INPUT.limit, hi: 0.25 } });
    expect(wide.answer).toBe("inside");
    expect(lostWithoutPairs(wide).join(" ")).toContain("nothing from before the change");
  });

  test("whoever knows that difference may say so", () => {
    const points = series({ own: 1 });
    expect(compareSeries({ ...NO_ACT, points, biasSd: 0.005 }).answer).toBe("inside");
  });

  test("a clear harm is outside all the same", () => {
    expect(compareSeries({ ...NO_ACT, points: series({ own: 1.5 }) }).answer).toBe("outside");
  });
});

test("two columns without time are compared row by row, and phases may be told instead of a moment", () => {
  const rows = series().map(({ control, experiment }) => ({ control, experiment }));
  expect(compareSeries({ ...NO_ACT, points: rows, biasSd: 0.01 }).measured?.blocks.blockMs).toBeUndefined();
  const told = rows.map((row, i) => ({ ...row, phase: i < 60 ? ("before" as const) : ("after" as const) }));
  expect(compareSeries({ ...NO_ACT, points: told })).toMatchObject({ answer: "inside", baseline: "before" });
});

test("a phase that is neither before nor after is judged as neither", () => {
  const rows = series().map((row, i): ExternalPoint => {
    const phase = i < 50 ? "before" : i < 60 ? "other" : "after";
    return { ...row, phase, experiment: phase === "other" ? 900 : row.experiment };
  });
  expect(compareSeries({ ...NO_ACT, points: rows })).toMatchObject({ answer: "inside" });
});

test("rows that are judged as neither before nor after the change are counted in a note", () => {
  expect(compare(series()).notes).toEqual([SETTLING]);
  const none = compare(series(), { limits: JudgeLimitsSchema.parse({ settleSeconds: 0 }) });
  expect([none.notes, none.measured?.blocks.after]).toEqual([[], 60]);
  expect(compare(series(), { limits: JudgeLimitsSchema.parse({ settleSeconds: 60 }) }).notes).toEqual([
    expect.stringMatching(/^4 rows of the 60 s/),
  ]);
  const told = series().map(
    (row, i): ExternalPoint => ({ ...row, phase: i < 57 ? "before" : i < 60 ? "other" : "after" }),
  );
  expect(compareSeries({ ...NO_ACT, points: told }).notes).toEqual([
    "3 rows whose phase is neither before nor after were left out",
  ]);
});

describe("whatever stands in the rows, the answer is defined, has a reason, and is never inside", () => {
  const sound = series();
  const changed = (change: (point: ExternalPoint, i: number) => ExternalPoint): readonly ExternalPoint[] =>
    sound.map((point, i) => (i < 60 ? point : change(point, i)));
  const cases: readonly (readonly [string, readonly ExternalPoint[], string])[] = [
    ["no row", [], "NO_DATA"],
    ["one row", sound.slice(0, 1), "NO_DATA"],
    ["no row after the change", sound.slice(0, 60), "NO_DATA"],
    ["three rows after the change", sound.slice(0, 66), "UNDERPOWERED"],
    ["three rows before the change", sound.slice(57), "UNDERPOWERED"],
    ["no number at all", sound.map((p) => ({ ...p, control: Number.NaN, experiment: Number.NaN })), "NO_DATA"],
    ["an experiment that is silent", changed((p) => ({ ...p, experiment: Number.NaN })), "NO_DATA"],
    [
      "an experiment that loses values",
      changed((p, i) => (i % 8 ? p : { ...p, experiment: Number.NaN })),
      "ASYMMETRIC_LOSS",
    ],
    ["a control that loses values", changed((p, i) => (i % 8 ? p : { ...p, control: Number.NaN })), "ASYMMETRIC_LOSS"],
    ["infinite values", changed((p) => ({ ...p, control: Infinity, experiment: Infinity })), "NO_DATA"],
    [
      "one infinite value of the experiment",
      changed((p, i) => (i === 90 ? { ...p, experiment: Infinity } : p)),
      "NO_DATA",
    ],
    ["one infinite value of the control", changed((p, i) => (i === 90 ? { ...p, control: -Infinity } : p)), "NO_DATA"],
    [
      "an infinite value before the change",
      sound.map((p, i) => (i === 9 ? { ...p, control: Infinity } : p)),
      "NO_DATA",
    ],
    ["negative values with a percentage", changed((p) => ({ ...p, control: -1 })), "NO_DATA"],
    ["zeros with a percentage", changed((p) => ({ ...p, control: 0 })), "NO_DATA"],
    ["values that never change", sound.map((p) => ({ ...p, control: 5, experiment: 5 })), "NO_DATA"],
    ["two values at one moment", [...sound, { atMs: STEP_MS * 70, control: 1, experiment: 2 }], "NO_DATA"],
    [
      "a clock that steps back",
      sound.map((p, i) => (i < 90 ? p : { ...p, atMs: i * STEP_MS - 20.4 * STEP_MS })),
      "NO_DATA",
    ],
    ["times that are no times", sound.map((p) => ({ ...p, atMs: Number.NaN })), "NO_DATA"],
    [
      "sides that move against each other before the change",
      sound.map((p, i) => (i < 30 || i >= 60 ? p : { ...p, experiment: p.experiment * 1.2 })),
      "ENVIRONMENT_UNSTABLE",
    ],
  ];
  test.each(cases)("%s", (_name, points, code) => {
    const comparison = compare(points, code === "ENVIRONMENT_UNSTABLE" ? { limit: { ...INPUT.limit, hi: 0.5 } } : {});
    expect(comparison).toMatchObject({ answer: "undecided", because: { code } });
    expect(comparison.because?.message).toMatch(/^[A-Z0-9].*\.$/);
    expect(() => [lostWithoutPairs(comparison), explainComparison(comparison)]).not.toThrow();
  });

  test("two rows years apart do not fill memory", () => {
    const far = [...sound, { atMs: 1e13, control: 20, experiment: 20 }];
    expect(compare(far).answer).toBe("undecided");
  });
});

test("rows in any order, and repeated, are the same rows", () => {
  const sound = series();
  const shuffled = [...sound.slice(80), ...sound.slice(10, 80).reverse(), ...sound.slice(0, 30)];
  const [plain, mixed] = [compare(sound), compare(shuffled)];
  expect(mixed.measured).toEqual(plain.measured);
  expect(mixed.notes).toEqual([
    "rows were not in order of time and were sorted",
    "20 rows that repeat another were left out",
    SETTLING,
  ]);
});

test("a gap leaves its blocks out and no more", () => {
  const holey = series({ count: 180 }).filter((_, i) => i < 100 || i >= 110);
  const comparison = compare(holey);
  expect(comparison).toMatchObject({ answer: "inside", measured: { blocks: { before: 60, after: 108, invalid: 10 } } });
});

test("missing values are counted in a note, whatever the answer", () => {
  const holey = series().map((point, i) => (i === 70 || i === 80 ? { ...point, experiment: Number.NaN } : point));
  const comparison = compare(holey);
  expect(comparison.answer).toBe("inside");
  expect(comparison.notes).toEqual([SETTLING, "of 120 rows 0 have no value of the control, 2 none of the experiment"]);
});

test("rates compared in points need more than a stretch without an error to be sure", () => {
  const limit = { scale: "absolute", lo: Number.NEGATIVE_INFINITY, hi: 0.0002 } as const;
  const rates = series().map((point, i) => ({ ...point, control: i % 20 === 0 ? 0.005 : 0, experiment: 0 }));
  const comparison = compare(rates, { limit, unit: "pp", limits: JudgeLimitsSchema.parse({}) });
  expect(comparison.answer).toBe("undecided");
  expect(comparison.measured?.blockSd).toBeGreaterThanOrEqual(0.005);
  expect(lostWithoutPairs(comparison).join(" ")).toContain("no exact test of single failures");
});

test("what pairs would have saved is estimated from the correlation of the very series", () => {
  const [together, apart] = [series({ alone: 0.01 }), series({ shared: 0 })].map((points) => compare(points));
  expect(together?.measured?.correlation).toBeGreaterThan(0.9);
  expect(apart?.measured?.correlation).toBeLessThan(0.3);
  expect(lostWithoutPairs(together as Comparison)[0]).toContain("here that costs nothing");
  expect(lostWithoutPairs(apart as Comparison)[0]).toMatch(
    /this takes [12]\.\d to (8|9|10|11)\.\d times as many blocks/,
  );
});
