import { describe, expect, test } from "vitest";
import type { RunReport } from "../../src/report/run-report.ts";
import { profileFor, SIMULATED_NOISE } from "../support/profile-builder.ts";
import type { Fault } from "../support/simulated-faults.ts";
import { simulatedJob } from "../support/simulated-job.ts";
import { simulateRun } from "../support/simulated-run.ts";

// A plan whose words say nothing of a restart, as a request to an admin route may cause one (STATISTICS.md 3.2).
const RESTARTS = { kind: "plan-restarts", service: "api" } as const;
const { slos } = simulatedJob({ seed: 1, plan: "scale-one", faults: [] }).scenario;
const PROFILE = profileFor(slos, { createdEpochMs: Date.UTC(2026, 0, 1), learned: SIMULATED_NOISE });

async function reportOf(
  faults: readonly Fault[],
  more: Partial<Parameters<typeof simulateRun>[0]> = {},
): Promise<RunReport> {
  const { end } = await simulateRun({ seed: 1, faults, ...more });
  if (end.kind === "error") throw end.error;
  return end.report;
}

function settledMs({ traffic }: RunReport): number {
  const { acting, observing } = traffic.phases;
  return (observing?.fromMs ?? Number.NaN) - (acting?.toMs ?? Number.NaN);
}

describe("a plan that restarts a service without saying so", () => {
  test("is known from the quiet twin: settled as after a restart, and held where the bias is not calibrated", async () => {
    const report = await reportOf([RESTARTS]);
    expect(report.restarted).toEqual(["api"]);
    expect(report.verdict.kind).toBe("hold");
    expect(report.verdict.reasons.map(({ code }) => code)).toContain("BIAS_UNCALIBRATED");
    expect(settledMs(report)).toBeGreaterThanOrEqual(4000);
  });

  test("is forecast so before any traffic", async () => {
    const report = await reportOf([{ ...RESTARTS, proof: "quiet" }]);
    expect(report.power?.every(({ possible }) => !possible)).toBe(true);
  });

  test.each([
    ["at once", {}],
    ["while it settles", { afterMs: 1500 }],
    ["while it is observed", { afterMs: 12_000 }],
  ])("is held also when it does so only under load, %s", async (_, late) => {
    const report = await reportOf([{ ...RESTARTS, proof: "load", ...late }]);
    expect(report.restarted).toEqual(["api"]);
    expect(report.verdict.reasons.map(({ code }) => code)).toContain("BIAS_UNCALIBRATED");
  });

  test("settles again for a restart that shows while it settles", async () => {
    const report = await reportOf([{ ...RESTARTS, proof: "load", afterMs: 1500 }]);
    expect(settledMs(report)).toBeGreaterThanOrEqual(2000 + 4000);
  });

  test("is believed of a profile whose rounds restarted that service, and not of one whose rounds did not", async () => {
    expect((await reportOf([RESTARTS], { profile: PROFILE })).verdict.kind).toBe("promote");
    const others = { ...PROFILE, restarted: ["worker"] };
    const uncovered = await reportOf([RESTARTS], { profile: others });
    expect(uncovered.verdict.reasons.map(({ code }) => code)).toContain("BIAS_UNCALIBRATED");
  });
});

test("a service scaled up beside its old replicas is not restarted, and settles for the shorter time", async () => {
  const report = await reportOf([]);
  expect(report.restarted).toEqual([]);
  expect(report.verdict.kind).toBe("promote");
  expect(settledMs(report)).toBeLessThan(4000);
});

test("settling is never shorter after a restart than without one", async () => {
  const report = await reportOf([RESTARTS], { judge: { settleSeconds: 9, restartSettleSeconds: 4 } });
  expect(settledMs(report)).toBeGreaterThanOrEqual(9000);
});
