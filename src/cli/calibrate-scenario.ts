import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { CanaryError } from "../core/errors.ts";
import type { Profile } from "../judge/profile.ts";
import { stateAccess } from "../mirror/state/state-access.ts";
import { dockerRuntime } from "../mirror/twins/docker-runtime.ts";
import { readMachine } from "../mirror/twins/read-machine.ts";
import { startDriver } from "../replay/driver/start-driver.ts";
import { createCalibrationView } from "../report/terminal/calibration-view.ts";
import { type CalibrationSize, calibrate } from "../run/calibrate.ts";
import { writeProfile } from "../run/profile-store.ts";
import { openScratchStore } from "../run/scratch-store.ts";
import { dockerHost } from "./key-location.ts";
import { joinHost } from "./live-run.ts";
import { newJob } from "./new-job.ts";
import { say } from "./options.ts";
import { signingKey } from "./signing.ts";
import { abortOnSignals, systemClock } from "./system.ts";
import { harnessVersion } from "./version.ts";

/** Wires the real world to one calibration; answers the signed profile's file. */
export async function calibrateScenario(options: {
  readonly scenarioFile: string;
  readonly size: CalibrationSize;
  readonly profileDir: string;
  readonly view: "auto" | "plain" | "json";
  readonly keyFile?: string;
  readonly seed?: number;
}): Promise<{ readonly profile: Profile; readonly file: string }> {
  await refuseBareMirror(options.scenarioFile);
  const job = await newJob(options);
  // Read before anything is raised, so that it cannot fail after half an hour.
  const key = await signingKey(options.keyFile);
  const stream = options.view === "json" ? process.stderr : process.stdout;
  const live = options.view === "auto" && stream.isTTY === true;
  using view = createCalibrationView({ stream, clock: systemClock, live });
  using stop = abortOnSignals((message) => view({ kind: "note", message }));
  // Calibrations raise twins as runs do, and are halted with them.
  const { runId, scenario, plan } = job;
  await using joined = await joinHost({ runId, scenario: scenario.name, plan: plan.name, runDir: options.profileDir });
  const engine = dockerHost();
  const profile = await calibrate(
    job,
    options.size,
    {
      clock: systemClock,
      runtime: dockerRuntime({ clock: systemClock, ownerPid: process.pid, ...engine }),
      startDriver,
      state: stateAccess(systemClock),
      openScratch: () => openScratchStore(tmpdir()),
      observe: view,
      machine: await readMachine(engine),
      harnessVersion: harnessVersion(),
    },
    AbortSignal.any([stop.signal, joined.signal]),
  );
  const file = await writeProfile(options.profileDir, profile, key);
  say(`profile: ${file}`, options.view === "json");
  return { profile, file };
}

/** A Compose file says nothing of traffic and SLOs, without which there is nothing to learn. */
async function refuseBareMirror(file: string): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => "");
  if (!/^services:/m.test(text) || /canary\.scenario\//.test(text)) return;
  throw new CanaryError({
    code: "USAGE",
    message: `${file} is a mirror; noise depends on the traffic as well`,
    hint: "Name a scenario of this mirror: canary calibrate scenarios/<name>.yaml. `canary init` writes a first one.",
  });
}
