import type { GoalName } from "../goals.ts";
import type { Rival } from "../rivals/rival.ts";
import type { Keeps, Row, RowJudge } from "../row.ts";
import { NO_EFFECT, type Truth } from "../simulator/world.ts";
import { type OurOptions, ours } from "./our-judge.ts";
import { allWorse } from "./truths.ts";
import { worldNamed } from "./world-named.ts";

// How long it takes and how it ends when the plan is harmless, half way, or harmful; ours beside the rules of others on four
// SLOs (p99, p50 and CPU +10%, errors +0.1pp).

const FOUR: readonly GoalName[] = ["p99", "p50", "errors", "cpu"];
const HALF_HOUR = { beforeSeconds: 600, afterSeconds: 1800 } as const;

/** Whoever judges, with the settings that the tables name. */
const JUDGES: readonly { readonly name: string; readonly label: string; readonly judge: RowJudge }[] = [
  { name: "ours", label: "ours", judge: ours(FOUR, HALF_HOUR) },
  {
    name: "kayenta-10",
    label: "Kayenta-like, 10 min",
    judge: rival({ kind: "kayenta", pointSeconds: 60, minutes: 10, allowed: 1 }, 600),
  },
  {
    name: "kayenta-30-allowed",
    label: "Kayenta-like, allowedIncrease = the bound, 30 min",
    judge: rival({ kind: "kayenta", pointSeconds: 60, minutes: 30, allowed: "bound" }, 1800),
  },
  {
    name: "flagger",
    label: "Flagger-like, ratio, 5 fails / 10 ok",
    judge: rival({ kind: "flagger", against: "control", threshold: 5, iterations: 10 }, 900),
  },
  {
    name: "argo",
    label: "Argo-like, ratio, count 10, failureLimit 3",
    judge: rival({ kind: "argo", count: 10, failureLimit: 3 }, 600),
  },
];

/** True effects, mildest first. */
const EFFECTS: readonly {
  readonly name: string;
  readonly label: string;
  readonly truth: Truth;
  readonly keeps?: Keeps;
}[] = [
  { name: "none", label: "none (A/A)", truth: NO_EFFECT },
  { name: "2", label: "+2%, errors +0.02pp", truth: allWorse(1.02, 0.0002) },
  { name: "5", label: "+5%, errors +0.05pp", truth: allWorse(1.05, 0.0005) },
  {
    name: "15",
    label: "+15%, errors +0.2pp",
    truth: allWorse(1.15, 0.002),
    keeps: { outcome: "promote", most: 0.001 },
  },
  { name: "50", label: "+50%, errors +1pp", truth: allWorse(1.5, 0.01), keeps: { outcome: "reject", least: 0.99 } },
];

function rival(rule: Rival, afterSeconds: number): RowJudge {
  return { kind: "rival", rival: rule, afterSeconds };
}

/** Every judge on every effect. */
export const POWER_ROWS: readonly Row[] = EFFECTS.flatMap((effect) =>
  JUDGES.map(
    ({ name, label, judge }): Row => ({
      id: `power/${effect.name}/${name}`,
      label: `${effect.label}: ${label}`,
      world: worldNamed("typical"),
      truth: effect.truth,
      judge,
      goals: FOUR,
      beforeSeconds: HALF_HOUR.beforeSeconds,
      runs: name === "ours" && effect.name === "none" ? 2000 : 300,
      ...(name === "ours" ? { keeps: effect.keeps ?? { outcome: "reject", most: 0.01 } } : {}),
    }),
  ),
);

const DECIDED_IN_TIME: Keeps = { outcome: "promote", least: 0.99, medianSecondsMost: 180 };

