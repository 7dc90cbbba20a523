import { expect, test } from "vitest";
import { drawFaults } from "../support/simulated-faults.ts";
import { SIMULATED_PLANS } from "../support/simulated-job.ts";
import { type SimulatedRun, simulateRun } from "../support/simulated-run.ts";
import { expectSoundRun } from "./sound-run.ts";

const SEEDS = 320;

function worldOf(seed: number): Parameters<typeof simulateRun>[0] {
  const plan = SIMULATED_PLANS[seed % SIMULATED_PLANS.length] ?? "scale-one";
  return { seed, plan, faults: drawFaults(seed) };
}

test(`in ${SEEDS} broken worlds nothing is left running and nothing unproven is promoted`, async () => {
  const ends: string[] = [];
  for (let seed = 0; seed < SEEDS; seed++) {
    const world = worldOf(seed);
    const run = await simulateRun(world);
    expectSoundRun(run, `seed ${seed} (${world.plan}, ${JSON.stringify(world.faults)})`);
    ends.push(endOf(run));
  }
  // Worlds that all end alike would prove little.
  expect([...new Set(ends)].sort()).toEqual([
    "ABORTED_BY_HUMAN",
    "DEADLINE_EXCEEDED",
    "DRIVER_BOTTLENECK",
    "MIRROR_UNAVAILABLE",
    "REPLAY_FAILED",
    "hold",
    "promote",
    "reject",
  ]);
});

function endOf({ end }: SimulatedRun): string {
  if (end.kind === "report") return end.report.verdict.kind;
  return end.error instanceof Error && "code" in end.error ? String(end.error.code) : "unknown";
}
