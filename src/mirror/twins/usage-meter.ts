import { access, readFile } from "node:fs/promises";
import type { ServiceUsage } from "../twin.ts";
import type { Engine } from "./engine.ts";

/** One container's counters at an instant. */
export interface UsageReading {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/** Reads one container's counters; `undefined` when it has none just now (not running). */
export type UsageReader = (containerId: string, signal: AbortSignal) => Promise<UsageReading | undefined>;

/** Adds up use per service over containers that come and go. */
export interface UsageMeter {
  add(service: string, containerId: string): void;
  /** Keeps what a container has used so far; call before it is removed. */
  retire(containerId: string, signal: AbortSignal): Promise<void>;
  read(signal: AbortSignal): Promise<readonly ServiceUsage[]>;
}

interface Metered {
  readonly service: string;
  /** CPU of the container's earlier lives: a restarted container counts from zero again. */
  earlierCpuSeconds: number;
  last: UsageReading;
}

/** @param services - names that are reported even before they have a container */
export function usageMeter(services: readonly string[], reader: UsageReader): UsageMeter {
  const metered = new Map<string, Metered>();
  const retiredCpuSeconds = new Map<string, number>(services.map((service) => [service, 0]));
  const refresh = async (containerId: string, entry: Metered, signal: AbortSignal): Promise<void> => {
    const now = (await reader(containerId, signal)) ?? { cpuSeconds: 0, memoryBytes: 0 };
    if (now.cpuSeconds < entry.last.cpuSeconds) entry.earlierCpuSeconds += entry.last.cpuSeconds;
    entry.last = now;
  };
  return {
    add(service, containerId) {
      metered.set(containerId, { service, earlierCpuSeconds: 0, last: { cpuSeconds: 0, memoryBytes: 0 } });
    },
    async retire(containerId, signal) {
      const entry = metered.get(containerId);
      if (entry === undefined) return;
      await refresh(containerId, entry, signal).catch(() => undefined);
      metered.delete(containerId);
      const usedSeconds = entry.earlierCpuSeconds + entry.last.cpuSeconds;
      retiredCpuSeconds.set(entry.service, (retiredCpuSeconds.get(entry.service) ?? 0) + usedSeconds);
    },
    async read(signal) {
      await Promise.all([...metered].map(([containerId, entry]) => refresh(containerId, entry, signal)));
      return [...retiredCpuSeconds].map(([service, retiredSeconds]) => {
        const entries = [...metered.values()].filter((entry) => entry.service === service);
        return {
          service,
          cpuSeconds: entries.reduce((sum, it) => sum + it.earlierCpuSeconds + it.last.cpuSeconds, retiredSeconds),
          memoryBytes: entries.reduce((sum, it) => sum + it.last.memoryBytes, 0),
        };
      });
    },
  };
}

/**
 * Reads control group files where this machine has them (0.1 ms, no work for the engine), else asks the engine.
 * Memory is what is used without the page cache that can be dropped, as `docker stats` shows it.
 */
export async function usageReader(engine: Engine): Promise<UsageReader> {
  const [v1, v2] = await Promise.all([exists("/sys/fs/cgroup/cpuacct"), exists("/sys/fs/cgroup/cgroup.controllers")]);
  if (!v1 && !v2) return (containerId, signal) => readFromEngine(engine, containerId, signal);
  const groups = new Map<string, CgroupPaths>();
  return async (containerId, signal) => {
    const known = groups.get(containerId) ?? (await findGroup(engine, containerId, v1 ? "v1" : "v2", signal));
    if (known === undefined) return await readFromEngine(engine, containerId, signal).catch(() => undefined);
    groups.set(containerId, known);
    return await readGroup(known).catch(() => undefined);
  };
}

type CgroupPaths =
  | { readonly kind: "v1"; readonly cpu: string; readonly memory: string }
  | { readonly kind: "v2"; readonly group: string };

async function findGroup(
  engine: Engine,
  containerId: string,
  kind: CgroupPaths["kind"],
  signal: AbortSignal,
): Promise<CgroupPaths | undefined> {
  const { State } = await engine.read("finding a container's process", signal, (docker) =>
    docker.getContainer(containerId).inspect(),
  );
  const lines = await readFile(`/proc/${State.Pid}/cgroup`, "utf8").catch(() => "");
  const paths = cgroupPathsOf(lines, kind);
  const isOurs = lines.includes(containerId);
  return paths !== undefined && isOurs ? paths : undefined;
}

/** Paths out of /proc/<pid>/cgroup: lines `id:controllers:path`, one line `0::path` under version 2. Source: cgroups(7). */
export function cgroupPathsOf(lines: string, kind: CgroupPaths["kind"]): CgroupPaths | undefined {
  const entries = lines.split("\n").map((line) => line.split(":"));
  const pathOf = (controller: string): string | undefined =>
    entries.find(([, controllers = ""]) => controllers.split(",").includes(controller))?.[2];
  if (kind === "v2") {
    const group = entries.find(([id, controllers]) => id === "0" && controllers === "")?.[2];
    return group === undefined ? undefined : { kind, group: `/sys/fs/cgroup${group}` };
  }
  const cpu = pathOf("cpuacct");
  const memory = pathOf("memory");
  if (cpu === undefined || memory === undefined) return undefined;
  return { kind, cpu: `/sys/fs/cgroup/cpuacct${cpu}`, memory: `/sys/fs/cgroup/memory${memory}` };
}

async function readGroup(paths: CgroupPaths): Promise<UsageReading> {
  if (paths.kind === "v1") {
    const [usage, memory, stat] = await Promise.all([
      readFile(`${paths.cpu}/cpuacct.usage`, "utf8"),
      readFile(`${paths.memory}/memory.usage_in_bytes`, "utf8"),
      readFile(`${paths.memory}/memory.stat`, "utf8"),
    ]);
    return { cpuSeconds: Number(usage) / 1e9, memoryBytes: used(Number(memory), field(stat, "total_inactive_file")) };
  }
  const [cpu, memory, stat] = await Promise.all([
    readFile(`${paths.group}/cpu.stat`, "utf8"),
    readFile(`${paths.group}/memory.current`, "utf8"),
    readFile(`${paths.group}/memory.stat`, "utf8"),
  ]);
  return {
    cpuSeconds: field(cpu, "usage_usec") / 1e6,
    memoryBytes: used(Number(memory), field(stat, "inactive_file")),
  };
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

function used(total: number, inactiveFile: number): number {
  return Math.max(0, total - inactiveFile);
}

async function readFromEngine(engine: Engine, id: string, signal: AbortSignal): Promise<UsageReading | undefined> {
  const stats = await engine.read("reading a container's use", signal, (docker) =>
    docker.getContainer(id).stats({ stream: false, "one-shot": true }),
  );
  const memory = stats.memory_stats;
  if (memory?.usage === undefined) return undefined;
  const inactive = memory.stats?.inactive_file ?? memory.stats?.total_inactive_file ?? 0;
  return { cpuSeconds: stats.cpu_stats.cpu_usage.total_usage / 1e9, memoryBytes: used(memory.usage, inactive) };
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
