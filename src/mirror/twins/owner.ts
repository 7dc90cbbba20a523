import { readFile, readlink } from "node:fs/promises";

/** The process a run belongs to; pid alone would be fooled by reuse, so its start time and the boot count too. */
export interface Owner {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat: clock ticks between boot and the start of the process. */
  readonly startTicks: number;
  /** Boot and, where known, process namespace: `<boot id>/<inode of the pid namespace>`. */
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

/** Asks /proc whether the process that owns a run still lives. Source of the fields: proc(5). */
export async function ownerState(owner: Owner): Promise<OwnerState> {
  const bootId = await currentBootId();
  const [boot, namespace] = bootId.split("/");
  const [ownerBoot, ownerNamespace] = owner.bootId.split("/");
  if (boot === "unknown" || ownerBoot === "unknown") return "unknown";
  if (boot !== ownerBoot) return "dead";
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
  return `${boot.trim()}/${namespace.replace(/\D/g, "")}`;
}
