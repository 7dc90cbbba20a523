import { expect, test } from "vitest";
import { timePassed } from "../../src/gate/time-passed.ts";

test("time that passed stays passed, and goes on, whatever the wall clock is set back to", () => {
  const clock = { wallMs: 1_000_000, upMs: 5000 };
  const passed = timePassed({ epochMs: () => clock.wallMs, monotonicMs: () => clock.upMs });
  clock.upMs += 60_000;
  clock.wallMs -= 500_000;
  expect(passed()).toBe(1_060_000);
  clock.wallMs = 2_000_000;
  expect(passed()).toBe(2_000_000);
  clock.upMs += 1000;
  clock.wallMs = 0;
  expect(passed()).toBe(2_001_000);
});
