import { describe, expect, test } from "vitest";
import { harmAlarms } from "../../src/judge/work-reasons.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { admitJob } from "../../src/run/admit-job.ts";
import { evidenceOf, hopelessFromTheStart } from "../../src/run/evidence.ts";
import type { LoadEvidence } from "../../src/run/load-evidence.ts";
import { inForceWindows } from "../../src/run/round-evidence.ts";
import { workReasons } from "../../src/run/work-evidence.ts";
import { LIMITS } from "../judge/support/judged.ts";
import { traffic } from "../support/judged-traffic.ts";
import { ASKING } from "../support/shipped-policy.ts";
import { simulatedJob } from "../support/simulated-job.ts";
import { shopSpec, shopWorld } from "../support/simulated-shop.ts";
import { simulatedPair } from "../support/simulated-twin.ts";

const TIMEOUT = 2;
const DRIVER = {
  sent: 1,
  completed: 1,
  dropped: 0,
  sendLagMsP50: 0,
  sendLagMsP99: 0,
  sendLagMsMax: 0,
  priority: "normal",
  lateSlots: 0,
  bottleneck: { kind: "no" },
} as const;

/** A minute and a half of traffic in which the shadow answers nothing for some seconds. */
function storeWith(outage: { readonly fromMs: number; readonly toMs: number; readonly both?: true }) {
  const store = createBlockStore({ routes: ["browse", "search", "checkout"] });
  const errors = { control: 0.01, shadow: 0.01 };
  const batch = traffic({ seed: 3, ratePerSecond: 60, routes: 3, fromMs: 0, toMs: 90_000, errors });
  for (let i = 0; i < batch.size; i++) {
    const atMs = batch.intendedMs[i] ?? 0;
    if (atMs < outage.fromMs || atMs >= outage.toMs) continue;
    batch.arms.shadow.outcome[i] = TIMEOUT;
    if (outage.both === true) batch.arms.control.outcome[i] = TIMEOUT;
  }
  store.addPairs(batch);
  return store;
}

const WINDOW = { fromMs: 20_000, toMs: 60_000 };

describe("seconds of which no interval is made", () => {
  const job = simulatedJob({ seed: 1, plan: "scale-one", faults: [] });
  const silent = { ...job, plan: { ...job.plan, expects: [] } };
  const phases = {
    acting: { fromMs: 20_300, toMs: 22_100 },
    settling: { fromMs: 22_100, toMs: 37_100 },
    observing: { fromMs: 38_000, toMs: 60_000 },
    undoing: { fromMs: 61_000, toMs: 63_000 },
    recovery: { fromMs: 69_000, toMs: 85_000 },
  };
  // Requests that time out have failed, and have kept people waiting: both budgets are spent.
  const harm = ["EXCESS_ERRORS", "EXCESS_STALLS"];
  const codes = (outage: Parameters<typeof storeWith>[0]) =>
    workReasons(silent, { store: storeWith(outage), phases }).map((reason) => reason.code);

  test("a service that stops while the plan acts is harm, although the plan promised nothing for these seconds", () => {
    expect(codes({ fromMs: 21_000, toMs: 25_000 })).toEqual(harm);
  });
  test("so is one that stops while the plan settles, or is undone, or just after", () => {
    expect(codes({ fromMs: 30_000, toMs: 34_000 })).toEqual(harm);
    expect(codes({ fromMs: 61_500, toMs: 64_500 })).toEqual(["EXCESS_ERRORS"]);
    expect(codes({ fromMs: 64_500, toMs: 67_500 })).toEqual(["EXCESS_ERRORS"]);
  });
  test("nothing is said of a service that goes on, or that stops on both twins alike", () => {
    expect(codes({ fromMs: 0, toMs: 0 })).toEqual([]);
    expect(codes({ fromMs: 21_000, toMs: 25_000, both: true })).toEqual([]);
  });
});

