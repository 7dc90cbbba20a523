import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import type { ServiceProgram } from "../twin-surroundings.ts";
import { type LookedAt, type LookOptions, livingReplicas, type TwinWithFiles } from "./files/looked-at.ts";

/** What comes and goes within so long is nothing that anybody left running. */
const RUNS_MS = 200;

/**
 * Every process that descends from a replica's main process, that one included, and runs for a while. What the engine started
 * beside it (checks of health, `exec`) belongs to whoever asked for it and ends with them; what they leave behind becomes the main
 * process's child.
 */
export async function programsOf(
  raised: TwinWithFiles,
  signal: AbortSignal,
  options: LookOptions = {},
): Promise<readonly ServiceProgram[]> {
  const replicas = await livingReplicas(raised, signal, options);
  const look = (): Promise<readonly (readonly Seen[])[]> =>
    Promise.all(
      replicas.map(async (at) => (at.view === undefined ? undefined : onHost(at)) ?? byEngine(raised, at, signal)),
    );
  const first = await look();
  await raised.twin.clock.sleep(RUNS_MS, signal);
  const second = await look();
  return replicas.flatMap(({ replica: { service, containerId } }, index) => {
    const before = new Set(first[index]?.map(({ id }) => id));
    const stayed = (second[index] ?? []).filter(({ id }) => before.has(id));
    return stayed.map(({ name, forked }): ServiceProgram => ({ service, replica: containerId, name, forked }));
  });
}

interface Seen {
  /** Of no other process of its container while it runs. */
  readonly id: string;
  readonly name: string;
  readonly forked: boolean;
}

/** Of a process that was forked and runs its parent's program. Source: PF_FORKNOEXEC, include/linux/sched.h. */
const FORKED = 0x40;

/** `undefined` where this kernel does not list the children of a process. */
function onHost({ details }: LookedAt): readonly Seen[] | undefined {
  const seen: Seen[] = [];
  const open = [details.State.Pid];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    const children = childrenOf(pid);
    if (children === undefined) return undefined;
    const stat = textOf(`/proc/${pid}/stat`);
    const one = stat === undefined ? undefined : parseStat(pid, stat, textOf(`/proc/${pid}/cmdline`) ?? "");
    if (one !== undefined) seen.push(one);
    open.push(...children);
  }
  return seen;
}

/** Each thread has its own children. */
function childrenOf(pid: number): readonly number[] | undefined {
  const threads = namesIn(`/proc/${pid}/task`);
  const lists = threads.map((thread) => textOf(`/proc/${pid}/task/${thread}/children`));
  if (threads.length > 0 && lists.every((list) => list === undefined)) return undefined;
  return lists.flatMap((list) => (list ?? "").split(" ").filter((one) => one !== "")).map(Number);
}

// The kernel answers from memory: on a loaded machine, asking through threads took ten times as long (1.1 s against 0.1 s).

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** `undefined` for a process that has ended and was not waited for yet. Source: proc(5), /proc/pid/stat. */
function parseStat(pid: number, stat: string, command: string): Seen | undefined {
  const own = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z") return undefined;
  const name = nameIn(command.replaceAll("\0", " "), own);
  return { id: `${pid} ${fields[19]}`, name, forked: (Number(fields[6]) & FORKED) !== 0 };
}

/** Of a command line or of what a server shows in its place, e.g. `postgres: checkpointer`: the program. */
function nameIn(command: string, otherwise: string): string {
  const [word = ""] = command.trim().split(/\s+/);
  return posix.basename(word).replace(/^-|:$/g, "") || otherwise;
}

const COLUMNS = "pid,ppid,stat,f,args";

/** Without the time of start: numbers of processes are not given again within one look. */
async function byEngine(raised: TwinWithFiles, at: LookedAt, signal: AbortSignal): Promise<readonly Seen[]> {
  const { service, containerId } = at.replica;
  const { Processes: rows } = await raised.twin.engine.read(`listing processes of ${service}`, signal, (docker) =>
    docker.getContainer(containerId).top({ ps_args: `-eo ${COLUMNS}` }),
  );
  const all = (rows as readonly (readonly string[])[]).map(([pid, parent, state = "", flags, ...command]) => ({
    pid: Number(pid),
    parent: Number(parent),
    ended: state.startsWith("Z"),
    // ps shows the same flag as its lowest bit: "forked but didn't exec".
    forked: (Number(flags) & 1) === 1,
    name: nameIn(command.join(" "), "?"),
  }));
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]));
  const descends = (pid: number): boolean => {
    for (let one: number | undefined = pid, steps = 0; one !== undefined && steps <= all.length; steps++) {
      if (one === at.details.State.Pid) return true;
      one = parents.get(one);
    }
    return false;
  };
  return all
    .filter(({ pid, ended }) => !ended && descends(pid))
    .map(({ pid, name, forked }) => ({ id: String(pid), name, forked }));
}
