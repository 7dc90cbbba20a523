import fc from "fast-check";
import { expect, test } from "vitest";
import { type DriverHealth, driverHealth } from "../../../src/replay/driver/driver-health.ts";
import { histogram } from "../../../src/replay/driver/histogram.ts";

/** Seconds of 100 requests each, of which `late` leave 30 ms late. */
function seconds(health: DriverHealth, fromSecond: number, count: number, late: number): void {
  for (let second = fromSecond; second < fromSecond + count; second++) {
    for (let request = 0; request < 100; request++)
      health.sent(second * 1000 + request * 10, request < late ? 30 : 0.2);
  }
}

function check(prepare: (health: DriverHealth) => void, why: RegExp | undefined): void {
  const health = driverHealth();
  prepare(health);
  const { bottleneck } = health.report("nice");
  if (why === undefined) expect(bottleneck).toEqual({ kind: "no" });
  else expect(bottleneck).toMatchObject({ kind: "yes", why: expect.stringMatching(why) });
}

test("a driver that is on time is no bottleneck", () => check((health) => seconds(health, 0, 40, 1), undefined));
test("a machine that pauses in one second of five costs blocks, not the run", () => {
  check((health) => {
    seconds(health, 0, 16, 0);
    seconds(health, 16, 4, 2);
  }, undefined);
});
test("more than 20% of late seconds are a bottleneck, and the share is told", () => {
  check((health) => {
    seconds(health, 0, 15, 0);
    seconds(health, 15, 5, 2);
  }, /25\.0% of all seconds/);
});
test("more than one request in a hundred late over the whole run is a bottleneck, however few the seconds", () => {
  check((health) => {
    seconds(health, 0, 38, 0);
    seconds(health, 38, 2, 100);
  }, /over 10 ms late/);
});
test("drops while the driver kept its schedule are the twin's", () => {
  check((health) => {
    seconds(health, 0, 30, 0);
    for (let drop = 0; drop < 500; drop++) health.dropped(29_500);
  }, undefined);
});
test("drops in a second in which the driver was late are its own", () => {
  check((health) => {
    seconds(health, 0, 40, 0);
    seconds(health, 40, 1, 5);
    health.dropped(40_500);
    seconds(health, 41, 1, 0);
  }, /1 requests were dropped/);
});
test("a machine without free sockets is a bottleneck", () => {
  check((health) => {
    seconds(health, 0, 40, 0);
    health.noSocket();
  }, /no free socket/);
});
test("a thread with nothing to spare is a bottleneck", () => {
  check((health) => {
    seconds(health, 0, 40, 0);
    for (let reading = 0; reading < 40; reading++) health.cpuShare(reading < 4 ? 0.99 : 0.5);
  }, /busy in 10\.0%/);
});
test("a driver that never sent anything reports noughts and no bottleneck", () => {
  expect(driverHealth().report("normal")).toEqual({
    sent: 0,
    completed: 0,
    dropped: 0,
    sendLagMsP50: 0,
    sendLagMsP99: 0,
    sendLagMsMax: 0,
    priority: "normal",
    lateSlots: 0,
    bottleneck: { kind: "no" },
  });
});

test("a histogram's quantiles are those of the sorted list within 1.1%", () => {
  const values = fc.array(fc.double({ min: 0.002, max: 200_000, noNaN: true }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (durations, q) => {
      const counted = histogram();
      for (const duration of durations) counted.add(duration);
      const sorted = durations.toSorted((a, b) => a - b);
      const exact = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
      expect(counted.quantile(q) / exact).toBeGreaterThanOrEqual(1 - 1e-9);
      expect(counted.quantile(q) / exact).toBeLessThan(1.011);
    }),
  );
});
