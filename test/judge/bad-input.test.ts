import { describe, expect, test } from "vitest";
import { rateGate } from "../../src/judge/rate-gate.ts";
import { type BlockStore, createBlockStore } from "../../src/measure/block-store.ts";
import { OUTCOMES, type Outcome, type PairBatch } from "../../src/replay/recording.ts";
import { numberedStore, picked, type TrafficSettings, traffic } from "../support/judged-traffic.ts";
import { ERRORS, FOUR, P50, P95, slo, WINDOWS } from "./support/judged.ts";
import { refusedWith, wholeVerdict } from "./support/whole-verdict.ts";

// Whatever the data, the answer is defined, says why, and is not "promote". The plan of every row is harmless: each row
// would be promoted were it not for what is wrong with its data (the first test holds that up).

const RATE = 100;
/** A request five seconds after settling: within the window of every run, however early it is decided. */
const EARLY = 75 * RATE;

/** One minute before the plan, ten seconds of settling, one minute after it, twins alike; `spoil` edits the pairs. */
function run(spoil: (batch: PairBatch) => void = () => {}, settings: Partial<TrafficSettings> = {}): BlockStore {
  const store = createBlockStore({ routes: ["a", "b"] });
  const batch = traffic({
    seed: 1,
    ratePerSecond: RATE,
    fromMs: 0,
    toMs: 140_000,
    routes: 2,
    errors: { control: 0.002, shadow: 0.002 },
    ...settings,
  });
  spoil(batch);
  store.addPairs(batch);
  return store;
}

const isAfter = (batch: PairBatch, i: number): boolean => (batch.intendedMs[i] ?? 0) >= WINDOWS.after.fromMs;

/** Spoils every `step`-th pair after the plan. */
function someAfter(step: number, edit: (batch: PairBatch, i: number) => void): (batch: PairBatch) => void {
  return (batch) => {
    for (let i = 0; i < batch.size; i += step) if (isAfter(batch, i)) edit(batch, i);
  };
}

const answer = (role: "control" | "shadow", outcome: Outcome) => (batch: PairBatch, i: number) => {
  batch.arms[role].outcome[i] = OUTCOMES.indexOf(outcome);
};
const both = (outcome: Outcome) => (batch: PairBatch, i: number) => {
  answer("control", outcome)(batch, i);
  answer("shadow", outcome)(batch, i);
};

test("the same minute without anything wrong is promoted", () => {
  expect(wholeVerdict(run()).verdict.reasons.map((reason) => reason.code)).toEqual(["ALL_SHOWN"]);
});

describe("requests that can not be are not counted, and one of them spoils the recording", () => {
  test.each([
    ["a latency that is no number", Number.NaN],
    ["an infinite latency", Number.POSITIVE_INFINITY],
    ["a negative latency", -1],
    ["a negative infinite latency", Number.NEGATIVE_INFINITY],
  ])("%s holds", (_, latencyMs) => {
    for (const role of ["control", "shadow"] as const) {
      const spoiled = run((batch) => {
        batch.arms[role].latencyMs[EARLY] = latencyMs;
      });
      expect(refusedWith(spoiled)).toContain("NO_DATA");
    }
  });
  test.each([
    ["a latency that is no number", Number.NaN],
    ["an infinite latency", Number.POSITIVE_INFINITY],
    ["a negative latency", -1],
  ])("%s in every request of the shadow holds", (_, latencyMs) => {
    const spoiled = run(
      someAfter(1, (batch, i) => {
        batch.arms.shadow.latencyMs[i] = latencyMs;
      }),
    );
    expect(refusedWith(spoiled)).toEqual(["NO_DATA"]);
  });
  test.each([
    ["no number", Number.NaN],
    ["before the run", -1000],
    ["days after it", 1e12],
    ["never", Number.POSITIVE_INFINITY],
  ])("a request that was meant for %s holds, and does not make later ones look complete", (_, atMs) => {
    const store = run((batch) => {
      batch.intendedMs[EARLY] = atMs;
    });
    expect(refusedWith(store)).toContain("NO_DATA");
    expect(store.deliveredUntilMs()).toBe(139_990);
  });
  test("an outcome that no version knows holds", () => {
    const store = run((batch) => {
      batch.arms.shadow.outcome[EARLY] = 77;
    });
    expect(refusedWith(store)).toContain("NO_DATA");
  });
  test("a route that the recording does not name holds", () => {
    const store = run((batch) => {
      batch.route[EARLY] = 500;
    });
    expect(refusedWith(store)).toContain("NO_DATA");
  });
  test("a send lag that is no number counts as late", () => {
    const store = run(
      someAfter(2, (batch, i) => {
        batch.arms.shadow.sendLagMs[i] = Number.NaN;
      }),
    );
    expect(refusedWith(store)).toContain("NO_DATA");
  });
});

