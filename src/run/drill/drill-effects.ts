import type { MintToken } from "../../core/action-token.ts";
import type { Clock } from "../../core/clock.ts";
import type { IntentLog } from "../../core/intent-log.ts";
import type { Snapshots } from "../../mirror/snapshots/snapshot.ts";
import type { StateAccess } from "../../mirror/state/state-access.ts";
import type { ContainerRuntime } from "../../mirror/twin.ts";
import type { LoadedPolicy } from "../../policy/engine/load-policy.ts";
import type { SqlParser } from "../../policy/sql/parse-sql.ts";
import type { LeftBehind, ResumeState } from "../../replay/proof/resume-rollback.ts";
import type { DrillObserver, DrillReport } from "../../report/drill/drill-report.ts";

/** Where a drill writes. */
export interface DrillStore extends AsyncDisposable {
  /** Absolute; what another process needs to finish a rollback lies here. */
  readonly folder: string;
  readonly intent: IntentLog;
  /** Keeps the state that the shadow must have again, for another process. */
  keepForResume(state: ResumeState): Promise<void>;
  /**
   * Lets go of the log as the death of this process would, and reads what the next one finds to finish.
   * @throws CanaryError REPLAY_FAILED when the state before the plan is not there
   */
  nextHarness(): Promise<LeftBehind | undefined>;
  /** Writes every file of the answer in one go; answers the folder a person should look at. */
  publish(report: DrillReport): Promise<string>;
}

/** Everything a drill does to the outside world; tests pass a simulated one. */
export interface DrillEffects {
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly state: StateAccess;
  readonly snapshots: Snapshots;
  readonly store: DrillStore;
  readonly observe: DrillObserver;
  /** Mints a token for each request of an action; absent: they carry none. */
  readonly mint?: MintToken;
  /** PostgreSQL's grammar, by which policy reads what a plan's SQL does. */
  readonly parseSql: SqlParser;
  readonly policy: LoadedPolicy;
  readonly harnessVersion: string;
}
