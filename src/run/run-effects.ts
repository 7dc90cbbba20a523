import type { Clock } from "../core/clock.ts";
import type { IntentLog } from "../core/intent-log.ts";
import type { StateAccess } from "../mirror/state/state-access.ts";
import type { ContainerRuntime } from "../mirror/twin.ts";
import type { MetricSample, RecordingManifest } from "../replay/recording.ts";
import type { StartDriver } from "../replay/traffic-driver.ts";
import type { RunObserver } from "../report/run-event.ts";
import type { RunReport } from "../report/run-report.ts";

/** Where one run writes while it goes on; everything is complete only after `publish`. */
export interface RunStore extends AsyncDisposable {
  /** Folder of the run's recording; exists. */
  readonly recordingDir: string;
  readonly intent: IntentLog;
  /** Appends readings; buffered, flushed by `saveManifest`. */
  saveMetrics(samples: readonly MetricSample[]): void;
  saveManifest(manifest: RecordingManifest): Promise<void>;
  /** Signs the verdict and writes every report in one go; answers the folder a person should look at. */
  publish(report: RunReport): Promise<string>;
}

/** Everything `runCanary` does to the outside world; tests pass a simulated one. */
export interface RunEffects {
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly startDriver: StartDriver;
  readonly state: StateAccess;
  readonly store: RunStore;
  readonly observe: RunObserver;
  readonly harnessVersion: string;
}
