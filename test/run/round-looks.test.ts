import { expect, test } from "vitest";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { lateSeconds } from "../../src/measure/late-seconds.ts";
import { TrafficSpecSchema } from "../../src/replay/traffic-spec.ts";
import { blockStoreOptions } from "../../src/run/load-session.ts";
import { createRoundLooks } from "../../src/run/looks.ts";
import { traffic } from "../support/judged-traffic.ts";
import { simulatedJob } from "../support/simulated-job.ts";

const DESIGN = { kind: "switchback", rounds: 8, secondsOn: 10, secondsOff: 10, settleSeconds: 2 } as const;
const ROUND = {
  before: { fromMs: 0, toMs: 10_000 },
  acting: { fromMs: 10_000, toMs: 11_000 },
  settling: { fromMs: 11_000, toMs: 13_000 },
  on: { fromMs: 13_000, toMs: 23_000 },
  undoing: { fromMs: 23_000, toMs: 24_000 },
  after: { fromMs: 26_000, toMs: 36_000 },
};

/** When a round that ended at 36 s is judged, if its last request has its outcome at `outcomeMs` and may take `timeoutMs`. */
async function judgedAtMs(outcomeMs: number, timeoutMs: number): Promise<number> {
  const job = simulatedJob({ seed: 1, plan: "scale-one", faults: [] });
  const { traffic: spec } = job.scenario;
  const mix = spec.mix.map((route) => ({ ...route, timeoutMs }));
  let nowMs = 36_000;
  const clock = {
    monotonicMs: () => nowMs,
    epochMs: () => nowMs,
    sleep: (durationMs: number) => {
      nowMs += durationMs;
      return Promise.resolve();
    },
  };
  let judgedMs = Number.NaN;
  const looks = createRoundLooks(
    {
      job: { ...job, scenario: { ...job.scenario, traffic: { ...spec, mix } } },
      signal: new AbortController().signal,
      log: { note: () => undefined },
      restarts: { services: () => [] },
      effects: { clock, observe: () => (judgedMs = nowMs) },
    },
    {
      store: createBlockStore({ routes: ["a"] }),
      phases: {},
      rounds: [ROUND],
      axisMs: () => nowMs,
      completeUntilMs: () => (nowMs >= outcomeMs ? 36_000 : 30_000),
    },
    DESIGN,
  );
  expect(await looks.isDecided()).toBe(false);
  return judgedMs;
}

test("a round is judged when its last request has its outcome, however long its time-out", async () => {
  expect(await judgedAtMs(36_000, 5000)).toBe(36_000);
  expect(await judgedAtMs(60_000, 30_000)).toBe(60_000);
});

test("a round whose outcomes never come is not waited for beyond the time-out", async () => {
  expect(await judgedAtMs(Number.POSITIVE_INFINITY, 30_000)).toBeLessThanOrEqual(36_000 + 31_000);
  expect(await judgedAtMs(Number.POSITIVE_INFINITY, 1000)).toBeLessThanOrEqual(36_000 + 11_000);
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
