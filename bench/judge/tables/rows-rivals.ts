import type { GoalName } from "../goals.ts";
import type { Rival } from "../rivals/rival.ts";
import type { Keeps, Published, Row } from "../row.ts";
import { NO_EFFECT, type Truth, type World } from "../simulator/world.ts";
import { AT_BOUND } from "./truths.ts";
import { worldNamed } from "./world-named.ts";

// The rules of others in the typical world, beside what was published of them (STATISTICS.md 6.1 to 6.4): the simulator has
// to be as hard as the one that the method was chosen on.

const BEFORE_SECONDS = 600;
const RUNS = 400;
const PUBLISHED_RUNS = 3000;

/** One rule with what was published of it, promote / reject in percent of A/A runs and of runs at the bound. */
interface Line {
  readonly name: string;
  readonly label: string;
  readonly goals: readonly GoalName[];
  readonly rival: Rival;
  readonly afterSeconds: number;
  readonly world?: World;
  /** Held to it when the plan is at its bound. */
  readonly keeps?: Keeps;
  readonly innocent?: readonly [number, number];
  readonly atBound?: readonly [number, number];
}

const kayenta = (
  minutes: number,
  allowed: number | "bound",
  everyMinutes?: number,
): Pick<Line, "rival" | "afterSeconds"> => ({
  rival: {
    kind: "kayenta",
    pointSeconds: 60,
    minutes,
    allowed,
    ...(everyMinutes === undefined ? {} : { everyMinutes }),
  },
  afterSeconds: minutes * 60,
});
const flagger = (against: "control" | "past"): Pick<Line, "rival" | "afterSeconds"> => ({
  rival: { kind: "flagger", against, threshold: 5, iterations: 10 },
  afterSeconds: 900,
});
const argo: Pick<Line, "rival" | "afterSeconds"> = {
  rival: { kind: "argo", count: 10, failureLimit: 3 },
  afterSeconds: 600,
};
const looking = (
  rule: Extract<Rival, { kind: "look" }>["rule"],
  blockSeconds = 10,
): Pick<Line, "rival" | "afterSeconds"> => ({ rival: { kind: "look", rule, blockSeconds }, afterSeconds: 1800 });

/** The run that must fail: if it does not, the simulator has no teeth. */
const MUST_FAIL: Keeps = { outcome: "promote", least: 0.03, bites: true };

const BURSTS = worldNamed("error-bursts");
const p99 = { goals: ["p99"] } as const;
const errors = { goals: ["errors"] } as const;