test("work that shrinks a little in every round has shrunk, although no round alone shows it", () => {
  const rounds = Array.from({ length: 12 }, (_, round) => {
    const at = (fromS: number, toS: number) => ({
      fromMs: (round * 24 + fromS) * 1000,
      toMs: (round * 24 + toS) * 1000,
    });
    return {
      acting: at(10, 11),
      settling: at(11, 12),
      before: at(5, 10),
      on: at(12, 22),
      undoing: at(22, 23),
      after: at(24, 29),
    };
  });
  const lossy = (share: number) => {
    const store = createBlockStore({ routes: ["browse"] });
    const batch = traffic({ seed: 3, ratePerSecond: 100, routes: 1, fromMs: 0, toMs: 300_000 });
    const every = Math.round(1 / share);
    for (let i = 0; i < batch.size; i++) {
      const second = Math.floor((batch.intendedMs[i] ?? 0) / 1000) % 24;
      if (second >= 12 && second < 22 && i % every === 0) batch.arms.shadow.outcome[i] = TIMEOUT;
    }
    store.addPairs(batch);
    return store;
  };
  const job = simulatedJob({ seed: 1, plan: "scale-one", faults: [] });
  const shrunk = (share: number, some: typeof rounds) => {
    const { on, ...last } = some.at(-1) ?? { on: WINDOW };
    const session = { store: lossy(share), rounds: some, phases: { ...last, observing: on } };
    return workReasons(job, session).filter(({ code }) => code === "WORK_SHRANK");
  };
  for (const round of rounds) expect(shrunk(1 / 62, [round])).toEqual([]);
  expect(shrunk(1 / 62, rounds)).toMatchObject([{ code: "WORK_SHRANK", subject: "browse" }]);
  expect(shrunk(1 / 62, rounds)[0]?.message).toMatch(/ of 12000 requests, the control 12000 /);
  expect(shrunk(1 / 125, rounds)).toEqual([]);

  // An application that was cut short leaves the observation of the round before it among the phases.
  const [first] = rounds;
  const stale = { ...first, acting: { fromMs: 286_000, toMs: 287_000 }, observing: rounds[11]?.on ?? WINDOW };
  expect(inForceWindows({ store: lossy(1 / 62), rounds, phases: stale })).toEqual(rounds.map(({ on }) => on));
});

describe("the harm alarm", () => {
  test("does not depend on how long the plan settles", () => {
    const store = storeWith({ fromMs: 41_000, toMs: 45_000 });
    expect(harmAlarms(store, [{ fromMs: 0, toMs: 90_000 }], LIMITS)).toHaveLength(1);
    expect(harmAlarms(store, [WINDOW], LIMITS)[0]?.message).toMatch(/\d\d of \d{3} requests of/);
  });
  test("leaves a moment alone, and an empty window", () => {
    expect(harmAlarms(storeWith({ fromMs: 41_000, toMs: 41_400 }), [WINDOW], LIMITS)).toEqual([]);
    expect(harmAlarms(storeWith({ fromMs: 0, toMs: 0 }), [{ fromMs: 1e6, toMs: 1e6 }], LIMITS)).toEqual([]);
  });
  test("is seldom false: not in one of two hundred runs with one error in twenty requests on both twins", () => {
    let alarms = 0;
    for (let seed = 0; seed < 200; seed++) {
      const store = createBlockStore({ routes: ["a", "b"] });
      const errors = { control: 0.05, shadow: 0.05 };
      store.addPairs(traffic({ seed, ratePerSecond: 30, routes: 2, fromMs: 0, toMs: 40_000, errors }));
      alarms += harmAlarms(store, [{ fromMs: 0, toMs: 40_000 }], LIMITS).length;
    }
    expect(alarms).toBe(0);
  });
});

test("an action that had nothing to do under load was not rehearsed there, whatever the quiet twin showed", async () => {
  const job = simulatedJob({ seed: 1, plan: "scale-one", faults: [] });
  const load: LoadEvidence = {
    session: { store: storeWith({ fromMs: 0, toMs: 0 }), phases: { baseline: WINDOW, acting: WINDOW } },
    driver: DRIVER,
    slos: [],
    underpowered: [],
    replay: { acted: [], noOps: ["more-workers"], end: { kind: "done" } },
    rollback: { kind: "run", undoMs: 0, withinMs: 1, residue: [], notRecovered: [] },
    consequences: [],
    noise: [],
    brokenInvariants: [],
    trails: [],
  };
  const { gates } = evidenceOf({
    job,
    admission: await admitJob(job, { parseSql: ASKING.parse, policy: ASKING.policy }),
    pair: simulatedPair({ spec: shopSpec, world: shopWorld() }),
    quiet: { actions: [], residue: [] },
    hopeless: [],
    load,
    stubOnlyEffects: [],
  });
  expect(gates).toContainEqual(expect.objectContaining({ code: "NO_OP", subject: "more-workers" }));
});

test("an SLO that the sample rules put out of reach is told with the side and the rule that bind", () => {
  const job = simulatedJob({ seed: 1, plan: "scale-one", faults: [] });
  const judge = { ...job.scenario.judge, design: { kind: "before-after" as const }, baselineSecondsMax: 30 };
  const reasons = hopelessFromTheStart({ ...job, scenario: { ...job.scenario, judge } });
  expect(reasons.length).toBeGreaterThan(0);
  for (const { message } of reasons) {
    expect(message).toMatch(
      /requests a second \d+ blocks of \d+ s before the plan take .*; raise baselineSecondsMax to \d+/,
    );
  }
});
