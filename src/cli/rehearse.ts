import path from "node:path";
import { CanaryError } from "../core/errors.ts";
import { stateAccess } from "../mirror/state/state-access.ts";
import { dockerRuntime } from "../mirror/twins/docker-runtime.ts";
import { startDriver } from "../replay/driver/start-driver.ts";
import type { RunObserver } from "../report/run-event.ts";
import type { RunReport } from "../report/run-report.ts";
import { createLiveView } from "../report/terminal/live-view.ts";
import { wantsColor } from "../report/terminal/paint.ts";
import { createPlainView } from "../report/terminal/plain-view.ts";
import { openRunStore } from "../run/file-run-store.ts";
import { runCanary } from "../run/run-canary.ts";
import type { RunJob } from "../run/run-job.ts";
import { chooseProfile } from "./choose-profile.ts";
import { dockerHost } from "./key-location.ts";
import { newJob } from "./new-job.ts";
import { environmentValues } from "./options.ts";
import { signerOf, signingKey } from "./signing.ts";
import { abortOnSignals, systemClock } from "./system.ts";
import { harnessVersion } from "./version.ts";

/** Wires the real world to one rehearsal: clock, engine, driver, key, folder and screen. */
export async function rehearse(options: {
  readonly scenarioFile: string;
  readonly outDir: string;
  readonly view: "auto" | "plain" | "json";
  readonly seed?: number;
  readonly keyFile?: string;
  readonly proveSensitivity?: true;
  /** File of a calibration profile; `false` uses none, absent the newest that fits. */
  readonly profile?: string | false;
}): Promise<{ readonly report: RunReport; readonly runDir: string }> {
  const loaded = await newJob(options);
  const key = await signingKey(options.keyFile);
  const { note, ...profile } = await chooseProfile(loaded, options.profile, key);
  const sensitivity = options.proveSensitivity === undefined ? {} : { proveSensitivity: options.proveSensitivity };
  const job: RunJob = { ...loaded, ...profile, ...sensitivity };
  const runDir = path.join(options.outDir, `${job.scenario.name}-${job.runId}`);
  await using store = await openRunStore({
    runDir,
    planText: job.planText,
    scenarioText: job.scenarioText,
    ...(job.profile === undefined ? {} : { profileText: job.profile.text }),
    sign: signerOf(key),
  });
  using view = viewOf(options.view, job);
  view({ kind: "note", message: note });
  using stop = stopSignal(job, view);
  const runtime = dockerRuntime({ clock: systemClock, ownerPid: process.pid, ...dockerHost() });
  const report = await runCanary(
    job,
    {
      clock: systemClock,
      runtime,
      startDriver,
      state: stateAccess(systemClock),
      store,
      observe: view,
      harnessVersion: harnessVersion(),
    },
    stop.signal,
  );
  return { report, runDir };
}

function viewOf(wanted: "auto" | "plain" | "json", job: RunJob): RunObserver & Disposable {
  const stream = wanted === "json" ? process.stderr : process.stdout;
  const { name, intent, agent, actions } = job.plan;
  const plan = { name, intent, agent: `${agent.id} ${agent.version}`, actions };
  if (wanted === "auto" && stream.isTTY === true) {
    return createLiveView({ stream, clock: systemClock, plan, color: wantsColor(stream, environmentValues()) });
  }
  const githubActions = process.env["GITHUB_ACTIONS"] === "true";
  return createPlainView({ stream, clock: systemClock, plan, githubActions });
}

/** Aborts on a person's signal or at the scenario's deadline, whichever is first. */
function stopSignal(job: RunJob, observe: RunObserver): { readonly signal: AbortSignal } & Disposable {
  const human = abortOnSignals((message) => observe({ kind: "note", message }));
  const deadline = new AbortController();
  const finished = new AbortController();
  const timeoutMs = job.scenario.maxMinutes * 60_000;
  systemClock.sleep(timeoutMs, AbortSignal.any([human.signal, finished.signal])).then(
    () =>
      deadline.abort(
        new CanaryError({
          code: "DEADLINE_EXCEEDED",
          message: `the run passed ${job.scenario.maxMinutes} minutes`,
          hint: "Raise maxMinutes in the scenario, or ask for less.",
        }),
      ),
    () => undefined,
  );
  return {
    signal: AbortSignal.any([human.signal, deadline.signal]),
    [Symbol.dispose]: () => {
      finished.abort();
      human[Symbol.dispose]();
    },
  };
}
