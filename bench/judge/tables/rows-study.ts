import type { GoalName } from "../goals.ts";
import type { Row } from "../row.ts";
import { NO_EFFECT, type Truth } from "../simulator/world.ts";
import { type OurOptions, ours } from "./our-judge.ts";
import { AT_BOUND } from "./truths.ts";
import { worldNamed } from "./world-named.ts";

// What no design of one before and one after can tell from an effect, and what the remedies cost (STATISTICS.md 4 and 6.5).
// No bound is claimed of these rows.

const TIME = { beforeSeconds: 600, afterSeconds: 600 } as const;
const RUNS = 300;

interface Study {
  readonly name: string;
  readonly label: string;
  readonly world: string;
  readonly truth: Truth;
  readonly goals: readonly GoalName[];
  readonly options: OurOptions;
}

const LATENCY: readonly GoalName[] = ["p99", "p50"];

const STUDIES: readonly Study[] = [
  ...bothTruths("drift-ignored", "one twin drifts 2% in 10 min, ignored", "drift", {}),
  ...bothTruths("drift-widened", "the same, interval widened by a calibrated drift of 2.5%", "drift", {
    calibration: { tau: 0.03, driftSd: 0.025 },
  }),
  ...bothTruths("slow-drift-ignored", "one twin drifts 0.5% in 10 min, ignored", "slow-drift", {}),
  ...bothTruths("restart-ignored", "the plan draws the bias anew, sd 2%, ignored", "restart-bias", {}),
  ...bothTruths("restart-calibrated", "the same, told of a restart, sd calibrated as 2%", "restart-bias", {
    restarted: true,
    calibration: { restart: { sd: 0.02, rounds: 1 } },
  }),
  ...bothTruths("restart-uncalibrated", "the same, told of a restart, not calibrated", "restart-bias", {
    restarted: true,
  }),
  ...bothTruths("warm-up-kept", "slower by 30% at first, fading in 20 s, nothing discarded", "warm-up", {}),
  ...bothTruths("warm-up-discarded", "the same, 60 s discarded", "warm-up", { settleSeconds: 60 }),
  ...bothTruths("harsh-10s", "noise that leans for 30 s, blocks of 10 s to start with", "harsh-autocorrelation", {
    limits: { blockSeconds: 10 },
  }),
];

function bothTruths(name: string, label: string, world: string, options: OurOptions): readonly Study[] {
  const common = { label, world, options };
  return LATENCY.flatMap((goal) => [
    {
      ...common,
      name: `${name}/at-bound/${goal}`,
      label: `${goal} at its bound: ${label}`,
      truth: AT_BOUND,
      goals: [goal],
    },
    { ...common, name: `${name}/none/${goal}`, label: `${goal}, no effect: ${label}`, truth: NO_EFFECT, goals: [goal] },
  ]);
}

const MINUTES = { beforeSeconds: 60, afterSeconds: 120 } as const;

/**
 * Noise that leans for 30 s does not show in a calibration's windows of 40 s: when those vouched for blocks of 2 s, about six in
 * a hundred were unsafe (p99). Now only windows of 100 s and more vouch, and the profiles learned here have 120 s. With blocks of
 * 20 s the same world keeps its bound (`at-bound/default/harsh-autocorrelation`).
 */
const SLOW_NOISE_ROWS: readonly Row[] = LATENCY.map((goal) => ({
  id: `study/minutes-slow-noise/at-bound/${goal}`,
  label: `${goal} at its bound: noise that leans for 30 s, blocks of 2 s vouched for by a calibration, 60 s + 120 s`,
  world: worldNamed("harsh-autocorrelation"),
  truth: AT_BOUND,
  judge: ours([goal], MINUTES, { limits: { blockSeconds: 2 }, learned: true }),
  goals: [goal],
  beforeSeconds: MINUTES.beforeSeconds,
  runs: RUNS,
}));

/** Known limits and remedies, latency only. */
export const STUDY_ROWS: readonly Row[] = [
  ...SLOW_NOISE_ROWS,
  ...STUDIES.map(
    ({ name, label, world, truth, goals, options }): Row => ({
      id: `study/${name}`,
      label,
      world: worldNamed(world),
      truth,
      judge: ours(goals, TIME, options),
      goals,
      beforeSeconds: TIME.beforeSeconds,
      runs: RUNS,
    }),
  ),
];
