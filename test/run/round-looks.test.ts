import { expect, test } from "vitest";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { lateSeconds } from "../../src/measure/late-seconds.ts";
import { TrafficSpecSchema } from "../../src/replay/traffic-spec.ts";
import { blockStoreOptions } from "../../src/run/load-session.ts";
import { createRoundLooks } from "../../src/run/looks.ts";
import { traffic } from "../support/judged-traffic.ts";
import { simulatedJob } from "../support/simulated-job.ts";

const DESIGN = { kind: "switchback", rounds: 12, secondsOn: 10, secondsOff: 10, settleSeconds: 2 } as const;
const ROUND_MS = 36_000;

function roundAt(number: number) {
  const window = (from: number, to: number) => ({
    fromMs: number * ROUND_MS + from * 1000,
    toMs: number * ROUND_MS + to * 1000,
  });
  return {
    before: window(0, 10),
    acting: window(10, 11),
    settling: window(11, 13),
    on: window(13, 23),
    undoing: window(23, 24),
    after: window(26, 36),
  };
}

/**
 * Rounds of equal twins, of which the last has its last outcome `lateMs` after its end: when they are judged after that end,
 * and what is said.
 */
async function judged(lateMs: number, { timeoutMs = 5000, rounds = 1 } = {}) {
  const job = simulatedJob({ seed: 1, plan: "scale-one", faults: [] });
  const { traffic: spec, slos } = job.scenario;
  const mix = spec.mix.map((route) => ({ ...route, timeoutMs }));
  const latency = slos.filter(({ name }) => name === "latency");
  const scenario = { ...job.scenario, slos: latency, traffic: { ...spec, mix } };
  const endMs = rounds * ROUND_MS;
  const store = createBlockStore({ routes: ["a"] });
  store.addPairs(traffic({ seed: 1, ratePerSecond: 20, fromMs: 0, toMs: endMs }));
  let nowMs = endMs;
  const clock = {
    monotonicMs: () => nowMs,
    epochMs: () => nowMs,
    sleep: (durationMs: number) => {
      nowMs += durationMs;
      return Promise.resolve();
    },
  };
  let afterMs = Number.NaN;
  const looks = createRoundLooks(
    {
      job: { ...job, scenario },
      signal: new AbortController().signal,
      log: { note: () => undefined },
      restarts: { services: () => [] },
      effects: {
        clock,
        observe: () => {
          afterMs = nowMs - endMs;
        },
      },
    },
    {
      store,
      phases: {},
      rounds: Array.from({ length: rounds }, (_, number) => roundAt(number)),
      axisMs: () => nowMs,
      completeUntilMs: () => (nowMs >= endMs + lateMs ? endMs : endMs - 1000),
    },
    DESIGN,
  );
  const isDecided = await looks.isDecided();
  return { afterMs, isDecided, states: looks.slos().map(({ state }) => state) };
}

test("a round is judged when its last request has its outcome, however long its time-out", async () => {
  expect((await judged(0)).afterMs).toBe(0);
  expect((await judged(24_000, { timeoutMs: 30_000 })).afterMs).toBe(24_000);
});

test("a round whose outcomes never come is not waited for beyond the time-out", async () => {
  expect((await judged(Number.POSITIVE_INFINITY, { timeoutMs: 30_000 })).afterMs).toBeLessThanOrEqual(31_000);
  expect((await judged(Number.POSITIVE_INFINITY, { timeoutMs: 1000 })).afterMs).toBeLessThanOrEqual(11_000);
});

test("rounds that pass decide, and do not while outcomes of the last one are missing", async () => {
  expect(await judged(0, { rounds: 9 })).toMatchObject({ isDecided: true, states: ["pass"] });
  expect((await judged(Number.POSITIVE_INFINITY, { rounds: 9 })).isDecided).toBe(false);
  // Eight rounds are the least: the last of them is none while its outcomes are missing.
  expect(await judged(0, { rounds: 8 })).toMatchObject({ isDecided: true, states: ["pass"] });
  expect(await judged(Number.POSITIVE_INFINITY, { rounds: 8 })).toMatchObject({ isDecided: false, states: ["open"] });
});

test("a stagger between the twins excuses no lateness of either", () => {
  const spec = TrafficSpecSchema.parse({
    ratePerSecond: 100,
    staggerMs: 50,
    mix: [{ route: "a", weight: 1, http: { path: "/" } }],
  });
  const window = { fromMs: 0, toMs: 10_000 };
  const lateOf = (lagMs: number): number => {
    const store = createBlockStore(blockStoreOptions(spec));
    const batch = traffic({ seed: 1, ratePerSecond: 100, ...window });
    batch.arms.shadow.sendLagMs.fill(lagMs);
    store.addPairs(batch);
    return lateSeconds(store, window).late;
  };
  expect(lateOf(9)).toBe(0);
  expect(lateOf(30)).toBe(10);
});
