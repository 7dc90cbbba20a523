import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeRange } from "../../src/core/delta-range.ts";
import { passingRange } from "../../src/judge/passing-margin.ts";
import type { ReasonCode, SloJudgement } from "../../src/judge/verdict.ts";
import { rejudge } from "../../src/run/rejudge.ts";
import { profileFor, SIMULATED_NOISE } from "../support/profile-builder.ts";
import type { Fault } from "../support/simulated-faults.ts";
import { simulatedJob } from "../support/simulated-job.ts";
import { simulateRun } from "../support/simulated-run.ts";
import { type StoredQuestion, storeRun } from "../support/stored-run-folder.ts";

let runDir: string;
beforeEach(async () => {
  runDir = await mkdtemp(join(tmpdir(), "canary-rejudge-simulated-"));
});
afterEach(() => rm(runDir, { recursive: true }));

interface World extends StoredQuestion {
  readonly name: string;
  /** First reason of its verdict: the world is what its name says. */
  readonly ends: ReasonCode;
  readonly faults?: readonly Fault[];
  readonly proveSensitivity?: true;
}

const ROUNDS = { kind: "switchback", rounds: 12, secondsOn: 10, secondsOff: 10, settleSeconds: 2 };
const { slos } = simulatedJob({ seed: 1, plan: "change-settings", faults: [] }).scenario;
const PROFILE = profileFor(slos, { createdEpochMs: Date.UTC(2026, 0, 1), learned: SIMULATED_NOISE });
const one = { plan: "scale-one" } as const;

const WORLDS: readonly World[] = [
  { name: "a sound run", ends: "ALL_SHOWN", seed: 1, ...one },
  { name: "a run of two actions", ends: "ALL_SHOWN", seed: 2, plan: "scale-two" },
  {
    name: "a run of which the plan slows the service",
    ends: "HARM_ALARM",
    seed: 3,
    ...one,
    faults: [{ kind: "plan-slows", share: 0.6 }],
  },
  {
    name: "a run that gets slow later",
    ends: "HARM_ALARM",
    seed: 3,
    ...one,
    faults: [{ kind: "plan-slows-later", share: 0.5, afterMs: 8000 }],
  },
  {
    name: "a run that is neither good nor bad",
    ends: "UNDERPOWERED",
    seed: 4,
    ...one,
    faults: [{ kind: "plan-slows", share: 0.24 }],
  },
  {
    name: "a run of which the plan breaks requests",
    ends: "HARM_ALARM",
    seed: 7,
    ...one,
    faults: [{ kind: "plan-breaks", share: 0.2 }],
  },
  { name: "a run whose baseline is too noisy", ends: "UNDERPOWERED", seed: 5, ...one, judge: { alpha: 0.0001 } },
  { name: "a run whose twin stops answering", ends: "HARM_ALARM", seed: 8, ...one, faults: [{ kind: "plan-stalls" }] },
  {
    name: "a run whose shadow loses requests",
    ends: "UNDERPOWERED",
    seed: 9,
    ...one,
    faults: [{ kind: "shadow-loses-requests", share: 0.2 }],
  },
  {
    name: "a run without telemetry of a twin",
    ends: "UNDERPOWERED",
    seed: 10,
    ...one,
    faults: [{ kind: "telemetry-silent", role: "shadow" }],
  },
  {
    name: "a run whose action fails",
    ends: "ACTION_FAILED",
    seed: 11,
    ...one,
    faults: [{ kind: "act-does-not-land", proof: "load" }],
  },
  {
    name: "a run that breaks an invariant",
    ends: "INVARIANT_BROKEN",
    seed: 12,
    ...one,
    faults: [{ kind: "plan-breaks-invariant" }],
  },
  {
    name: "a run of which only a stub heard",
    ends: "REQUESTED_NOT_PROVEN",
    seed: 13,
    ...one,
    faults: [{ kind: "plan-calls-stub" }],
  },
  { name: "a run whose plan restarts a process", ends: "BIAS_UNCALIBRATED", seed: 6, plan: "change-settings" },
  {
    name: "a run that restarts a process without saying so",
    ends: "BIAS_UNCALIBRATED",
    seed: 1,
    ...one,
    faults: [{ kind: "plan-restarts", service: "api" }],
  },
  {
    name: "a run that restarts a process only under load",
    ends: "BIAS_UNCALIBRATED",
    seed: 1,
    ...one,
    faults: [{ kind: "plan-restarts", service: "api", proof: "load", afterMs: 12_000 }],
  },
  {
    name: "a run with a calibration profile",
    ends: "ALL_SHOWN",
    seed: 6,
    plan: "change-settings",
    profile: PROFILE,
  },
  {
    name: "a run that changes answers",
    ends: "RESPONSE_CHANGED",
    seed: 1,
    ...one,
    faults: [{ kind: "plan-changes-answers", share: 1 }],
  },
  {
    name: "a run that changes answers as declared",
    ends: "ALL_SHOWN",
    seed: 1,
    ...one,
    declared: ["response/*/body/price"],
    mayChange: ["response/**"],
    faults: [{ kind: "plan-changes-answers", share: 1 }],
  },
  { name: "a run in rounds", ends: "ALL_SHOWN", seed: 5, ...one, judge: { design: ROUNDS } },
  {
    name: "a run in rounds that harms",
    ends: "HARM_ALARM",
    seed: 6,
    ...one,
    judge: { design: ROUNDS },
    faults: [{ kind: "plan-slows", share: 0.4 }],
  },
  { name: "a run with planted harm", ends: "ALL_SHOWN", seed: 1, ...one, proveSensitivity: true },
  {
    name: "a run blind to planted harm",
    ends: "SENSITIVITY_NOT_SHOWN",
    seed: 1,
    ...one,
    proveSensitivity: true,
    faults: [{ kind: "blind", to: "requests" }],
  },
];