/** Times that the issue asks for, under the settings that reach them. */
const TARGETS: readonly {
  readonly name: string;
  readonly label: string;
  readonly world: string;
  readonly goals: readonly GoalName[];
  readonly beforeSeconds: number;
  readonly afterSeconds: number;
  readonly options: OurOptions;
  readonly keeps?: Keeps;
}[] = [
  {
    name: "four-slos-300",
    label:
      "typical noise, four SLOs, 300/s, baseline 600 s, bias of known size (3%): promoted in 99%, median at most 180 s",
    world: "typical",
    goals: FOUR,
    ...HALF_HOUR,
    options: { tau: 0.03 },
    keeps: DECIDED_IN_TIME,
  },
  {
    name: "four-slos-300-5s",
    label: "the same with blocks of 5 s, as `canary init` has them, and no profile",
    world: "typical",
    goals: FOUR,
    ...HALF_HOUR,
    options: { limits: { blockSeconds: 5 } },
    keeps: DECIDED_IN_TIME,
  },
  {
    name: "four-slos-300-5s-staggered",
    label: "the same, the second request of each pair half a second later (the product: at most 50 ms)",
    world: "staggered",
    goals: FOUR,
    ...HALF_HOUR,
    options: { limits: { blockSeconds: 5 } },
  },
  ...[
    { name: "quiet-10s-blocks", label: "blocks of 10 s, no profile", options: { limits: { blockSeconds: 10 } } },
    { name: "quiet-2s-blocks", label: "blocks of 2 s, no profile", options: { limits: { blockSeconds: 2 } } },
    {
      name: "quiet-2s-profile",
      label: "blocks of 2 s and a profile",
      options: { limits: { blockSeconds: 2 }, learned: true },
    },
  ].map(({ name, label, options }) => ({
    name,
    label: `quiet machine, 100/s, p99 and p50 +10%, errors +0.2pp, baseline 60 s, at most 60 s: ${label}`,
    world: "quiet",
    goals: ["p99", "p50", "errors-0.2pp"] as const,
    beforeSeconds: 60,
    afterSeconds: 60,
    options,
  })),
];

/** Time to verdict under the settings that are to reach it. */
export const TARGET_ROWS: readonly Row[] = TARGETS.map(({ name, label, world, goals, options, keeps, ...time }) => ({
  id: `target/${name}`,
  label,
  world: worldNamed(world),
  truth: NO_EFFECT,
  judge: ours(goals, time, options),
  goals,
  beforeSeconds: time.beforeSeconds,
  runs: 1000,
  ...(keeps === undefined ? {} : { keeps }),
}));

const ONE: readonly GoalName[] = ["p99"];
const TUNED: readonly { readonly name: string; readonly label: string; readonly judge: RowJudge }[] = [
  { name: "ours", label: "ours", judge: ours(ONE, HALF_HOUR) },
  {
    name: "flagger-0.6",
    label: "Flagger-like ratio, threshold 0.6 x bound, 5 fails / 10 ok",
    judge: rival({ kind: "flagger", against: "control", threshold: 5, iterations: 10, share: 0.6 }, 900),
  },
  {
    name: "flagger-0.6-20",
    label: "the same, 10 fails / 20 ok",
    judge: rival({ kind: "flagger", against: "control", threshold: 10, iterations: 20, share: 0.6 }, 1800),
  },
  {
    name: "flagger-0.5-20",
    label: "Flagger-like ratio, threshold 0.5 x bound, 10 / 20",
    judge: rival({ kind: "flagger", against: "control", threshold: 10, iterations: 20, share: 0.5 }, 1800),
  },
  {
    name: "kayenta-10s",
    label: "Kayenta-like, 10 s points, 10 min",
    judge: rival({ kind: "kayenta", pointSeconds: 10, minutes: 10, allowed: 1 }, 600),
  },
  {
    name: "kayenta-10s-half",
    label: "Kayenta-like, 10 s points, allowedIncrease = half the bound, 30 min",
    judge: rival({ kind: "kayenta", pointSeconds: 10, minutes: 30, allowed: "half-bound" }, 1800),
  },
  {
    name: "kayenta-10s-half-60",
    label: "the same, 60 min",
    judge: rival({ kind: "kayenta", pointSeconds: 10, minutes: 60, allowed: "half-bound" }, 3600),
  },
  {
    name: "kayenta-10s-60",
    label: "Kayenta-like, 10 s points, 60 min",
    judge: rival({ kind: "kayenta", pointSeconds: 10, minutes: 60, allowed: 1 }, 3600),
  },
];

/** Rules of others tuned by hand until they err about as rarely (STATISTICS.md 6.6), p99 alone. */
export const EQUAL_ERROR_ROWS: readonly Row[] = TUNED.flatMap(({ name, label, judge }) =>
  [
    { when: "at-bound", truth: allWorse(1.1, 0.001) },
    { when: "innocent", truth: NO_EFFECT },
  ].map(
    ({ when, truth }): Row => ({
      id: `equal-error/${name}/${when}`,
      label,
      world: worldNamed("typical"),
      truth,
      judge,
      goals: ONE,
      beforeSeconds: HALF_HOUR.beforeSeconds,
      runs: 200,
    }),
  ),
);