const LINES: readonly Line[] = [
  {
    ...p99,
    ...kayenta(10, 1),
    name: "p99/kayenta-10",
    label: "Kayenta-like, 60 s points, 10 min",
    innocent: [100, 0],
    atBound: [93, 7],
  },
  {
    ...p99,
    ...kayenta(30, 1),
    name: "p99/kayenta-30",
    label: "Kayenta-like, 60 s points, 30 min",
    innocent: [100, 0.03],
    atBound: [41.8, 58.2],
  },
  {
    ...p99,
    ...kayenta(30, "bound"),
    name: "p99/kayenta-30-allowed",
    label: "Kayenta-like, allowedIncrease 1.10, 30 min",
    innocent: [100, 0],
    atBound: [56.3, 43.7],
  },
  {
    ...p99,
    ...kayenta(30, "bound", 5),
    name: "p99/kayenta-30-every-5",
    label: "Kayenta-like, allowedIncrease 1.10, judged every 5 min",
    innocent: [100, 0],
    atBound: [54.4, 45.6],
  },
  {
    ...p99,
    ...flagger("past"),
    name: "p99/flagger-past",
    label: "Flagger-like, absolute threshold, 5 fails / 10 ok",
    innocent: [84.6, 15.4],
    atBound: [38, 62],
  },
  {
    ...p99,
    ...flagger("control"),
    name: "p99/flagger",
    label: "Flagger-like, ratio <= 1.10, 5 fails / 10 ok",
    innocent: [100, 0],
    atBound: [28.5, 71.5],
  },
  {
    ...p99,
    ...argo,
    name: "p99/argo",
    label: "Argo-like, ratio <= 1.10, count 10, failureLimit 3",
    innocent: [100, 0],
    atBound: [32.2, 67.8],
  },
  {
    ...p99,
    ...looking("naive-t"),
    name: "p99/naive-t",
    label: "same differences, naive t, peeking",
    innocent: [99.4, 0.57],
    keeps: MUST_FAIL,
    atBound: [9.1, 8.97],
  },
  {
    ...p99,
    ...looking("no-before"),
    name: "p99/no-before",
    label: "our interval without the time before the plan",
    innocent: [100, 0],
    atBound: [18.3, 19.3],
  },
  {
    ...errors,
    ...looking("block-interval"),
    name: "errors/block-interval",
    label: "our interval without the request-level bet",
    innocent: [100, 0],
    atBound: [0.67, 0.87],
  },
  {
    ...errors,
    ...looking("request-bet"),
    name: "errors/request-bet",
    label: "the request-level bet alone",
    innocent: [100, 0],
    atBound: [0.4, 0.2],
  },
  {
    ...errors,
    ...looking("naive-t"),
    name: "errors/naive-t",
    label: "same differences, naive t, peeking",
    innocent: [100, 0],
    atBound: [11.6, 10.7],
  },
  {
    ...errors,
    ...looking("two-proportion"),
    name: "errors/two-proportion",
    label: "two-proportion z, peeking",
    innocent: [100, 0],
    atBound: [1.57, 1.03],
  },
  {
    ...errors,
    ...kayenta(10, 1),
    name: "errors/kayenta-10",
    label: "Kayenta-like, 60 s points, 10 min",
    innocent: [100, 0],
    atBound: [36.7, 63.3],
  },
  {
    ...errors,
    ...kayenta(10, "bound"),
    name: "errors/kayenta-10-allowed",
    label: "Kayenta-like, allowedIncrease = the bound, 10 min",
    innocent: [100, 0],
    atBound: [59.4, 40.6],
  },
  {
    ...errors,
    ...flagger("past"),
    name: "errors/flagger-past",
    label: "Flagger-like, absolute threshold, 5 fails / 10 ok",
    innocent: [98.3, 1.7],
    atBound: [60.4, 39.6],
  },
  {
    ...errors,
    ...argo,
    name: "errors/argo",
    label: "Argo-like, difference, count 10, failureLimit 3",
    innocent: [100, 0],
    atBound: [17.4, 82.6],
  },
  {
    ...errors,
    ...looking("block-interval"),
    world: BURSTS,
    name: "bursts/block-interval",
    label: "unshared error bursts: our interval without the bet",
    atBound: [1.67, 1.27],
  },
  {
    ...errors,
    ...looking("request-bet"),
    world: BURSTS,
    name: "bursts/request-bet",
    label: "unshared error bursts: the bet alone",
    atBound: [49.3, 50.5],
  },
  {
    ...errors,
    ...looking("two-proportion"),
    world: BURSTS,
    name: "bursts/two-proportion",
    label: "unshared error bursts: two-proportion z, peeking",
    atBound: [50.4, 49.6],
  },
  {
    goals: ["cpu"],
    ...looking("naive-t"),
    name: "cpu/naive-t",
    label: "same differences, naive t, peeking",
    innocent: [100, 0],
    atBound: [24, 22.9],
  },
  {
    goals: ["cpu"],
    ...looking("no-deflation"),
    name: "cpu/no-deflation",
    label: "our interval as if blocks never lean on each other",
    innocent: [100, 0],
    atBound: [5.73, 6.37],
  },
  {
    goals: ["gauge"],
    ...looking("naive-t", 30),
    name: "gauge/naive-t",
    label: "same differences, naive t, peeking",
    innocent: [99.8, 0],
    atBound: [32.1, 32.6],
  },
  {
    goals: ["gauge"],
    ...looking("no-deflation", 30),
    name: "gauge/no-deflation",
    label: "our interval as if blocks never lean on each other",
    innocent: [99.4, 0],
    atBound: [15.5, 15.3],
  },
];

/** One row without effect and one at the bound for every rule. */
export const RIVAL_ROWS: readonly Row[] = LINES.flatMap((line) => [
  ...(line.innocent === undefined ? [] : [rivalRow(line, "innocent", NO_EFFECT, line.innocent)]),
  ...(line.atBound === undefined ? [] : [rivalRow(line, "at-bound", AT_BOUND, line.atBound)]),
]);

function rivalRow(
  line: Line,
  when: "innocent" | "at-bound",
  truth: Truth,
  [promote, reject]: readonly [number, number],
): Row {
  const published: Published = {
    promote,
    reject,
    hold: Math.max(0, Math.round(100 * (100 - promote - reject)) / 100),
    runs: PUBLISHED_RUNS,
  };
  return {
    id: `rivals/${line.name}/${when}`,
    label: line.label,
    world: line.world ?? worldNamed("typical"),
    truth,
    judge: { kind: "rival", rival: line.rival, afterSeconds: line.afterSeconds },
    goals: line.goals,
    beforeSeconds: BEFORE_SECONDS,
    runs: RUNS,
    published,
    ...(when === "at-bound" && line.keeps !== undefined ? { keeps: line.keeps } : {}),
  };
}

/** The same in little: the judge's baseline of 200 s, blocks of 5 s, ten minutes of peeking. CPU errs most, in a third: 60 runs never hide it. */
export const MUST_FAIL_ROWS: readonly Row[] = (["p99", "errors", "cpu"] as const).map((goal) => ({
  id: `must-fail/naive-t/${goal}`,
  label: "naive t after every block of 5 s",
  world: worldNamed("typical"),
  truth: AT_BOUND,
  judge: { kind: "rival", rival: { kind: "look", rule: "naive-t", blockSeconds: 5 }, afterSeconds: 600 },
  goals: [goal],
  beforeSeconds: 200,
  runs: RUNS,
  ...(goal === "cpu" ? { quickRuns: 60 } : {}),
  keeps: MUST_FAIL,
}));
