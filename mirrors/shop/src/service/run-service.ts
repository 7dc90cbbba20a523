import { dirname, resolve } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Environment } from "./environment.ts";
import { jsonLog, type Log, reasonOf } from "./log.ts";

/** What a service gets from its process. */
export interface ServiceContext {
  readonly environment: Environment;
  readonly log: Log;
  /** Absolute path of a file that the build copied beside the bundles, such as "proto/inventory.proto". */
  asset(path: string): string;
  /** Milliseconds since an arbitrary start; only differences mean anything. */
  monotonicMs(): number;
  /** Wall clock, for deadlines that cross the network. */
  epochMs(): number;
}

/** A started service; `stop` answers what is in flight and releases everything. */
export interface RunningService {
  stop(): Promise<void>;
}

/** Replicas come and go within a drill step, so a stop that hangs is cut off. */
const STOP_MS_MAX = 800;

/** Starts a service and stops it on SIGTERM or SIGINT. The only file that touches the process. */
export function runService(name: string, start: (context: ServiceContext) => Promise<RunningService>): void {
  const log = jsonLog(name, (line) => process.stdout.write(line));
  const root = resolve(dirname(process.argv[1] ?? "."), "../..");
  const context: ServiceContext = {
    environment: process.env,
    log,
    asset: (path) => resolve(root, path),
    monotonicMs: () => performance.now(),
    epochMs: () => Date.now(),
  };
  start(context).then(
    (service) => stopOnSignal(service, log),
    (error: unknown) => {
      log.warn("could not start", { reason: reasonOf(error) });
      process.exit(1);
    },
  );
}

function stopOnSignal(service: RunningService, log: Log): void {
  const stop = async (): Promise<void> => {
    log.info("stopping");
    await Promise.race([service.stop(), sleep(STOP_MS_MAX)]);
    process.exit(0);
  };
  process.once("SIGTERM", () => void stop());
  process.once("SIGINT", () => void stop());
  log.info("started");
}
