import { describe, expect, test } from "vitest";
import type { LearnedSlo, Profile } from "../../src/judge/profile.ts";
import { ProfileSchema } from "../../src/judge/profile.ts";
import { profileFor, SIMULATED_NOISE } from "../support/profile-builder.ts";
import { simulateCalibration } from "../support/simulated-calibration.ts";
import { simulatedJob } from "../support/simulated-job.ts";
import { type SimulatedRun, simulateRun } from "../support/simulated-run.ts";
import { expectSoundRun, notesOf } from "./sound-run.ts";

const CREATED_EPOCH_MS = Date.UTC(2026, 0, 1);
const { slos } = simulatedJob({ seed: 1, plan: "change-settings", faults: [] }).scenario;
const made = (learned: Partial<LearnedSlo>, changes: Partial<Profile> = {}): Profile =>
  profileFor(slos, { createdEpochMs: CREATED_EPOCH_MS, learned: { ...SIMULATED_NOISE, ...learned }, changes });

function codesOf({ end }: SimulatedRun): readonly string[] {
  if (end.kind === "error") throw end.error;
  return end.report.verdict.reasons.map(({ code }) => code);
}

describe("a plan that replaces a process", () => {
  test("is held for want of calibration without a profile", async () => {
    const run = await simulateRun({ seed: 7, plan: "change-settings" });
    expectSoundRun(run, "no profile");
    expect(codesOf(run)).toContain("BIAS_UNCALIBRATED");
  });

  test("is judged with one: every SLO passes, and the report names the profile", async () => {
    const run = await simulateRun({ seed: 7, plan: "change-settings", profile: made({}) });
    expectSoundRun(run, "profile");
    if (run.end.kind === "error") throw run.end.error;
    const { report } = run.end;
    expect(report.slos.map(({ name, state }) => [name, state])).toEqual(slos.map(({ name }) => [name, "pass"]));
    // What is left is what no profile could show: snapshots of a tier 3 plan.
    expect(codesOf(run)).toEqual(["ALL_SHOWN", "ALL_SHOWN"]);
    expect(report.profile).toMatchObject({ sha256: "c".repeat(64), rounds: 8, name: expect.stringMatching(/^shop-/) });
    for (const slo of report.slos) expect(slo.derivation?.bias).toMatchObject({ calibrated: true });
  });

  test("is still rejected when it harms", async () => {
    const slow = { kind: "plan-slows", share: 0.9 } as const;
    const run = await simulateRun({ seed: 7, plan: "change-settings", profile: made({}), faults: [slow] });
    if (run.end.kind === "error") throw run.end.error;
    expect(run.end.report.verdict.kind).toBe("reject");
  });

  test("stays uncalibrated when the profile's rounds did not restart that service", async () => {
    const run = await simulateRun({ seed: 7, plan: "change-settings", profile: made({}, { restarted: ["worker"] }) });
    expect(codesOf(run)).toContain("BIAS_UNCALIBRATED");
  });

  test("is not promoted by a restart whose bias may be larger than the margin", async () => {
    const run = await simulateRun({ seed: 7, plan: "change-settings", profile: made({ restartSd: 0.2, tau: 0.2 }) });
    if (run.end.kind === "error") throw run.end.error;
    expect(run.end.report.verdict.kind).toBe("hold");
    expect(codesOf(run)).toContain("UNDERPOWERED");
  });
});

test("a profile of a quieter hour is told not to be believed, SLO by SLO, and one that fits is not spoken of", async () => {
  const notesWith = async (profile: Profile): Promise<readonly string[]> => {
    const run = await simulateRun({ seed: 7, plan: "scale-two", profile });
    return notesOf(run).filter((note) => note.includes("believed"));
  };
  const calm = SIMULATED_NOISE.blocks.map((block) => ({ ...block, sd: block.sd / 100 }));
  expect(await notesWith(made({ blocks: calm }))).toContain(
    "the calibration of latency is not believed: the baseline of this run is noisier than the calibration was",
  );
  expect(await notesWith(made({}))).toEqual([]);
});

test("what a calibration learned is what a run believes, bias and noise of the same simulated world", async () => {
  const { end } = await simulateCalibration({ seed: 11, size: { rounds: 8, seconds: 20 } });
  if (end.kind === "error") throw end.error;
  const run = await simulateRun({ seed: 12, profile: ProfileSchema.parse(end.profile) });
  expectSoundRun(run, "calibrated");
  expect(codesOf(run)).toEqual(["ALL_SHOWN"]);
});
