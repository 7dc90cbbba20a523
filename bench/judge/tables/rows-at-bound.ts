import type { JudgeLimits } from "../../../src/judge/judge-limits.ts";
import type { GoalName } from "../goals.ts";
import type { NoEvidence, Row } from "../row.ts";
import { NO_EFFECT, type Truth } from "../simulator/world.ts";
import { type OurOptions, ours } from "./our-judge.ts";
import { AT_BOUND, allWorse, CPU_AT_BOUND, ERRORS_AT_BOUND, LATENCY_AT_BOUND } from "./truths.ts";
import { worldNamed } from "./world-named.ts";

// Our judge where it is hardest: the plan is exactly at its bound, so that every promotion is wrong, and the judge looks
// after every block.

const RUNS = 2000;
const HARMLESS_RUNS = 200;
/** Of each SLO by itself: the bound of the issue. */
const SLO_KEEPS = { outcome: "promote", most: 0.01, limitMost: 0.015 } as const;
const OVERALL_KEEPS = { outcome: "promote", most: 0.005 } as const;
const REJECT_KEEPS = { outcome: "reject", most: 0.01 } as const;

/** One environment of STATISTICS.md 8.1. */
interface Environment {
  readonly world: string;
  readonly goals: readonly GoalName[];
  readonly beforeSeconds: number;
  readonly afterSeconds: number;
  readonly limits?: Partial<JudgeLimits>;
  /** Runs in the quick version, and of which goals: the others would only take a share of its false alarms. */
  readonly quick?: { readonly runs: number; readonly goals: readonly GoalName[] };
}

const GOALS: readonly GoalName[] = ["p99", "p50", "errors", "cpu", "gauge"];
const TEN_MINUTES = { goals: GOALS, beforeSeconds: 600, afterSeconds: 600 } as const;

const ENVIRONMENTS: readonly Environment[] = [
  { world: "iid", ...TEN_MINUTES },
  { world: "typical", ...TEN_MINUTES },
  { world: "noisy", ...TEN_MINUTES },
  { world: "harsh-autocorrelation", ...TEN_MINUTES, limits: { blockSeconds: 20 } },
  { world: "bias-5", ...TEN_MINUTES },
  { world: "missing-19", ...TEN_MINUTES },
  {
    world: "rps-5",
    goals: ["p99", "p50", "errors", "cpu"],
    beforeSeconds: 1800,
    afterSeconds: 3600,
    limits: { blockSeconds: 60 },
    quick: { runs: 500, goals: ["p50", "cpu"] },
  },
  { world: "rps-2000", goals: ["p99", "p50", "errors", "cpu"], beforeSeconds: 300, afterSeconds: 300 },
  { world: "error-bursts", ...TEN_MINUTES },
];

/** Settings of the judge under which every environment is run, by the name they have in the tables. */
const SETTINGS: Readonly<Record<string, OurOptions>> = {
  default: {},
  profile: { tau: 0.03, tauErrors: 0.0002 },
};

/** STATISTICS.md 6.5 tests a fixed difference of the twins with a profile: without one it is no difficulty at all. */
const CANCELS: NoEvidence = {
  mark: "repeats another",
  why: "a fixed difference of the twins cancels exactly in after minus before when no profile gives it a size, so that every run ends as in `default/typical`",
};

/** Unsafe promotion, SLO by SLO, in every environment. */
export const AT_BOUND_ROWS: readonly Row[] = Object.entries(SETTINGS).flatMap(([setting, options]) =>
  ENVIRONMENTS.flatMap((environment) =>
    environment.goals.map((goal): Row => {
      const { world, beforeSeconds, quick } = environment;
      const limits = { ...options.limits, ...environment.limits };
      return {
        id: `at-bound/${setting}/${world}/${goal}`,
        label: goal,
        world: worldNamed(world),
        truth: AT_BOUND,
        judge: ours([goal], environment, { ...options, limits }),
        goals: [goal],
        beforeSeconds,
        runs: RUNS,
        ...(setting === "default" && quick?.goals.includes(goal) === true ? { quickRuns: quick.runs } : {}),
        keeps: SLO_KEEPS,
        ...(setting === "default" && world === "bias-5" ? { noEvidence: CANCELS } : {}),
      };
    }),
  ),
);

/** Judged as soon as possible: what a short baseline and a short observation do to the same bounds. */
interface Fast {
  readonly name: string;
  readonly beforeSeconds: number;
  readonly afterSeconds: number;
  readonly goals: readonly GoalName[];
  readonly truth: Truth;
  readonly options: OurOptions;
  /** Worlds, and how many runs of each the quick version plays: more where they are cheap. */
  readonly worlds: Readonly<Record<string, number | undefined>>;
  readonly decidesNothing?: readonly {
    readonly worlds: readonly string[];
    readonly goal: GoalName;
    readonly why: string;
  }[];
}

const SHORT = { beforeSeconds: 200, afterSeconds: 300, truth: AT_BOUND } as const;
const SHORT_GOALS: readonly GoalName[] = ["p99", "p50", "errors", "cpu"];
const TOO_FEW_FOR_CPU = "200 s are 20 blocks and CPU needs 30, so nothing is ever decided";

/** As most shipped scenarios and `canary init` have it, but for the length of the baseline and settling. */
const FIVE_SECONDS = {
  beforeSeconds: 100,
  afterSeconds: 600,
  goals: ["p99", "p50", "errors"],
  truth: AT_BOUND,
  worlds: { typical: undefined, "harsh-autocorrelation": undefined },
} as const;
const FIVE_SECONDS_OPTIONS: OurOptions = { limits: { blockSeconds: 5 }, gates: true };