describe("requests that stand twice, are missing or go back in time spoil the recording", () => {
  test("the same requests delivered twice hold", () => {
    const store = run();
    store.addPairs(traffic({ seed: 1, ratePerSecond: RATE, fromMs: 0, toMs: 140_000, routes: 2 }));
    expect(refusedWith(store)).toEqual(["NO_DATA"]);
  });
  test("one number given to two requests holds", () => {
    const store = run((batch) => {
      batch.sequence[EARLY] = EARLY - 1;
    });
    expect(refusedWith(store)).toEqual(["NO_DATA"]);
  });
  test("a clock that steps back by five seconds holds", () => {
    const store = run((batch) => {
      for (let i = EARLY; i < batch.size; i++) batch.intendedMs[i] = (batch.intendedMs[i] ?? 0) - 5000;
    });
    expect(refusedWith(store)).toContain("NO_DATA");
  });
  test("a clock that steps forth by a minute holds", () => {
    const store = run((batch) => {
      for (let i = EARLY; i < batch.size; i++) batch.intendedMs[i] = (batch.intendedMs[i] ?? 0) + 60_000;
    });
    expect(refusedWith(store)).toContain("NO_DATA");
  });
  test("a request without an outcome holds, were it only one", () => {
    const whole = traffic({ seed: 1, ratePerSecond: RATE, fromMs: 0, toMs: 140_000, routes: 2 });
    const store = createBlockStore({ routes: ["a", "b"] });
    store.addPairs(picked(whole, (row) => row !== EARLY));
    expect(refusedWith(store)).toEqual(["NO_DATA"]);
  });
});

describe("nothing to judge is no reason to promote", () => {
  test("an empty recording holds", () => expect(refusedWith(createBlockStore({ routes: [] }))).toContain("NO_DATA"));
  test("an empty window after the plan holds", () => {
    expect(refusedWith(run(), { after: { fromMs: 70_000, toMs: 70_000 } })).toContain("NO_DATA");
  });
  test("an empty baseline holds", () => {
    expect(refusedWith(run(), { baseline: { fromMs: 10_000, toMs: 10_000 } })).toContain("NO_DATA");
  });
  test("windows that are no windows hold", () => {
    for (const baseline of [
      { fromMs: Number.NaN, toMs: Number.NaN },
      { fromMs: 60_000, toMs: 0 },
      { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.NEGATIVE_INFINITY },
      { fromMs: -60_000, toMs: 0 },
    ]) {
      expect(refusedWith(run(), { baseline })).toContain("NO_DATA");
    }
  });
  test("one block only holds", () => {
    expect(refusedWith(run(), { after: { fromMs: 70_000, toMs: 72_000 } })).toEqual(["UNDERPOWERED"]);
    expect(refusedWith(run(), { baseline: { fromMs: 0, toMs: 2000 } })).toEqual(["UNDERPOWERED"]);
  });
  test("no SLO holds", () => expect(refusedWith(run(), { slos: [] })).toEqual(["NO_DATA"]));
  test("traffic that stops after the plan holds", () => {
    const store = createBlockStore({ routes: ["a", "b"] });
    store.addPairs(traffic({ seed: 1, ratePerSecond: RATE, fromMs: 0, toMs: 72_000, routes: 2 }));
    expect(refusedWith(store)).toContain("NO_DATA");
  });
});

describe("a twin that is silent is seen", () => {
  test("a shadow that never answers is rejected", () => {
    expect(refusedWith(run(someAfter(1, answer("shadow", "timeout"))))).toContain("WORK_SHRANK");
  });
  test("a shadow whose requests were never sent is not promoted", () => {
    expect(refusedWith(run(someAfter(1, answer("shadow", "dropped"))))).toContain("ASYMMETRIC_LOSS");
  });
  test("a control that never answers holds", () => {
    expect(refusedWith(run(someAfter(1, answer("control", "connection-error"))))).toContain("ENVIRONMENT_UNSTABLE");
  });
  test("errors of all requests on both twins hold", () => {
    expect(refusedWith(run(someAfter(1, both("http-error"))))).toEqual(
      expect.arrayContaining(["NO_DATA", "ENVIRONMENT_UNSTABLE"]),
    );
  });
  test("errors of all requests on both twins at all times hold", () => {
    const store = run((batch) => {
      for (let i = 0; i < batch.size; i++) both("http-error")(batch, i);
    });
    expect(refusedWith(store)).toContain("ENVIRONMENT_UNSTABLE");
  });
});

