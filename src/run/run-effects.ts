import type { MintToken } from "../core/action-token.ts";
import type { Clock } from "../core/clock.ts";
import type { IntentLog } from "../core/intent-log.ts";
import type { ResponseEntry } from "../measure/response-log.ts";
import type { Snapshots } from "../mirror/snapshots/snapshot.ts";
import type { StateAccess } from "../mirror/state/state-access.ts";
import type { ContainerRuntime } from "../mirror/twin.ts";
import type { LoadedPolicy } from "../policy/engine/load-policy.ts";
import type { SqlParser } from "../policy/sql/parse-sql.ts";
import type { ResumeState } from "../replay/proof/resume-rollback.ts";
import type { MetricSample, RecordingManifest } from "../replay/recording.ts";
import type { StartDriver } from "../replay/traffic-driver.ts";
import type { AbortRecord } from "../report/abort-record.ts";
import type { RunObserver } from "../report/run-event.ts";
import type { RunReport } from "../report/run-report.ts";

/** Where one run writes while it goes on; everything is complete only after `publish`. */
export interface RunStore extends AsyncDisposable {
  /** Folder of the run's recording; exists. */
  readonly recordingDir: string;
  readonly intent: IntentLog;
  /** Keeps what another process needs to compare states when this one is killed in the middle of a rollback. */
  keepForResume(state: ResumeState): Promise<void>;
  /** Absolute folder of the run, which its containers name; absent where there is none on disk. */
  readonly folder?: string;
  /** Appends readings; buffered, flushed by `saveManifest`. */
  saveMetrics(samples: readonly MetricSample[]): void;
  /** Appends what was compared of answers; buffered, flushed by `saveManifest`. */
  saveResponses(entries: readonly ResponseEntry[]): void;
  saveManifest(manifest: RecordingManifest): Promise<void>;
  /** Signs the verdict and writes every report in one go; answers the folder a person should look at. */
  publish(report: RunReport): Promise<string>;
  /** Writes how a run that was stopped was undone; answers the file. */
  saveAbort(record: AbortRecord): Promise<string>;
}

/** Everything `runCanary` does to the outside world; tests pass a simulated one. */
export interface RunEffects {
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly startDriver: StartDriver;
  readonly state: StateAccess;
  readonly snapshots: Snapshots;
  readonly store: RunStore;
  readonly observe: RunObserver;
  /** Aborts when a person who has stopped the run does not want to wait for more than its undo and the comparison. */
  readonly hurry?: AbortSignal;
  /** Mints a token for each request of an action; absent: they carry none. */
  readonly mint?: MintToken;
  /** PostgreSQL's grammar, by which policy reads what a plan's SQL does. */
  readonly parseSql: SqlParser;
  /** What may be rehearsed, and what a promotion will need. */
  readonly policy: LoadedPolicy;
  readonly harnessVersion: string;
}