async function stored({
  name: _,
  ends: __,
  proveSensitivity,
  faults = [],
  ...asked
}: World): Promise<Record<string, unknown>> {
  const planted = proveSensitivity === undefined ? {} : { proveSensitivity };
  await storeRun(await simulateRun({ ...asked, ...planted, faults }), runDir, asked);
  return JSON.parse(await readFile(join(runDir, "report.json"), "utf8"));
}

/** As it would stand in a file: infinite bounds are null there. */
function written(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe.each(WORLDS)("$name", (world) => {
  test("judged again gives the judgements, the verdict and the explanation of its report, and the same bytes each time", async () => {
    const report = await stored(world);
    const [once, again] = [await rejudge(runDir), await rejudge(runDir)];
    expect(JSON.stringify(once)).toBe(JSON.stringify(again));
    expect(written(once.slos)).toEqual(report["slos"]);
    expect(written(once.verdict)).toEqual(report["verdict"]);
    expect(written(once.explanation)).toEqual(report["explanation"]);
    expect(written(once.responses ?? null)).toEqual(report["responses"] ?? null);
    expect(once.changes).toEqual([]);
    expect(once.verdict.reasons[0].code).toBe(world.ends);
  });
});

const SOUND: World = { name: "", ends: "ALL_SHOWN", seed: 1, plan: "scale-one" };

test("a what-if names every term that changed, keeps what was stored, and judges by the new terms", async () => {
  await stored(SOUND);
  const changed = await rejudge(runDir, { set: ["alpha=0.005", "blockSeconds=10"], slo: ["latency=-50%"] });
  expect(changed.changes).toEqual([
    { what: "alpha", was: "0.01", now: "0.005" },
    { what: "blockSeconds", was: "2", now: "10" },
    { what: "latency", was: "+25% or less", now: "-50% or less" },
  ]);
  expect(changed.stored.verdict.kind).toBe("promote");
  expect(changed.verdict.kind).not.toBe("promote");
  expect(changed.slos.map((slo) => slo.blocks.blockMs)).toEqual([10_000, 10_000, 10_000]);
  expect(changed.slos.map((slo) => slo.interval.level)).toEqual([0.99, 0.99, 0.99]);
});

test("a report from before restarts were witnessed is judged by the words of its plan", async () => {
  const report = await stored({ ...SOUND, faults: [{ kind: "plan-restarts", service: "api" }] });
  const { restarted, ...old } = report;
  expect(restarted).toEqual(["api"]);
  await rm(join(runDir, "verdict.sigstore.json"));
  await writeFile(join(runDir, "report.json"), JSON.stringify(old));
  expect((await rejudge(runDir)).verdict.reasons.map(({ code }) => code)).not.toContain("BIAS_UNCALIBRATED");
});

test("the margin that would have passed does pass, and the next narrower one does not", async () => {
  await stored({ ...SOUND, seed: 4, faults: [{ kind: "plan-slows", share: 0.24 }] });
  const before = latencyOf((await rejudge(runDir)).slos);
  const range = passingRange(before, 0.01);
  expect(range).toBeDefined();
  if (range === undefined) return;
  const asked = describeRange(range).replace(" or less", "");
  const wide = await rejudge(runDir, { set: [], slo: [`latency<=${asked}`] });
  expect(latencyOf(wide.slos).state).toBe("pass");
  const narrow = await rejudge(runDir, { set: [], slo: [`latency<=+${((range.hi - 0.001) * 100).toFixed(1)}%`] });
  expect(latencyOf(narrow.slos).state).not.toBe("pass");
});

function latencyOf(slos: readonly SloJudgement[]): SloJudgement {
  const found = slos.find((slo) => slo.name === "latency");
  if (found === undefined) throw new Error("latency was not judged");
  return found;
}

test("a shorter observation uses the beginning of the recording, a longer settling its end", async () => {
  await stored(SOUND);
  const [full, cut] = [await rejudge(runDir), await rejudge(runDir, { set: ["observeSecondsMax=15"], slo: [] })];
  for (const [i, slo] of cut.slos.entries()) expect(slo.blocks.after).toBeLessThan(full.slos[i]?.blocks.after ?? 0);
  expect(cut.slos.map((slo) => slo.blocks.before)).toEqual(full.slos.map((slo) => slo.blocks.before));
  const settled = await rejudge(runDir, { set: ["settleSeconds=10"], slo: [] });
  for (const [i, slo] of settled.slos.entries()) expect(slo.blocks.after).toBeLessThan(full.slos[i]?.blocks.after ?? 0);
});

test.each([
  [["latency=+10pp"], [], "USAGE"],
  [["nobody=+10%"], [], "USAGE"],
  [["latency"], [], "USAGE"],
  [["latency=10 percent"], [], "USAGE"],
  [["errors=+10%"], [], "USAGE"],
  [[], ["alpha=0.5"], "USAGE"],
  [[], ["minBlocksBefore=3"], "USAGE"],
  [[], ["nothing=1"], "USAGE"],
  [[], ["__proto__=1"], "USAGE"],
  [["jobs-done<=+10%"], [], "USAGE"],
  [[], ["baselineSeconds=100"], "USAGE"],
] as const)("limits %j with settings %j are refused with %s", async (slo, set, code) => {
  await stored(SOUND);
  await expect(rejudge(runDir, { slo, set })).rejects.toMatchObject({ code });
});

test("a run that ended without an answer says so instead of failing on a missing file", async () => {
  await writeFile(join(runDir, "intent.jsonl"), '{"sequence":0,"kind":"run"}\n');
  await expect(rejudge(runDir)).rejects.toMatchObject({
    code: "RECORDING_INVALID",
    message: expect.stringContaining("ended without an answer"),
  });
});

test("a report without its recording can not be judged again, and says that the recording is gone", async () => {
  await stored(SOUND);
  await rm(join(runDir, "recording"), { recursive: true });
  await expect(rejudge(runDir)).rejects.toMatchObject({
    code: "RECORDING_INVALID",
    message: expect.stringContaining("recording of the run is gone"),
  });
});

test("a folder that is no run says so", async () => {
  await expect(rejudge(runDir)).rejects.toMatchObject({ message: expect.stringContaining("is no folder of a run") });
});
