import { readFile, readlink } from "node:fs/promises";
import { sha256Hex } from "../../core/sha256.ts";

/** The process a run belongs to; pid alone would be fooled by reuse, so its start time and the boot count too. */
export interface Owner {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat: clock ticks between boot and the start of the process. */
  readonly startTicks: number;
  /** Boot and, where known, process namespace and machine: `<boot id>/<inode of the pid namespace>/<digest of machine-id>`. */
  readonly bootId: string;
}

/** What is known about an owner: only `dead` allows anything to be removed. */
export type OwnerState = "alive" | "dead" | "unknown";

/**
 * The owner record of a process of this host.
 * Where there is no /proc the start is 0 and the boot `unknown`, and `ownerState` then never says `dead`.
 */
export async function readOwner(pid: number): Promise<Owner> {
  return { pid, startTicks: (await startTicksOf(pid)) ?? 0, bootId: await currentBootId() };
}

/**
 * Asks /proc whether the process that owns a run still lives. Source of the fields: proc(5).
 * Another boot is an earlier one only on the same machine: machines that share an engine boot apart, and both live.
 */
export async function ownerState(owner: Owner): Promise<OwnerState> {
  const bootId = await currentBootId();
  const [boot, namespace, machine = ""] = bootId.split("/");
  const [ownerBoot, ownerNamespace, ownerMachine] = owner.bootId.split("/");
  if (boot === "unknown" || ownerBoot === "unknown") return "unknown";
  if (boot !== ownerBoot) return machine !== "" && machine === ownerMachine ? "dead" : "unknown";
  // A canary in another container shares the engine and the boot but not our process numbers.
  if (namespace !== ownerNamespace) return "unknown";
  return (await startTicksOf(owner.pid)) === owner.startTicks ? "alive" : "dead";
}

/** Field 22, counted after the command name, which may itself hold spaces and brackets. Zombies count as dead. */
export function startTicksOfStat(stat: string): number | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[19]);
  return fields[0] === "Z" || fields[0] === "X" || !Number.isSafeInteger(ticks) ? undefined : ticks;
}

async function startTicksOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return stat === undefined ? undefined : startTicksOfStat(stat);
}

async function currentBootId(): Promise<string> {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "unknown");
  const namespace = await readlink("/proc/self/ns/pid").catch(() => "");
  // machine-id(5): not to be shown as it is.
  const machine = (await readFile("/etc/machine-id", "utf8").catch(() => "")).trim();
  const machineDigest = machine === "" ? "" : sha256Hex(`canary ${machine}`).slice(0, 16);
  return `${boot.trim()}/${namespace.replace(/\D/g, "")}/${machineDigest}`;
}
