import { describe, expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import { ProfileSchema } from "../../src/judge/profile.ts";
import { CALIBRATION_STAGES } from "../../src/report/calibration-event.ts";
import { type SimulatedCalibration, simulateCalibration } from "../support/simulated-calibration.ts";
import type { Fault } from "../support/simulated-faults.ts";

/** Nothing runs on, nothing waits, and every folder that was opened is gone. */
function expectClean(calibration: SimulatedCalibration, label: string): void {
  expect([...calibration.stage.things], `${label}: left running`).toEqual([]);
  expect(calibration.sleeping, `${label}: left ticking`).toBe(0);
  expect(calibration.scratches.removed, `${label}: folders left`).toBe(calibration.scratches.opened);
}

function codeOf({ end }: SimulatedCalibration): string {
  if (end.kind === "profile") return "profile";
  return end.error instanceof CanaryError ? end.error.code : String(end.error);
}

describe("calibrating twins that are alike", () => {
  test("learns every SLO from every round and leaves nothing", async () => {
    const calibration = await simulateCalibration({ seed: 3 });
    expectClean(calibration, "sound");
    expect(calibration.tornDown).toBe(4);
    if (calibration.end.kind === "error") throw calibration.end.error;
    const { profile } = calibration.end;
    expect(ProfileSchema.parse(profile)).toEqual(profile);
    expect(profile).toMatchObject({ rounds: 4, restarted: ["api", "worker"], mirror: { name: "shop" } });
    const [latency, errors, jobs] = profile.slos;
    expect(latency).toMatchObject({ kind: "learned", name: "latency", windows: { raised: 4, restarted: 4 } });
    expect(errors).toMatchObject({ kind: "learned", scale: "absolute", unit: "pp" });
    expect(jobs).toMatchObject({ kind: "learned", name: "jobs-done" });
    if (latency?.kind !== "learned") throw new Error("latency was not learned");
    // The simulated twins have no bias; ten seconds of noise bound it all the same.
    expect(latency.tau).toBeGreaterThanOrEqual(0.005);
    expect(latency.tau).toBeLessThan(0.1);
    expect(latency.ratePerSecond).toBeGreaterThan(50);
  });

  test("gives the same profile for the same seed, and sends other requests in every round", async () => {
    const [one, same] = await Promise.all([simulateCalibration({ seed: 5 }), simulateCalibration({ seed: 5 })]);
    expect(one.end).toEqual(same.end);
  });
});

describe("a calibration that is stopped", () => {
  test.each(CALIBRATION_STAGES)("in the second round at %s removes everything and learns nothing", async (stage) => {
    const calibration = await simulateCalibration({ seed: 1, stopAt: { round: 2, stage } });
    expectClean(calibration, stage);
    expect(codeOf(calibration)).toBe("ABORTED_BY_HUMAN");
    expect(calibration.events.some((event) => event.kind === "learned")).toBe(false);
  });
});

describe("a calibration on a bad day", () => {
  const days: readonly (readonly [string, Fault, string])[] = [
    ["the engine dies", { kind: "engine-dies", when: { kind: "instant", atMs: 20_000 } }, "MIRROR_UNAVAILABLE"],
    ["the twins cannot be raised", { kind: "raise-fails", atStep: 5 }, "MIRROR_UNAVAILABLE"],
    ["the driver dies", { kind: "driver-dies", when: { kind: "instant", atMs: 9_000 } }, "REPLAY_FAILED"],
    ["the driver does not start", { kind: "driver-does-not-start" }, "REPLAY_FAILED"],
    ["the driver is the bottleneck", { kind: "driver-bottleneck" }, "DRIVER_BOTTLENECK"],
    ["the twins cannot be removed", { kind: "teardown-fails" }, "profile"],
  ];
  test.each(days)("when %s ends in order and leaves nothing", async (day, fault, code) => {
    const calibration = await simulateCalibration({ seed: 2, faults: [fault] });
    expectClean(calibration, day);
    expect(codeOf(calibration)).toBe(code);
  });

  test("when a twin's metrics fall silent learns what it can and says what not", async () => {
    const silent: Fault = { kind: "telemetry-silent", role: "shadow" };
    const calibration = await simulateCalibration({ seed: 2, faults: [silent] });
    expectClean(calibration, "silent");
    if (calibration.end.kind === "error") throw calibration.end.error;
    const kinds = calibration.end.profile.slos.map(({ name, kind }) => [name, kind]);
    expect(kinds).toContainEqual(["latency", "learned"]);
    expect(kinds).toContainEqual(["jobs-done", "not-learned"]);
  });
});
