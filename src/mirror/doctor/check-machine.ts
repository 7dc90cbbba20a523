import type { EngineState } from "./engine-state.ts";
import { concern, type Finding, healthy } from "./finding.ts";
import { parseListeners, portsOpenToContainers } from "./listeners.ts";
import type { Scheduling } from "./scheduling.ts";

const GIB = 1024 ** 3;

/** Two prepared twins with snapshots fit in the first with little to spare; the second leaves room for a day of runs. */
const DISK_BYTES = { fail: 2 * GIB, warn: 10 * GIB } as const;
/** Two small twins idle at 130 MB and the load generator at as much; databases under load want more. */
const MEMORY_BYTES = { fail: GIB, warn: 4 * GIB } as const;
/** One core for each twin, one for the load generator, one for everything else. */
const CORES_WANTED = 4;
/** The oldest Node that runs the sources as they are; `engines` in package.json says the same. */
export const NODE_VERSION_MIN = "24.15.0";
/** iptables' multiport match takes no more. */
const FIREWALL_PORTS_MAX = 15;

/** Is there room for images, twins and snapshots? `freeBytes` is of `directory`, where the engine keeps them. */
export function checkDisk(freeBytes: number | undefined, directory: string): Finding {
  if (freeBytes === undefined) {
    return concern(
      "disk",
      "warn",
      `the engine's disk (${directory || "place unknown"}) cannot be seen from here`,
      "Make sure that it has 10 GiB free.",
    );
  }
  const message = `${inGib(freeBytes)} free in ${directory}`;
  if (freeBytes < DISK_BYTES.fail)
    return concern(
      "disk",
      "fail",
      message,
      `A run needs ${inGib(DISK_BYTES.fail)}; remove images or volumes that nobody uses.`,
    );
  if (freeBytes < DISK_BYTES.warn)
    return concern(
      "disk",
      "warn",
      message,
      `Snapshots of larger databases need more; ${inGib(DISK_BYTES.warn)} is comfortable.`,
    );
  return healthy("disk", message);
}

/** Is there memory for two twins? The engine may live in a virtual machine that has less than this one. */
export function checkMemory(availableBytes: number, state: EngineState): Finding {
  const usableBytes = state.kind === "answers" ? Math.min(availableBytes, state.info.MemTotal) : availableBytes;
  const message = `${inGib(usableBytes)} of memory available`;
  if (usableBytes < MEMORY_BYTES.fail)
    return concern("memory", "fail", message, `Two twins need ${inGib(MEMORY_BYTES.fail)} or more.`);
  if (usableBytes < MEMORY_BYTES.warn)
    return concern(
      "memory",
      "warn",
      message,
      `Below ${inGib(MEMORY_BYTES.warn)} larger mirrors will swap, which spoils every measurement.`,
    );
  return healthy("memory", message);
}

/** Are there cores to keep the twins and the load generator from disturbing each other? */
export function checkCores(hostCores: number, state: EngineState): Finding {
  const cores = state.kind === "answers" ? Math.min(hostCores, state.info.NCPU) : hostCores;
  if (cores >= CORES_WANTED)
    return healthy("cores", `${cores} cores: one for each twin, the rest for the load generator`);
  if (cores >= 2) {
    return concern(
      "cores",
      "warn",
      `${cores} cores: each twin can have its own, the load generator shares them`,
      "Keep to 300 requests a second, or use a machine with four cores.",
    );
  }
  return concern(
    "cores",
    "fail",
    "one core: a plan that harms its twin harms the control as much, and looks harmless",
    "Use a machine with two cores or more.",
  );
}

/** Does this Node run the sources as they are? `version` as Node writes it. */
export function checkNode(version: string): Finding {
  if (atLeast(version.replace(/^v/, ""), NODE_VERSION_MIN)) return healthy("node", `Node ${version}`);
  return concern(
    "node",
    "fail",
    `Node ${version} is older than ${NODE_VERSION_MIN}`,
    "Run npm ci and start with npm run or npx, which put the pinned Node first.",
  );
}

/** How punctual can the load generator be? */
export function checkScheduling(granted: Scheduling): Finding {
  const hint =
    "Run as root or grant CAP_SYS_NICE for truer timing; latency is counted from the intended time either way.";
  if (granted === "realtime") return healthy("realtime", "real-time scheduling is granted");
  if (granted === "nice")
    return concern("realtime", "warn", "only a raised priority (nice) is granted, not real-time scheduling", hint);
  return concern("realtime", "warn", "neither real-time scheduling nor a raised priority is granted", hint);
}

/** Which services of this machine can the twins reach? `tables` are the kernel's TCP tables, undefined where it has none. */
export function checkHostServices(tables: readonly (string | undefined)[]): Finding {
  const known = tables.filter((table) => table !== undefined);
  if (known.length === 0) {
    return concern(
      "host-services",
      "warn",
      "the services of this machine cannot be listed here",
      "Containers on a bridge reach every service that listens on all addresses.",
    );
  }
  const ports = portsOpenToContainers(known.flatMap(parseListeners));
  if (ports.length === 0) return healthy("host-services", "no TCP service of this machine can be reached from a twin");
  const listed = ports.slice(0, FIREWALL_PORTS_MAX).join(",");
  const more = ports.length > FIREWALL_PORTS_MAX ? ` and ${ports.length - FIREWALL_PORTS_MAX} more` : "";
  return concern(
    "host-services",
    "warn",
    `twins can reach services of this machine on TCP ${listed.replaceAll(",", ", ")}${more}`,
    `Bind them to 127.0.0.1, or as root: iptables -I INPUT -i br-+ -p tcp -m multiport --dports ${listed} -j REJECT`,
  );
}

function inGib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}

function atLeast(version: string, minimum: string): boolean {
  const wanted = minimum.split(".").map(Number);
  const given = version.split(".").map(Number);
  const different = wanted.findIndex((part, index) => part !== given[index]);
  return different === -1 || (given[different] ?? Number.NaN) > (wanted[different] ?? Number.NaN);
}
