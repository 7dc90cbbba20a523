import path from "node:path";
import { signDrill } from "../attest/drill-statement.ts";
import { redactDeep } from "../core/redact.ts";
import { takingSnapshots } from "../mirror/snapshots/take-snapshot.ts";
import { stateAccess } from "../mirror/state/state-access.ts";
import { dockerRuntime } from "../mirror/twins/docker-runtime.ts";
import { loadSqlParser } from "../policy/sql/parse-sql.ts";
import type { DrillReport } from "../report/drill/drill-report.ts";
import { createDrillView } from "../report/drill/drill-view.ts";
import { createPaint, wantsColor } from "../report/terminal/paint.ts";
import { openDrillStore } from "../run/drill/drill-store.ts";
import { runDrill } from "../run/drill/run-drill.ts";
import type { TrustTerms } from "../run/job-trust.ts";
import { actionTokens } from "./action-tokens.ts";
import { deadlineSignal } from "./deadline.ts";
import { dockerHost } from "./key-location.ts";
import { joinHost } from "./live-run.ts";
import { newJob } from "./new-job.ts";
import { openPolicy } from "./open-policy.ts";
import { environmentValues } from "./options.ts";
import { openRunLedger } from "./run-ledger.ts";
import { signingKey } from "./signing.ts";
import { systemClock } from "./system.ts";
import { harnessVersion } from "./version.ts";

/** Lines that go into a file have no width; this is what most viewers show without scrolling. */
const COLUMNS = 100;

/** Wires the real world to one drill: clock, engine, key, folder and screen. */
export async function drillScenario(options: {
  readonly scenarioFile: string;
  readonly outDir: string;
  readonly json: boolean;
  readonly keyFile?: string;
  /** Trusted keys and runbooks of the command line. */
  readonly trust?: Partial<Pick<TrustTerms, "keys" | "runbooks">>;
  /** SQLite file of the ledger that intents are recorded in; else the environment says. */
  readonly ledgerFile?: string;
  /** Of the policy that is asked; absent: `openPolicy` says which. */
  readonly policyFolder?: string;
}): Promise<{ readonly report: DrillReport; readonly folder: string }> {
  const mint = await actionTokens();
  const job = await newJob(options);
  // Read before anything is raised, so that it cannot fail after minutes.
  const policy = await openPolicy(options.policyFolder);
  const key = await signingKey(options.keyFile);
  const folder = path.join(options.outDir, `drill-${job.scenario.name}-${job.runId}`);
  await using joined = await joinHost({
    runId: job.runId,
    scenario: job.scenario.name,
    plan: job.plan.name,
    runDir: folder,
  });
  const stream = options.json ? process.stderr : process.stdout;
  const view = createDrillView({
    stream,
    clock: systemClock,
    columns: stream.isTTY === true ? Math.max(60, stream.columns) : COLUMNS,
    paint: createPaint({ color: wantsColor(stream, environmentValues()) }),
    githubActions: process.env["GITHUB_ACTIONS"] === "true",
  });
  const say = (message: string): void => view({ kind: "note", message });
  await using ledger = await openRunLedger(options.ledgerFile, say);
  const ledgerIntents = ledger?.intentsOf({ runId: job.runId, planSha256: job.plan.sha256 });
  await using store = await openDrillStore({
    folder,
    planText: job.planText,
    scenarioText: job.scenarioText,
    ...(ledgerIntents === undefined ? {} : { ledgerIntents }),
    sign: (report, drillJson) => signDrill(report, drillJson, key),
  });
  using stop = deadlineSignal(job.scenario.maxMinutes, say, joined.signal);
  const report = await runDrill(
    job,
    {
      clock: systemClock,
      runtime: dockerRuntime({ clock: systemClock, ownerPid: process.pid, ...dockerHost() }),
      state: stateAccess(systemClock),
      snapshots: takingSnapshots(systemClock),
      store,
      observe: (event) => view(redactDeep(event)),
      mint,
      parseSql: await loadSqlParser(),
      policy,
      harnessVersion: harnessVersion(),
    },
    stop.signal,
  );
  return { report, folder };
}
