import { execFileSync } from "node:child_process";
import { startDriver } from "../../../src/replay/driver/start-driver.ts";
import { TrafficSpecSchema } from "../../../src/replay/traffic-spec.ts";

// Started by lifecycle.test.ts, which then kills it: prints the process id of its driver once traffic flows.

const [dir = "", targets = "{}"] = process.argv.slice(2);
await startDriver({
  traffic: TrafficSpecSchema.parse({ ratePerSecond: 50, mix: [{ route: "home", weight: 1, http: { path: "/" } }] }),
  baseDir: dir,
  targets: JSON.parse(targets),
  seed: 1,
  recordingDir: dir,
  onPairs: () => undefined,
  onPulse: () => undefined,
  signal: new AbortController().signal,
});
process.stdout.write(execFileSync("pgrep", ["-P", String(process.pid), "-f", "driver-main"]).toString());
