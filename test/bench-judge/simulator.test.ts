import { expect, test } from "vitest";
import { startStream } from "../../bench/judge/simulator/stream.ts";
import { NO_EFFECT, WORLDS, type World } from "../../bench/judge/simulator/world.ts";
import { worldNoise } from "../../bench/judge/simulator/world-noise.ts";

function worldOf(name: string): World {
  const world = WORLDS[name];
  if (world === undefined) throw new Error(`there is no world ${name}`);
  return world;
}

/** Requests, failures of each twin and the sum of their latencies, before and after the plan acts. */
function totals(options: { readonly truth: typeof NO_EFFECT; readonly seed: number }) {
  const stream = startStream({ world: worldOf("iid"), actsAtSeconds: 60, ...options });
  const phase = () => ({ requests: 0, failed: [0, 0], ms: [0, 0] });
  const seen = [phase(), phase()] as const;
  for (let second = 0; second < 120; second++) {
    const { batch } = stream.next();
    const into = seen[second < 60 ? 0 : 1];
    into.requests += batch.size;
    for (const [arm, role] of (["control", "shadow"] as const).entries()) {
      for (let i = 0; i < batch.size; i++) {
        into.failed[arm] = (into.failed[arm] ?? 0) + (batch.arms[role].outcome[i] ?? 0);
        into.ms[arm] = (into.ms[arm] ?? 0) + (batch.arms[role].latencyMs[i] ?? 0);
      }
    }
  }
  return seen;
}

test("the same seed gives the same run, another one another run", () => {
  expect(totals({ truth: NO_EFFECT, seed: 1 })).toEqual(totals({ truth: NO_EFFECT, seed: 1 }));
  expect(totals({ truth: NO_EFFECT, seed: 2 })).not.toEqual(totals({ truth: NO_EFFECT, seed: 1 }));
});

test("the plan does to the shadow what is said, to the last request, and nothing before it acts", () => {
  const truth = { ...NO_EFFECT, latencyRatio: 1.1, errorRateAdded: 0.01 };
  const [before, after] = totals({ truth, seed: 3 });
  expect((before.ms[1] ?? 0) / (before.ms[0] ?? 1)).toBeCloseTo(1, 1.5);
  expect((after.ms[1] ?? 0) / (after.ms[0] ?? 1)).toBeCloseTo(1.1, 1.5);
  const excess = (of: typeof after): number => ((of.failed[1] ?? 0) - (of.failed[0] ?? 0)) / of.requests;
  expect(Math.abs(excess(before))).toBeLessThan(0.002);
  expect(excess(after)).toBeCloseTo(0.01, 2.3);
});

test("the quiet world is as quiet as two servers on two cores were measured to be", () => {
  const { correlation, measures } = worldNoise({ ...worldOf("quiet"), ratePerSecond: 120 }, 6);
  const sdOf = (label: string): number =>
    measures.find((noise) => noise.label === label && noise.blockMs === 10_000)?.blockSd ?? 0;
  expect(correlation).toBeGreaterThan(0.9);
  expect(sdOf("p50")).toBeCloseTo(0.005, 2.7);
  expect(sdOf("p99")).toBeGreaterThan(0.025);
  expect(sdOf("p99")).toBeLessThan(0.042);
});
