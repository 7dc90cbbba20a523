import type { SwitchbackDesign } from "../../../src/judge/judge-limits.ts";
import type { GoalName } from "../goals.ts";
import type { Row } from "../row.ts";
import { NO_EFFECT, type Truth } from "../simulator/world.ts";
import { coupled } from "../switchback/play-coupled.ts";
import { inRounds } from "../switchback/play-rounds.ts";
import { ours } from "./our-judge.ts";
import { ERRORS_AT_BOUND, LATENCY_AT_BOUND } from "./truths.ts";
import { worldNamed } from "./world-named.ts";

// Switchback against one before and after at equal total time, and the control that follows the plan (decision 0008).

const TOTAL_SECONDS = 600;
const SETTLE_SECONDS = 3;
const RUNS = 1000;
const UNSAFE_KEEPS = { outcome: "promote", most: 0.01 } as const;

function design(seconds: number): SwitchbackDesign {
  const rounds = Math.floor(TOTAL_SECONDS / (2 * (seconds + SETTLE_SECONDS)));
  return { kind: "switchback", rounds, secondsOn: seconds, secondsOff: seconds, settleSeconds: SETTLE_SECONDS };
}

const WORLDS_OF_ROUNDS = [
  "typical",
  "harsh-autocorrelation",
  "drift",
  "restart-bias",
  "error-bursts",
  "quiet",
] as const;
const TRUTHS: readonly { readonly name: string; readonly goal: GoalName; readonly truth: Truth }[] = [
  { name: "p99", goal: "p99", truth: LATENCY_AT_BOUND },
  { name: "p50", goal: "p50", truth: LATENCY_AT_BOUND },
  { name: "errors", goal: "errors", truth: ERRORS_AT_BOUND },
];
/** Errors know nothing of drift and of the bias of latencies. */
const isWorthIt = (world: string, goal: GoalName): boolean => goal !== "errors" || world === "typical";

/** At the bound, and without effect, in rounds of 10 s; beside them one before and after of the same total time. */
export const SWITCHBACK_ROWS: readonly Row[] = WORLDS_OF_ROUNDS.flatMap((world) =>
  TRUTHS.filter(({ goal }) => isWorthIt(world, goal)).flatMap(({ name, goal, truth }): readonly Row[] => {
    const base = { world: worldNamed(world), goals: [goal], beforeSeconds: 0 };
    const judge = inRounds({ design: design(10), restarted: world === "restart-bias", coupling: 0 });
    return [
      {
        ...base,
        id: `switchback/at-bound/${world}/${name}`,
        label: `${name} at its bound, rounds of 10 s, ${TOTAL_SECONDS} s in all`,
        truth,
        judge,
        runs: RUNS,
        ...(world === "restart-bias" && name === "p50" ? { quickRuns: 200 } : {}),
        keeps: UNSAFE_KEEPS,
      },
      {
        ...base,
        id: `switchback/no-effect/${world}/${name}`,
        label: `${name}, no effect, rounds of 10 s, ${TOTAL_SECONDS} s in all`,
        truth: NO_EFFECT,
        judge,
        runs: 300,
        keeps: { outcome: "reject", most: 0.01 },
      },
      ...[truth, NO_EFFECT].map((what): Row => {
        const time = { beforeSeconds: 300, afterSeconds: 270 };
        return {
          id: `switchback/before-after-${what === NO_EFFECT ? "no-effect" : "at-bound"}/${world}/${name}`,
          label: `${name}${what === NO_EFFECT ? ", no effect" : " at its bound"}, one before and after of ${TOTAL_SECONDS} s, drift and restart ignored`,
          world: worldNamed(world),
          goals: [goal],
          truth: what,
          beforeSeconds: 300,
          judge: ours([goal], time),
          runs: 300,
        };
      }),
    ];
  }),
);

const COUPLED_GOALS: readonly GoalName[] = ["p50", "p95", "p99"];
const COUPLED_LIMITS = { blockSeconds: 5 } as const;
const COUPLINGS: readonly { readonly ratio: number; readonly coupling: number }[] = [
  { ratio: 1.2, coupling: 0.9 },
  { ratio: 1.38, coupling: 0.9 },
];

/** A control that follows: false holds without a plan's effect, and hidden harm that is promoted with and without the gate. */
export const INTERFERENCE_ROWS: readonly Row[] = (["quiet", "calm", "typical"] as const).flatMap(
  (world): readonly Row[] => {
    const base = { world: worldNamed(world), goals: COUPLED_GOALS, beforeSeconds: 200 };
    const judge = (coupling: number, gate: boolean) =>
      coupled({ coupling, gate, afterSeconds: 300, limits: COUPLED_LIMITS });
    return [
      ...[true, false].map(
        (gate): Row => ({
          ...base,
          id: `interference/no-effect/${world}/${gate ? "gate" : "no-gate"}`,
          label: `no effect, ${gate ? "with" : "without"} the gate: what it holds for nothing is the difference`,
          truth: NO_EFFECT,
          judge: judge(0, gate),
          runs: 500,
        }),
      ),
      ...COUPLINGS.flatMap(({ ratio, coupling }) =>
        [true, false].map((gate): Row => {
          const percent = Math.round(100 * (ratio - 1));
          return {
            ...base,
            id: `interference/hidden/${world}/${percent}/${coupling}/${gate ? "gate" : "no-gate"}`,
            label: `+${percent}% of which ${100 * coupling}% reaches the control, ${gate ? "with" : "without"} the gate`,
            truth: { ...NO_EFFECT, latencyRatio: ratio },
            judge: judge(coupling, gate),
            runs: 200,
          };
        }),
      ),
    ];
  },
);
