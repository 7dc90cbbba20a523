import type { Host } from "./host.ts";

/** How punctually the machine lets the load generator send, best first. */
export type Scheduling = "realtime" | "nice" | "none";

/** The priorities a load generator asks for: `chrt -r 10`, else `nice -n -15`. */
export const REALTIME_PRIORITY = 10;
export const NICE_LEVEL = -15;

const PROBE_TIMEOUT_MS = 5000;

/** The best scheduling this user is granted, found out by trying it on a process that does nothing. */
export async function grantedScheduling(host: Host, signal: AbortSignal): Promise<Scheduling> {
  const options = { timeoutMs: PROBE_TIMEOUT_MS, signal };
  const realtime = await host.run("chrt", ["-r", String(REALTIME_PRIORITY), "true"], options);
  if (realtime.kind === "exited" && realtime.exitCode === 0) return "realtime";
  // A refused `nice` warns and runs the command all the same; only the level that the command sees is proof.
  const nice = await host.run("nice", ["-n", String(NICE_LEVEL), "nice"], options);
  return nice.kind === "exited" && Number(nice.stdout.trim()) === NICE_LEVEL ? "nice" : "none";
}