describe("rates that change ten-fold", () => {
  const changed = (before: number, after: number): BlockStore => {
    const store = numberedStore({ routes: ["a"] });
    const errors = { control: 0.002, shadow: 0.002 };
    store.addPairs(traffic({ seed: 1, ratePerSecond: before, fromMs: 0, toMs: 60_000, errors }));
    store.addPairs(traffic({ seed: 2, ratePerSecond: after, fromMs: 60_000, toMs: 140_000, errors }));
    return store;
  };
  test.each([
    ["up", 50, 500],
    ["down", 500, 50],
  ])("%s hold, however well the twins agree: one load says nothing of the other", (_, before, after) => {
    for (const slos of [[P50], FOUR]) {
      expect(refusedWith(changed(before, after), { slos })).toContain("ENVIRONMENT_UNSTABLE");
    }
  });
  test("down leave too few requests beyond a quantile as well", () => {
    expect(refusedWith(changed(50, 5))).toContain("UNDERPOWERED");
  });
  test("up over a baseline that is too thin hold for that too", () => {
    expect(refusedWith(changed(3, 30))).toContain("UNDERPOWERED");
  });
});

test("a handful of requests may come as they like: four times as many of six say nothing", () => {
  const rates = (before: number, after: number) => {
    const store = numberedStore({ routes: ["a"] });
    store.addPairs(traffic({ seed: 1, ratePerSecond: before, ...WINDOWS.baseline }));
    store.addPairs(traffic({ seed: 2, ratePerSecond: after, ...WINDOWS.after }));
    return rateGate(store, { without: [WINDOWS.baseline], with: [WINDOWS.after] });
  };
  expect(rates(0.1, 0.4)).toEqual([]);
  expect(rates(10, 40)).toMatchObject([{ code: "ENVIRONMENT_UNSTABLE" }]);
});

test("traffic that ebbs to two thirds is judged as ever", () => {
  const store = numberedStore({ routes: ["a"] });
  const errors = { control: 0.002, shadow: 0.002 };
  store.addPairs(traffic({ seed: 3, ratePerSecond: 150, fromMs: 0, toMs: 60_000, errors }));
  store.addPairs(traffic({ seed: 4, ratePerSecond: 100, fromMs: 60_000, toMs: 140_000, errors }));
  const slos = [P50, P95, ERRORS];
  expect(wholeVerdict(store, { slos }).verdict.reasons.map((reason) => reason.code)).toEqual(["ALL_SHOWN"]);
});

describe("values that never change", () => {
  const still = (batch: PairBatch): void => {
    for (const role of ["control", "shadow"] as const) batch.arms[role].latencyMs.fill(20);
  };
  test("of a latency hold, as if the measurement had stopped", () => {
    expect(refusedWith(run(still), { slos: [P50] })).toEqual(["NO_DATA"]);
  });
  test("of a latency that jumps with the plan are rejected all the same", () => {
    const store = run((batch) => {
      still(batch);
      for (let i = 0; i < batch.size; i++) if (isAfter(batch, i)) batch.arms.shadow.latencyMs[i] = 40;
    });
    expect(refusedWith(store, { slos: [P50] })).toEqual(["SLO_OUTSIDE_RANGE"]);
  });
  test("of a latency of zero hold", () => {
    const zero = run((batch) => {
      for (const role of ["control", "shadow"] as const) batch.arms[role].latencyMs.fill(0);
    });
    expect(refusedWith(zero, { slos: [P50] })).toEqual(["NO_DATA"]);
  });
  test("no error on either twin needs as many clean pairs as the margin asks for", () => {
    const clean = run(() => {}, { errors: { control: 0, shadow: 0 } });
    const tight = slo({ name: "errors", measure: { kind: "errors" }, limit: { to: "+0.1pp" } });
    expect(refusedWith(clean, { slos: [tight] })).toEqual(["UNDERPOWERED"]);
    expect(wholeVerdict(clean, { slos: [ERRORS] }).verdict.kind).toBe("promote");
  });
});
