import { z } from "zod";
import type { Host } from "./host.ts";

const PID_FILE = "/var/run/docker.pid";
const SOCKET = "/var/run/docker.sock";
const PROBE_TIMEOUT_MS = 5000;

/** The part of the engine's `info` that the doctor reads; engines leave out what they do not know. */
const EngineInfoSchema = z.object({
  ServerVersion: z.string(),
  OSType: z.string().default("linux"),
  NCPU: z.number().int().nonnegative(),
  MemTotal: z.number().nonnegative(),
  Driver: z.string().default("unknown storage driver"),
  DockerRootDir: z.string().default(""),
  CgroupVersion: z.string().default("1"),
  MemoryLimit: z.boolean().default(false),
  CpuCfsQuota: z.boolean().default(false),
  CPUSet: z.boolean().default(false),
});

export type EngineInfo = z.infer<typeof EngineInfoSchema>;

/** Whether there is an engine to work with, and if not, in which of the ways we know. */
export type EngineState =
  | { readonly kind: "answers"; readonly info: EngineInfo; readonly imageNames: readonly string[] }
  | { readonly kind: "unreadable"; readonly why: string }
  /** DOCKER_HOST names an engine that does not answer. */
  | { readonly kind: "named-engine-silent"; readonly why: string }
  | { readonly kind: "not-permitted"; readonly socket: string }
  /** A daemon runs and does not answer (yet). */
  | { readonly kind: "unresponsive"; readonly pid: number; readonly why: string }
  /** A killed daemon left its pid file, which keeps the next one from starting. */
  | { readonly kind: "stale-pid-file"; readonly pidFile: string; readonly pid: number }
  | { readonly kind: "not-running" }
  | { readonly kind: "not-installed" };

/** Finds out why an engine is silent by the same questions a person would ask, cheapest first. */
export async function engineState(host: Host, signal: AbortSignal): Promise<EngineState> {
  const answer = await host.askEngine(signal);
  if (answer.kind === "answers") {
    const info = EngineInfoSchema.safeParse(answer.info);
    return info.success
      ? { kind: "answers", info: info.data, imageNames: answer.imageNames }
      : { kind: "unreadable", why: z.prettifyError(info.error) };
  }
  if (host.dockerHost !== undefined && host.dockerHost !== "") return { kind: "named-engine-silent", why: answer.why };
  if ((await host.writeAccess(SOCKET)) === "denied") return { kind: "not-permitted", socket: SOCKET };
  const pid = Number.parseInt((await host.readText(PID_FILE)) ?? "", 10);
  if (Number.isInteger(pid)) {
    const lives = await daemonLives(host, pid);
    return lives ? { kind: "unresponsive", pid, why: answer.why } : { kind: "stale-pid-file", pidFile: PID_FILE, pid };
  }
  const daemon = await host.run("dockerd", ["--version"], { timeoutMs: PROBE_TIMEOUT_MS, signal });
  return { kind: daemon.kind === "missing" ? "not-installed" : "not-running" };
}

/** The number may long belong to another program, and a zombie is a daemon that is gone. */
async function daemonLives(host: Host, pid: number): Promise<boolean> {
  const status = (await host.readText(`/proc/${pid}/status`)) ?? "";
  return /^Name:\s+dockerd$/m.test(status) && !/^State:\s+[ZX]/m.test(status);
}
