import path from "node:path";
import { messageOf } from "../core/errors.ts";
import { redactDeep } from "../core/redact.ts";
import { takingSnapshots } from "../mirror/snapshots/take-snapshot.ts";
import { stateAccess } from "../mirror/state/state-access.ts";
import { dockerRuntime } from "../mirror/twins/docker-runtime.ts";
import { loadSqlParser } from "../policy/sql/parse-sql.ts";
import { startDriver } from "../replay/driver/start-driver.ts";
import { noticeObserver } from "../report/notify/notices.ts";
import type { RunObserver } from "../report/run-event.ts";
import type { RunReport } from "../report/run-report.ts";
import { createLiveView } from "../report/terminal/live-view.ts";
import { wantsColor } from "../report/terminal/paint.ts";
import { createPlainView } from "../report/terminal/plain-view.ts";
import { openRunStore } from "../run/file-run-store.ts";
import type { TrustTerms } from "../run/job-trust.ts";
import { runCanary } from "../run/run-canary.ts";
import type { RunJob } from "../run/run-job.ts";
import { actionTokens } from "./action-tokens.ts";
import { chooseProfile } from "./choose-profile.ts";
import { deadlineSignal } from "./deadline.ts";
import { escalate } from "./escalate.ts";
import { finishDeadRuns } from "./finish-dead-runs.ts";
import { dockerHost } from "./key-location.ts";
import { readKeys } from "./live-keys.ts";
import { joinHost, thisUser } from "./live-run.ts";
import { newJob } from "./new-job.ts";
import { type NotifyOptions, notifierOf } from "./notify.ts";
import { openPolicy } from "./open-policy.ts";
import { environmentValues } from "./options.ts";
import { openRunLedger } from "./run-ledger.ts";
import { signerOf, signingKey } from "./signing.ts";
import { systemClock } from "./system.ts";
import { harnessVersion } from "./version.ts";

/** Wires the real world to one rehearsal: clock, engine, driver, key, folder and screen. */
export async function rehearse(options: {
  readonly scenarioFile: string;
  readonly outDir: string;
  readonly view: "auto" | "plain" | "json";
  readonly seed?: number;
  readonly keyFile?: string;
  /** Of the policy that is asked; absent: `openPolicy` says which. */
  readonly policyFolder?: string;
  readonly proveSensitivity?: true;
  /** File of a calibration profile; `false` uses none, absent the newest that fits. */
  readonly profile?: string | false;
  /** Who is told what happens. */
  readonly notify?: NotifyOptions;
  /** Trusted keys and runbooks of the command line. */
  readonly trust?: Partial<Pick<TrustTerms, "keys" | "runbooks">>;
  /** SQLite file of the ledger that intents are recorded in; else the environment says. */
  readonly ledgerFile?: string;
}): Promise<{ readonly report: RunReport; readonly runDir: string }> {
  // Before the mirror is read: its services may hold the public half.
  const mint = await actionTokens();
  const loaded = await newJob(options);
  const policy = await openPolicy(options.policyFolder);
  const key = await signingKey(options.keyFile);
  const { note, ...profile } = await chooseProfile(loaded, options.profile, key);
  const sensitivity = options.proveSensitivity === undefined ? {} : { proveSensitivity: options.proveSensitivity };
  const job: RunJob = { ...loaded, ...profile, ...sensitivity };
  const runDir = path.join(options.outDir, `${job.scenario.name}-${job.runId}`);
  const run = { runId: job.runId, scenario: job.scenario.name, plan: job.plan.name };
  await using joined = await joinHost({ ...run, runDir });
  using view = viewOf(options.view, job);
  const say = (message: string): void => view({ kind: "note", message });
  await using ledger = await openRunLedger(options.ledgerFile, say);
  const ledgerIntents = ledger?.intentsOf({ runId: job.runId, planSha256: job.plan.sha256 });
  await using store = await openRunStore({
    runDir,
    planText: job.planText,
    scenarioText: job.scenarioText,
    ...(job.profile === undefined ? {} : { profileText: job.profile.text }),
    ...(ledgerIntents === undefined ? {} : { ledgerIntents }),
    sign: signerOf(key),
  });
  view({ kind: "note", message: note });
  view({ kind: "note", message: `status and abort over HTTP: ${joined.url}, token in ${joined.file}` });
  using stop = stopSignal(job, view, joined.signal);
  await finishDeadRuns({ say, ledger, mint }, stop.signal).catch((error: unknown) => {
    stop.signal.throwIfAborted();
    view({ kind: "note", message: `rollbacks of killed runs could not be looked for: ${messageOf(error)}` });
  });
  const notifier = await notifierOf(options.notify ?? {}, say);
  await using _told = { [Symbol.asyncDispose]: () => notifier.flush() };
  const notices = noticeObserver({
    notifier,
    run: { ...run, environment: job.scenario.environment.id },
    epochMs: systemClock.epochMs,
    newId: () => `msg_${crypto.randomUUID()}`,
  });
  const runtime = dockerRuntime({ clock: systemClock, ownerPid: process.pid, ...dockerHost() });
  const report = await runCanary(
    job,
    {
      clock: systemClock,
      runtime,
      startDriver,
      state: stateAccess(systemClock),
      snapshots: takingSnapshots(systemClock),
      store,
      observe: (told) => {
        const event = redactDeep(told);
        view(event);
        joined.observe(event);
        notices(event);
      },
      hurry: stop.hurry,
      mint,
      parseSql: await loadSqlParser(),
      policy,
      harnessVersion: harnessVersion(),
    },
    stop.signal,
  );
  const waits = await escalate(report, { scenario: job.scenario, runDir, notifier }).catch(
    (error: unknown) => `the playbook of this run could not be queued: ${messageOf(error)}`,
  );
  if (waits !== undefined) view({ kind: "note", message: waits });
  return { report, runDir };
}

function viewOf(wanted: "auto" | "plain" | "json", job: RunJob): RunObserver & Disposable {
  const stream = wanted === "json" ? process.stderr : process.stdout;
  const { name, intent, agent, actions } = job.plan;
  const plan = { name, intent, agent: `${agent.id} ${agent.version}`, actions };
  if (wanted === "auto" && stream.isTTY === true) {
    return createLiveView({
      stream,
      clock: systemClock,
      plan,
      color: wantsColor(stream, environmentValues()),
      takesKeys: process.stdin.isTTY === true,
    });
  }
  const githubActions = process.env["GITHUB_ACTIONS"] === "true";
  return createPlainView({ stream, clock: systemClock, plan, githubActions });
}

/** Aborts on a person's signal, key or request, or at the scenario's deadline, whichever is first. */
function stopSignal(
  job: RunJob,
  observe: RunObserver,
  told: AbortSignal,
): { readonly signal: AbortSignal; readonly hurry: AbortSignal } & Disposable {
  const stop = deadlineSignal(job.scenario.maxMinutes, (message) => observe({ kind: "note", message }), told);
  const keys = readKeys({
    keyboard: process.stdin,
    isShown: process.stdout.isTTY === true,
    observe,
    abort: () => stop.human.abort({ how: "key", detail: thisUser() }),
    interrupt: () => stop.human.interrupt("SIGINT"),
  });
  process.once("exit", keys.restore);
  return {
    signal: stop.signal,
    hurry: stop.human.hurry,
    [Symbol.dispose]: () => {
      keys.restore();
      process.off("exit", keys.restore);
      stop[Symbol.dispose]();
    },
  };
}
