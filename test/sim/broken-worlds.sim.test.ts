import { expect, test } from "vitest";
import { drawFaults } from "../support/simulated-faults.ts";
import { SIMULATED_PLANS } from "../support/simulated-job.ts";
import { simulateRun } from "../support/simulated-run.ts";
import { endOf, expectSoundRun } from "./sound-run.ts";

const WORLDS_PER_PLAN = 80;
/** Seconds on an idle machine; a machine that does other things must not fail the run. */
const TIMEOUT_MS = 120_000;

/** Of tier 3 with a verified snapshot, or below. The other one restarts a service, whose bias nobody has calibrated here. */
const PROMOTABLE = ["scale-one", "scale-two", "change-data"] as const;

test.each(SIMULATED_PLANS.map((plan, index) => ({ plan, firstSeed: index * WORLDS_PER_PLAN })))(
  `in ${WORLDS_PER_PLAN} broken worlds for $plan nothing is left running and nothing unproven is promoted`,
  async ({ plan, firstSeed }) => {
    const ends = new Set<string>();
    for (let seed = firstSeed; seed < firstSeed + WORLDS_PER_PLAN; seed++) {
      const faults = drawFaults(seed);
      const run = await simulateRun({ seed, plan, faults });
      expectSoundRun(run, `seed ${seed} (${plan}, ${JSON.stringify(faults)})`);
      ends.add(endOf(run));
    }
    // Worlds that all end alike would prove little.
    expect([...ends]).toEqual(
      expect.arrayContaining(["ABORTED_BY_HUMAN", "MIRROR_UNAVAILABLE", "REPLAY_FAILED", "hold", "reject"]),
    );
    expect(ends.has("promote")).toBe(PROMOTABLE.some((promotable) => promotable === plan));
  },
  TIMEOUT_MS,
);

test(
  "a harmless plan is promoted in nearly every sound world and rejected in none",
  async () => {
    const ends: string[] = [];
    for (let seed = 1000; seed < 1050; seed++) {
      const run = await simulateRun({ seed, plan: PROMOTABLE[seed % 2] ?? "scale-one" });
      expectSoundRun(run, `seed ${seed}`);
      ends.push(endOf(run));
    }
    expect(ends.filter((end) => end === "promote").length / ends.length).toBeGreaterThanOrEqual(0.8);
    expect(ends).not.toContain("reject");
  },
  TIMEOUT_MS,
);

test(
  "a plan that makes half of the requests' time longer is promoted in no world",
  async () => {
    const ends: string[] = [];
    for (let seed = 2000; seed < 2050; seed++) {
      const faults = [{ kind: "plan-slows", share: 0.5 }] as const;
      const run = await simulateRun({ seed, plan: PROMOTABLE[seed % 2] ?? "scale-one", faults });
      expectSoundRun(run, `seed ${seed}`);
      ends.push(endOf(run));
    }
    expect(ends).not.toContain("promote");
    expect(ends.filter((end) => end === "reject").length / ends.length).toBeGreaterThanOrEqual(0.8);
  },
  TIMEOUT_MS,
);

test("the same seed makes the same report and the same events, byte by byte", async () => {
  for (const seed of [3, 8, 21]) {
    const first = await simulateRun({ seed, plan: "scale-two" });
    const second = await simulateRun({ seed, plan: "scale-two" });
    expect(first.stage.store.published, `seed ${seed}`).toHaveLength(1);
    expect(JSON.stringify(second.stage.store.published)).toBe(JSON.stringify(first.stage.store.published));
    expect(JSON.stringify(second.events)).toBe(JSON.stringify(first.events));
  }
});
