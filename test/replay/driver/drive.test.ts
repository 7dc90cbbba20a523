import fc from "fast-check";
import { expect, test } from "vitest";
import { ROLES, type Role } from "../../../src/mirror/twin.ts";
import { type Drive, startDrive } from "../../../src/replay/driver/drive.ts";
import type { DriverClock } from "../../../src/replay/driver/driver-clock.ts";
import { driverHealth } from "../../../src/replay/driver/driver-health.ts";
import type { Flight, Lane } from "../../../src/replay/driver/flight.ts";
import { outcomeOf, type PairSlot } from "../../../src/replay/driver/pair-slot.ts";
import type { HttpMessage } from "../../../src/replay/traffic/compile-call.ts";
import { planTraffic } from "../../../src/replay/traffic/traffic-plan.ts";
import { TrafficSpecSchema } from "../../../src/replay/traffic-spec.ts";

interface World {
  readonly drive: Drive;
  readonly finished: PairSlot[];
  readonly sent: { readonly role: Role; readonly flight: Flight }[];
  readonly report: () => ReturnType<ReturnType<typeof driverHealth>["report"]>;
  /** Time passes; the wake-up rings on the way unless the process is stalled. */
  pass(durationMs: number, how?: "stalled"): void;
}

/** A drive whose time is moved by hand and whose twins answer when the test says so. */
function world(traffic: object, seed = 1): World {
  let nowMs = 0;
  let alarm = { atMs: Number.POSITIVE_INFINITY, wake: (): void => undefined };
  const clock: DriverClock = {
    nowMs: () => nowMs,
    wakeAt: (atMs, wake) => {
      alarm = { atMs, wake };
    },
    every: () => () => undefined,
    cpuMs: () => 0,
  };
  const sent: World["sent"] = [];
  const finished: PairSlot[] = [];
  const lane = (role: Role): Lane<HttpMessage> => ({
    send: (_message, flight) => {
      sent.push({ role, flight });
      return () => undefined;
    },
    close: async () => undefined,
  });
  const health = driverHealth();
  const spec = TrafficSpecSchema.parse({
    mix: [{ route: "a", weight: 1, http: { path: "/" } }],
    arrivals: { kind: "constant" },
    ...traffic,
  });
  const drive = startDrive({
    plan: planTraffic(spec, []),
    seed,
    lanes: { control: { http: lane("control") }, shadow: { http: lane("shadow") } },
    clock,
    health,
    writer: { append: (slot) => finished.push(slot), flush: async () => 0, end: async () => 0 },
    startMs: 0,
  });
  return {
    drive,
    finished,
    sent,
    report: () => health.report("normal"),
    pass: (durationMs, how) => {
      const untilMs = nowMs + durationMs;
      while (how !== "stalled" && alarm.atMs <= untilMs) {
        nowMs = Math.max(nowMs, alarm.atMs);
        const { wake } = alarm;
        alarm = { atMs: Number.POSITIVE_INFINITY, wake: () => undefined };
        wake();
      }
      nowMs = untilMs;
      drive.expire();
    },
  };
}

function answerAll(sent: World["sent"], role?: Role): void {
  for (const { role: at, flight } of sent) {
    if (role === undefined || role === at) flight.land({ kind: "answer", status: 200, ok: true });
  }
}

test("requests leave at their instants whether or not earlier ones were answered", () => {
  const { sent, pass } = world({ ratePerSecond: 100 });
  pass(105);
  expect(sent.map(({ flight }) => flight.sentMs)).toEqual(
    [10, 20, 30, 40, 50, 60, 70, 80, 90, 100].flatMap((atMs) => [atMs, atMs]),
  );
});

test("what a stall of the driver delayed is sent at once after it, and its latency counts from when it was due", () => {
  const { sent, finished, pass, report } = world({ ratePerSecond: 100 });
  pass(55, "stalled");
  pass(0);
  expect(sent).toHaveLength(10);
  pass(5, "stalled");
  answerAll(sent);
  expect(finished.map((slot) => slot.arms.shadow.sendLagMs)).toEqual([45, 35, 25, 15, 5]);
  expect(finished.map((slot) => slot.arms.shadow.serviceMs)).toEqual([5, 5, 5, 5, 5]);
  expect(report().bottleneck).toMatchObject({ kind: "yes" });
});

