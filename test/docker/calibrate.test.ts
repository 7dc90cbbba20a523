import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pid } from "node:process";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { CanaryError } from "../../src/core/errors.ts";
import { ProfileSchema } from "../../src/judge/profile.ts";
import { stateAccess } from "../../src/mirror/state/state-access.ts";
import { dockerRuntime } from "../../src/mirror/twins/docker-runtime.ts";
import { readMachine } from "../../src/mirror/twins/read-machine.ts";
import { parsePlan } from "../../src/plan/plan.ts";
import { startDriver } from "../../src/replay/driver/start-driver.ts";
import type { CalibrationObserver } from "../../src/report/calibration-event.ts";
import { calibrate } from "../../src/run/calibrate.ts";
import type { RunJob } from "../../src/run/run-job.ts";
import { parseScenario } from "../../src/run/scenario.ts";
import { openScratchStore } from "../../src/run/scratch-store.ts";
import { leftOf, runIdOf } from "./fixtures/mini/engine-of-tests.ts";
import { echo, miniMirror } from "./fixtures/mini/mini-mirror.ts";

const folder = mkdtempSync(path.join(tmpdir(), "canary-calibration-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SCENARIO = JSON.stringify({
  schema: "canary.scenario/v1",
  name: "mini",
  mirror: "compose.yaml",
  plan: "plan.yaml",
  environment: { id: "test", class: "development" },
  traffic: { ratePerSecond: 60, mix: [{ route: "hello", weight: 1, http: { path: "/" } }] },
  warmupSeconds: 1,
  slos: [
    { name: "latency", measure: { kind: "latency", quantile: 0.5 }, limit: { to: "+50%" } },
    { name: "errors", measure: { kind: "errors" }, limit: { to: "+5pp" } },
  ],
  mayChange: ["service/*/replicas"],
  judge: { restartSettleSeconds: 1 },
});

/** Nobody performs it; a job has one. */
const PLAN = JSON.stringify({
  schema: "canary.plan/v1",
  name: "nothing",
  agent: { id: "a", version: "1", model: { provider: "p", name: "m", version: "1" } },
  target: { environment: "test" },
  tier: 2,
  confidence: 0.9,
  intent: "none",
  actions: [
    {
      id: "scale",
      what: "scale",
      why: "why",
      uses: "scale",
      with: { service: "echo", replicas: 2 },
      requires: ["all"],
      changes: ["service/echo/replicas"],
      rollback: { uses: "scale", with: { service: "echo", replicas: 1 } },
    },
  ],
  rollback: { withinSeconds: 10 },
});

function jobOf(name: string): RunJob {
  const { dependsOn: _, ...alone } = echo;
  return {
    runId: runIdOf(name),
    seed: 1,
    scenario: parseScenario(SCENARIO, "mini scenario"),
    scenarioText: SCENARIO,
    scenarioFile: "mini.yaml",
    scenarioDir: folder,
    plan: parsePlan(PLAN, "mini plan"),
    planText: PLAN,
    planFile: "plan.yaml",
    spec: miniMirror({ services: [{ ...alone, dependsOn: [] }], state: [], stubs: [] }),
  };
}

async function calibrateMini(job: RunJob, observe: CalibrationObserver, signal: AbortSignal) {
  return await calibrate(
    job,
    { rounds: 2, seconds: 4 },
    {
      clock: systemClock,
      runtime: dockerRuntime({ clock: systemClock, ownerPid: pid }),
      startDriver,
      state: stateAccess(systemClock),
      openScratch: () => openScratchStore(folder),
      observe,
      machine: await readMachine(),
      harnessVersion: "0.0.0-test",
    },
    signal,
  );
}

async function leftOfRounds(job: RunJob): Promise<number> {
  const left = await Promise.all([1, 2].map((round) => leftOf(`${job.runId}-${round}`)));
  return left.flat().length + readdirSync(folder).length;
}

test("two rounds on real twins give a profile of this machine and leave no container, network, volume or file", async () => {
  const job = jobOf("calibrate");
  const profile = await calibrateMini(job, () => undefined, new AbortController().signal);
  expect(ProfileSchema.parse(profile)).toEqual(profile);
  expect(profile.restarted).toEqual(["echo"]);
  expect(profile.machine.engine).toMatch(/^(docker|podman) \d/);
  expect(profile.slos).toMatchObject([
    { kind: "learned", name: "latency", windows: { raised: 2, restarted: 2 } },
    { kind: "learned", name: "errors", unit: "pp" },
  ]);
  expect(await leftOfRounds(job)).toBe(0);
});

test("a calibration stopped while it measures leaves nothing either", async () => {
  const job = jobOf("calibrate-stopped");
  const stop = new AbortController();
  const observe: CalibrationObserver = (event) => {
    if (event.kind !== "stage" || event.stage !== "measure") return;
    stop.abort(new CanaryError({ code: "ABORTED_BY_HUMAN", message: "stopped", hint: "Run again." }));
  };
  await expect(calibrateMini(job, observe, stop.signal)).rejects.toMatchObject({ code: "ABORTED_BY_HUMAN" });
  expect(await leftOfRounds(job)).toBe(0);
});
