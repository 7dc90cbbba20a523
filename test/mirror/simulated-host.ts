import type { CommandResult, EngineAnswer, Host } from "../../src/mirror/doctor/host.ts";

const GIB = 1024 ** 3;

/** What `docker info` says on a healthy machine, as far as the doctor reads it. */
export const HEALTHY_INFO = {
  ServerVersion: "27.1.0",
  OSType: "linux",
  NCPU: 8,
  MemTotal: 32 * GIB,
  Driver: "overlay2",
  DockerRootDir: "/var/lib/docker",
  CgroupVersion: "2",
  MemoryLimit: true,
  CpuCfsQuota: true,
  CPUSet: true,
};

export const exited = (exitCode: number, output: { stdout?: string; stderr?: string } = {}): CommandResult => ({
  kind: "exited",
  exitCode,
  stdout: output.stdout ?? "",
  stderr: output.stderr ?? "",
});

/** A machine in memory: healthy but for what the test says. A command it was not told about is missing. */
export interface SimulatedMachine {
  readonly platform: string;
  readonly nodeVersion: string;
  readonly userId: number | undefined;
  readonly dockerHost: string | undefined;
  readonly coreCount: number;
  readonly availableMemoryBytes: number;
  readonly freeDiskBytes: number | undefined;
  readonly files: Readonly<Record<string, string>>;
  readonly deniedPaths: readonly string[];
  readonly engine: EngineAnswer;
  readonly commands: Readonly<Record<string, CommandResult>>;
}

export function simulatedHost(
  images: readonly string[],
  changes: Partial<SimulatedMachine> = {},
): { readonly host: Host; readonly ran: readonly string[] } {
  const machine = { ...healthyMachine(images), ...changes };
  const ran: string[] = [];
  const host: Host = {
    platform: machine.platform,
    nodeVersion: machine.nodeVersion,
    userId: machine.userId,
    dockerHost: machine.dockerHost,
    coreCount: () => machine.coreCount,
    availableMemoryBytes: () => machine.availableMemoryBytes,
    freeDiskBytes: async () => machine.freeDiskBytes,
    readText: async (path) => machine.files[path],
    writeAccess: async (path) => (machine.deniedPaths.includes(path) ? "denied" : "granted"),
    askEngine: async (signal) => {
      signal.throwIfAborted();
      return machine.engine;
    },
    run: async (command, args, options) => {
      options.signal.throwIfAborted();
      ran.push([command, ...args].join(" "));
      const result = machine.commands[command] ?? { kind: "missing" };
      if (result.kind === "exited") for (const line of result.stderr.split("\n")) options.onLine?.(line);
      return result;
    },
  };
  return { host, ran };
}

function healthyMachine(images: readonly string[]): SimulatedMachine {
  return {
    platform: "linux",
    nodeVersion: "v24.21.0",
    userId: 0,
    dockerHost: undefined,
    coreCount: 8,
    availableMemoryBytes: 16 * GIB,
    freeDiskBytes: 100 * GIB,
    files: { "/etc/os-release": "NAME=Debian\nID=debian\n", "/proc/net/tcp": "", "/proc/net/tcp6": "" },
    deniedPaths: [],
    engine: { kind: "answers", info: HEALTHY_INFO, imageNames: images },
    commands: { chrt: exited(0) },
  };
}