const FAST: readonly Fast[] = [
  {
    ...SHORT,
    name: "short",
    goals: SHORT_GOALS,
    options: {},
    // Bursts of errors leave latency alone, and of errors nothing is decided there: nothing that a quick run would notice.
    worlds: { typical: 400, noisy: 400, "error-bursts": undefined },
    decidesNothing: [
      { worlds: ["typical", "noisy", "error-bursts"], goal: "cpu", why: TOO_FEW_FOR_CPU },
      { worlds: ["error-bursts"], goal: "errors", why: "a plan without effect was promoted in 0 of 100 runs" },
    ],
  },
  {
    // The profile claims 3% where the twins differ by 5%, as STATISTICS.md 6.5 has it.
    ...SHORT,
    name: "short-profile",
    goals: ["p99", "p50", "errors"],
    options: { tau: 0.03, tauErrors: 0.0002 },
    worlds: { "bias-5": 400 },
  },
  {
    name: "minutes",
    beforeSeconds: 60,
    afterSeconds: 120,
    goals: ["p99", "p50", "errors-0.2pp"],
    truth: allWorse(1.1, 0.002),
    options: { limits: { blockSeconds: 2 }, learned: true },
    worlds: {
      quiet: 1000,
      "rps-100": 1000,
      noisy: 500,
      "bias-5": 500,
      "missing-19": 500,
      "error-bursts": 500,
      "quiet-error-bursts": 1000,
    },
    decidesNothing: [
      {
        worlds: ["noisy", "bias-5", "missing-19", "error-bursts"],
        goal: "p50",
        why: "the learned profile seldom vouches for short blocks there, and 60 s are 12 blocks of 5 s where 20 are needed",
      },
    ],
  },
  {
    // CPU and gauges do not know how many requests there are, so that few requests make the row cheap.
    name: "other-signals",
    beforeSeconds: 600,
    afterSeconds: 600,
    goals: ["cpu", "gauge"],
    truth: AT_BOUND,
    options: {},
    worlds: { "rps-5": 1000 },
  },
  { ...FIVE_SECONDS, name: "five-seconds", options: FIVE_SECONDS_OPTIONS },
  { ...FIVE_SECONDS, name: "five-seconds-profile", options: { ...FIVE_SECONDS_OPTIONS, learned: true } },
];

/** Unsafe promotion with short times; cheap, so that the quick version is made of them. */
export const SHORT_ROWS: readonly Row[] = FAST.flatMap(
  ({ name, worlds, goals, truth, options, decidesNothing, ...time }) =>
    Object.entries(worlds).flatMap(([world, quickRuns]) =>
      goals.map((goal): Row => {
        const vacuous = decidesNothing?.find((known) => known.goal === goal && known.worlds.includes(world));
        return {
          id: `at-bound/${name}/${world}/${goal}`,
          label: goal,
          world: worldNamed(world),
          truth,
          judge: ours([goal], time, options),
          goals: [goal],
          beforeSeconds: time.beforeSeconds,
          runs: RUNS,
          ...(quickRuns === undefined || vacuous !== undefined ? {} : { quickRuns }),
          keeps: SLO_KEEPS,
          ...(vacuous === undefined ? {} : { noEvidence: { mark: "decides nothing", why: vacuous.why } }),
        };
      }),
    ),
);

/** Harmless plans that the quick version asks for, or it would pass a judge that always holds, or rejects whatever it sees. */
const QUICK_HARMLESS: Readonly<Record<string, number>> = {
  "minutes/quiet/p99": 0.8,
  "minutes/quiet/p50": 0.97,
  "minutes/quiet/errors-0.2pp": 0.9,
};

/** The same settings and worlds with a plan without effect: a bound that is kept by never promoting says nothing. */
export const HARMLESS_ROWS: readonly Row[] = [...AT_BOUND_ROWS, ...SHORT_ROWS].map(
  ({ keeps: _, quickRuns: __, noEvidence: ___, ...row }) => ({
    ...row,
    id: row.id.replace(/^at-bound/, "harmless"),
    truth: NO_EFFECT,
    runs: HARMLESS_RUNS,
    ...quickHarmless(row.id.replace(/^at-bound\//, "")),
  }),
);

function quickHarmless(name: string): Pick<Row, "quickRuns" | "keeps"> {
  const least = QUICK_HARMLESS[name];
  return least === undefined ? {} : { quickRuns: 100, keeps: { outcome: "promote", least } };
}

const FOUR: readonly GoalName[] = ["p99", "p50", "errors", "cpu"];

/** The overall verdict over four SLOs: one at its bound and the others fine, and all of them at their bounds. */
export const OVERALL_ROWS: readonly Row[] = [
  { name: "latency", truth: LATENCY_AT_BOUND, label: "latency +10%, the others without effect", keeps: OVERALL_KEEPS },
  { name: "errors", truth: ERRORS_AT_BOUND, label: "errors +0.1pp, the others without effect", keeps: OVERALL_KEEPS },
  { name: "cpu", truth: CPU_AT_BOUND, label: "CPU +10%, the others without effect", keeps: OVERALL_KEEPS },
  { name: "all", truth: AT_BOUND, label: "all four at their bounds (a rejection is wrong)", keeps: REJECT_KEEPS },
].map(
  ({ name, truth, label, keeps }): Row => ({
    id: `overall/at-bound/${name}`,
    label,
    world: worldNamed("typical"),
    truth,
    judge: ours(FOUR, TEN_MINUTES),
    goals: FOUR,
    beforeSeconds: TEN_MINUTES.beforeSeconds,
    runs: RUNS,
    keeps,
  }),
);
