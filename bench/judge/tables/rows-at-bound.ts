import type { JudgeLimits } from "../../../src/judge/judge-limits.ts";
import type { GoalName } from "../goals.ts";
import type { Row } from "../row.ts";
import type { Truth } from "../simulator/world.ts";
import { type OurOptions, ours } from "./our-judge.ts";
import { AT_BOUND, allWorse, CPU_AT_BOUND, ERRORS_AT_BOUND, LATENCY_AT_BOUND } from "./truths.ts";
import { worldNamed } from "./world-named.ts";

// Our judge where it is hardest: the plan is exactly at its bound, so that every promotion is wrong, and the judge looks
// after every block.

const RUNS = 2000;
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
  readonly quickRuns?: number;
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
  },
  { world: "rps-2000", goals: ["p99", "p50", "errors", "cpu"], beforeSeconds: 300, afterSeconds: 300 },
  { world: "error-bursts", ...TEN_MINUTES },
];

/** Settings of the judge under which every environment is run, by the name they have in the tables. */
const SETTINGS: Readonly<Record<string, OurOptions>> = {
  default: {},
  profile: { tau: 0.03, tauErrors: 0.0002 },
};

/** Unsafe promotion, SLO by SLO, in every environment. */
export const AT_BOUND_ROWS: readonly Row[] = Object.entries(SETTINGS).flatMap(([setting, options]) =>
  ENVIRONMENTS.flatMap((environment) =>
    environment.goals.map((goal): Row => {
      const { world, beforeSeconds, quickRuns } = environment;
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
        ...(quickRuns === undefined ? {} : { quickRuns }),
        keeps: SLO_KEEPS,
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
  readonly worlds: readonly string[];
  readonly quickRuns: number;
}

const FAST: readonly Fast[] = [
  {
    name: "short",
    beforeSeconds: 200,
    afterSeconds: 300,
    goals: ["p99", "p50", "errors", "cpu"],
    truth: AT_BOUND,
    options: {},
    worlds: ["typical", "noisy", "error-bursts", "bias-5"],
    quickRuns: 400,
  },
  {
    name: "minutes",
    beforeSeconds: 60,
    afterSeconds: 120,
    goals: ["p99", "p50", "errors-0.2pp"],
    truth: allWorse(1.1, 0.002),
    options: { limits: { blockSeconds: 2 }, learned: true },
    worlds: ["quiet", "rps-100", "noisy", "bias-5", "missing-19", "error-bursts", "quiet-error-bursts"],
    quickRuns: 500,
  },
];

/** Unsafe promotion with short times; cheap, so that the quick version is made of them. */
export const SHORT_ROWS: readonly Row[] = FAST.flatMap(({ name, worlds, goals, truth, options, quickRuns, ...time }) =>
  worlds.flatMap((world) =>
    goals.map(
      (goal): Row => ({
        id: `at-bound/${name}/${world}/${goal}`,
        label: goal,
        world: worldNamed(world),
        truth,
        judge: ours([goal], time, options),
        goals: [goal],
        beforeSeconds: time.beforeSeconds,
        runs: RUNS,
        quickRuns,
        keeps: SLO_KEEPS,
      }),
    ),
  ),
);

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
