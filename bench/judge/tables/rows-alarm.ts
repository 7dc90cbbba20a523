import { harmAlarm } from "../../../src/judge/harm-alarm.ts";
import { createBlockStore } from "../../../src/measure/block-store.ts";
import { type GoalName, goal } from "../goals.ts";
import type { Row, RowJudge, RunDecision } from "../row.ts";
import { startStream } from "../simulator/stream.ts";
import { NO_EFFECT } from "../simulator/world.ts";
import { allWorse } from "./truths.ts";
import { worldNamed } from "./world-named.ts";

// The harm alarm: how soon it stops gross harm, and how often it stops a plan that does none. A rejection is a stop.

const BEFORE_SECONDS = 60;
/** From the end of a block to its being known and acted upon. */
const DELIVERY_SECONDS = 1;
const GOALS: readonly GoalName[] = ["p99", "p50", "errors"];
const WORLDS_WITH_ALARM = [
  "typical",
  "rps-100",
  "quiet",
  "noisy",
  "harsh-autocorrelation",
  "bias-5",
  "missing-19",
  "error-bursts",
  "warm-up",
  "drift",
] as const;
const QUICK = new Set<string>(["rps-100", "quiet"]);

function alarm(afterSeconds: number): RowJudge {
  return {
    kind: "own",
    settings: { alarm: true, afterSeconds },
    play: ({ row, seed }): RunDecision => {
      const { world, truth } = row;
      const store = createBlockStore({ routes: ["all"] });
      const stream = startStream({ world, truth, seed, actsAtSeconds: BEFORE_SECONDS });
      for (let second = 0; second < BEFORE_SECONDS + afterSeconds; second++) store.addPairs(stream.next().batch);
      const actsMs = 1000 * BEFORE_SECONDS;
      const found = harmAlarm({
        store,
        slos: GOALS.map((name) => goal(name).slo),
        baseline: { fromMs: 0, toMs: actsMs },
        window: { fromMs: actsMs, toMs: actsMs + 1000 * afterSeconds },
      });
      const stoppedSeconds = found === undefined ? Number.POSITIVE_INFINITY : found.afterSeconds + DELIVERY_SECONDS;
      const isStopped = stoppedSeconds <= afterSeconds;
      return {
        kind: isStopped ? "reject" : "hold",
        beforeSeconds: BEFORE_SECONDS,
        afterSeconds: isStopped ? stoppedSeconds : afterSeconds,
      };
    },
  };
}

const PLANS = [
  {
    name: "gross",
    label: "+50% latency, errors +1pp: stopped within 20 s",
    truth: allWorse(1.5, 0.01),
    judge: alarm(20),
    runs: 500,
    quickRuns: 300,
    keeps: { outcome: "reject", least: 0.99 },
  },
  {
    name: "none",
    label: "no effect: stopped within 180 s (false)",
    truth: NO_EFFECT,
    judge: alarm(180),
    runs: 1000,
    quickRuns: 500,
    keeps: { outcome: "reject", most: 0.001 },
  },
] as const;

/** Every plan in every world of 100 requests a second or more. */
export const ALARM_ROWS: readonly Row[] = PLANS.flatMap(({ name, quickRuns, ...plan }) =>
  WORLDS_WITH_ALARM.map(
    (world): Row => ({
      ...plan,
      id: `alarm/${name}/${world}`,
      world: worldNamed(world),
      goals: GOALS,
      beforeSeconds: BEFORE_SECONDS,
      ...(QUICK.has(world) ? { quickRuns } : {}),
    }),
  ),
);