test("a stalled twin's time-outs and drops never make the driver a bottleneck", () => {
  const { sent, finished, pass, report } = world({ ratePerSecond: 100, inFlightMax: 30 });
  let handled = 0;
  for (let step = 0; step < 3000; step++) {
    pass(5);
    answerAll(sent.slice(handled), "control");
    handled = sent.length;
  }
  const shadows = finished.map((slot) => slot.arms.shadow.outcome);
  expect(new Set(shadows)).toEqual(new Set(["timeout", "dropped"]));
  expect(new Set(finished.map((slot) => slot.arms.control.outcome))).toEqual(new Set(["ok"]));
  expect(report()).toMatchObject({
    dropped: expect.toSatisfy((count: number) => count > 500),
    bottleneck: { kind: "no" },
  });
});

test("the order of the twins is drawn from the seed, about as often either way", () => {
  const orders = (seed: number): readonly Role[] => {
    const { sent, pass } = world({ ratePerSecond: 1000 }, seed);
    pass(1000);
    return sent.filter((_, index) => index % 2 === 0).map(({ role }) => role);
  };
  expect(orders(5)).toEqual(orders(5));
  expect(orders(6)).not.toEqual(orders(5));
  const first = orders(7).filter((role) => role === "control").length;
  expect(first).toBeGreaterThan(430);
  expect(first).toBeLessThan(570);
});

test("a twin that does not answer has a time-out, once, even if its answer comes after all", () => {
  const { sent, finished, pass } = world({
    ratePerSecond: 100,
    mix: [{ route: "a", weight: 1, timeoutMs: 50, http: { path: "/" } }],
  });
  pass(10);
  answerAll(sent, "control");
  const late = sent.slice();
  pass(51);
  answerAll(late, "shadow");
  expect(finished).toHaveLength(1);
  expect(finished[0]?.arms.control.outcome).toBe("ok");
  expect(finished[0]?.arms.shadow).toMatchObject({ outcome: "timeout", serviceMs: 50, status: 0 });
});

test("an answer that took longer than the time-out is one, even if nobody looked in between", () => {
  expect(outcomeOf({ kind: "answer", status: 200, ok: true }, 50, 50)).toBe("ok");
  expect(outcomeOf({ kind: "answer", status: 200, ok: true }, 50.1, 50)).toBe("timeout");
});

test("whatever the twins do, every request sent has exactly one outcome per twin at the barrier", async () => {
  const behaviours = fc.array(fc.constantFrom("answer", "error", "reset", "silent", "unsendable"), {
    minLength: 1,
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(fc.nat(), behaviours, fc.constantFrom(0, 3), async (seed, list, staggerMs) => {
      const traffic = {
        ratePerSecond: 500,
        staggerMs,
        inFlightMax: 9,
        mix: [{ route: "a", weight: 1, timeoutMs: 40, http: { path: "/" } }],
      };
      const { drive, sent, finished, pass } = world(traffic, seed);
      let handled = 0;
      for (let step = 0; step < 40; step++) {
        pass(5);
        for (; handled < sent.length - 3; handled++) land(sent[handled]?.flight, list[handled % list.length]);
      }
      const barrier = drive.pause();
      pass(200);
      await barrier;
      const pairs = finished.length;
      const sentAtBarrier = sent.length;
      expect(finished.map((slot) => slot.sequence).toSorted((a, b) => a - b)).toEqual(
        finished.map((_, index) => index),
      );
      expect(finished.every((slot) => slot.openArms === 0)).toBe(true);
      pass(300);
      expect(finished).toHaveLength(pairs);
      drive.resume();
      pass(100);
      expect(sent.length).toBeGreaterThan(sentAtBarrier);
      for (const role of ROLES)
        for (const slot of finished) expect(slot.arms[role].sendLagMs).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 60 },
  );
});

function land(flight: Flight | undefined, behaviour: string | undefined): void {
  if (behaviour === "answer") flight?.land({ kind: "answer", status: 200, ok: true });
  if (behaviour === "error") flight?.land({ kind: "answer", status: 500, ok: false });
  if (behaviour === "reset") flight?.land({ kind: "no-answer", cause: "connection" });
  if (behaviour === "unsendable") flight?.land({ kind: "unsendable" });
}

test("pairs that wait for more than a second are told by who owes the answer, route and second", () => {
  const { drive, sent, pass } = world({ ratePerSecond: 10 });
  pass(1900);
  // Of the first second's nine pairs the control answers five.
  for (const { role, flight } of sent) {
    if (role === "control" && flight.slot.sequence < 5) flight.land({ kind: "answer", status: 200, ok: true });
  }
  pass(95);
  expect(drive.beat().overdue).toEqual([{ route: 0, intendedFromMs: 0, control: 0, shadow: 5, both: 4 }]);
  answerAll(sent);
  expect(drive.beat().overdue).toBeUndefined();
});
