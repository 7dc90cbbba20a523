import type { Clock } from "../../core/clock.ts";
import type { Snapshots } from "../../mirror/snapshots/snapshot.ts";
import type { StateAccess } from "../../mirror/state/state-access.ts";
import type { ContainerRuntime } from "../../mirror/twin.ts";
import type { LoadedPolicy } from "../../policy/engine/load-policy.ts";
import type { SqlParser } from "../../policy/sql/parse-sql.ts";
import type { ReadableIntentLog } from "../../replay/drill/drill-stage.ts";
import type { DrillObserver, DrillReport } from "../../report/drill/drill-report.ts";

/** Where a drill writes. */
export interface DrillStore extends AsyncDisposable {
  /** Durable, and read back by the cells in which somebody dies. */
  readonly intent: ReadableIntentLog;
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
  /** PostgreSQL's grammar, by which policy reads what a plan's SQL does. */
  readonly parseSql: SqlParser;
  readonly policy: LoadedPolicy;
  readonly harnessVersion: string;
}
