import { readdir, readFile } from "node:fs/promises";
import type { ServiceProgram } from "../twin.ts";
import { type LookedAt, type LookOptions, livingReplicas, type TwinWithFiles } from "./files/looked-at.ts";

/**
 * Every process that descends from a replica's main process, that one included. What the engine started beside it (checks of
 * health, `exec`) belongs to whoever asked for it and ends with them; what they leave behind becomes the main process's child.
 */
export async function programsOf(
  raised: TwinWithFiles,
  signal: AbortSignal,
  options: LookOptions = {},
): Promise<readonly ServiceProgram[]> {
  const replicas = await livingReplicas(raised, signal, options);
  const found = await Promise.all(
    replicas.map(async (at) => {
      const seen = (at.view === undefined ? undefined : await onHost(at)) ?? (await byEngine(raised, at, signal));
      return seen.map(({ pid, started, name, forked }): ServiceProgram => {
        const { service, containerId } = at.replica;
        return { service, replica: containerId, id: `${containerId} ${pid} ${started}`, name, forked };
      });
    }),
  );
  return found.flat();
}

interface Seen {
  readonly pid: number;
  readonly started: string;
  readonly name: string;
  readonly forked: boolean;
}

/** Of a process that was forked and runs its parent's program. Source: PF_FORKNOEXEC, include/linux/sched.h. */
const FORKED = 0x40;

/** `undefined` where this kernel does not list the children of a process. */
async function onHost({ details }: LookedAt): Promise<readonly Seen[] | undefined> {
  const seen: Seen[] = [];
  const open = [details.State.Pid];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    const children = await childrenOf(pid);
    if (children === undefined) return undefined;
    const [stat] = await Promise.all([textOf(`/proc/${pid}/stat`)]);
    const one = stat === undefined ? undefined : parseStat(pid, stat);
    if (one !== undefined) seen.push(one);
    open.push(...children);
  }
  return seen;
}

/** Each thread has its own children. */
async function childrenOf(pid: number): Promise<readonly number[] | undefined> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(threads.map((thread) => textOf(`/proc/${pid}/task/${thread}/children`)));
  if (threads.length > 0 && lists.every((list) => list === undefined)) return undefined;
  return lists.flatMap((list) => (list ?? "").split(" ").filter((one) => one !== "")).map(Number);
}

/** `undefined` for a process that has ended and was not waited for yet. Source: proc(5), /proc/pid/stat. */
function parseStat(pid: number, stat: string): Seen | undefined {
  const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z") return undefined;
  return { pid, name, started: fields[19] ?? "", forked: (Number(fields[6]) & FORKED) !== 0 };
}

async function textOf(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch(() => undefined);
}

const COLUMNS = "pid,ppid,stat,f,comm";

async function byEngine(raised: TwinWithFiles, at: LookedAt, signal: AbortSignal): Promise<readonly Seen[]> {
  const { service, containerId } = at.replica;
  const { Processes: rows } = await raised.twin.engine.read(`listing processes of ${service}`, signal, (docker) =>
    docker.getContainer(containerId).top({ ps_args: `-eo ${COLUMNS}` }),
  );
  const all = (rows as readonly (readonly string[])[]).map(
    ([pid = "", parent = "", state = "", flags = "", ...name]) => ({
      pid: Number(pid),
      parent: Number(parent),
      ended: state.startsWith("Z"),
      // ps shows the same flag shifted to its first digit: "1: forked but didn't exec".
      forked: (Number(flags) & 1) === 1,
      name: name.join(" "),
    }),
  );
  const descends = (pid: number, parent: number): boolean => {
    if (pid === at.details.State.Pid) return true;
    const above = all.find((one) => one.pid === parent && one.pid !== pid);
    return above !== undefined && descends(above.pid, above.parent);
  };
  return all
    .filter(({ pid, parent, ended }) => !ended && descends(pid, parent))
    .map(({ pid, name, forked }) => ({ pid, name, forked, started: "" }));
}
