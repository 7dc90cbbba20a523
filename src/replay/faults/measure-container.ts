import { messageOf } from "../../core/errors.ts";
import type { Fault } from "./fault-spec.ts";
import { type FaultTools, type Measured, probeLink } from "./fault-tools.ts";

type ServiceFault = Extract<Fault, { service: string }>;

/** Shorter than for slow answers: what is stopped or paused does not answer, however long one waits. */
const SILENCE_MS = 300;

/** Whether a fault of a service's containers is in force: as the engine reports it and as a caller feels it. */
export async function measureContainer(fault: ServiceFault, tools: FaultTools, signal: AbortSignal): Promise<Measured> {
  switch (fault.kind) {
    case "cpu":
    case "memory":
      return await measureLimit(fault, tools, signal);
    case "kill":
    case "stop":
    case "pause":
    case "disconnect": {
      const condition = await tools.faults.condition(fault.service, signal);
      const gone =
        fault.kind === "disconnect"
          ? condition.connected === 0
          : condition.running === 0 && (fault.kind === "pause" ? condition.paused > 0 : condition.ended > 0);
      const felt = await howItFeels(fault.service, tools, signal);
      return { holds: gone && felt.answered !== true, said: `${describe(condition)}; ${felt.said}` };
    }
  }
}

/** Whether everything is back: containers run and are connected, limits are the old ones, and the service answers. */
export async function measureRecovered(fault: ServiceFault, tools: FaultTools, signal: AbortSignal): Promise<Measured> {
  if (fault.kind === "cpu" || fault.kind === "memory") {
    const { holds, said } = await measureLimit(fault, tools, signal);
    return { holds: !holds, said };
  }
  const condition = await tools.faults.condition(fault.service, signal);
  const back = condition.running > 0 && condition.ended === 0 && condition.paused === 0;
  const connected = condition.connected >= condition.running;
  const felt = await howItFeels(fault.service, tools, signal);
  const well = back && connected && felt.answered !== false ? await storeAnswers(fault.service, tools) : undefined;
  return { holds: well?.holds === true, said: `${describe(condition)}; ${felt.said}${well?.said ?? ""}` };
}

/** A store that accepts connections may still be recovering; only a statement tells. */
async function storeAnswers(service: string, { shadow, spec }: FaultTools): Promise<Measured> {
  const store = spec.state.find((one) => one.service === service);
  if (store === undefined) return { holds: true, said: "" };
  try {
    if (store.kind === "postgres") await shadow.sql({ service }, "SELECT 1");
    else await shadow.redis({ service }, ["PING"]);
    return { holds: true, said: " and a statement" };
  } catch (thrown) {
    return { holds: false, said: `; a statement failed: ${messageOf(thrown)}` };
  }
}

/** A connection through a link to the service; `undefined` where nobody depends on it. */
async function howItFeels(
  service: string,
  tools: FaultTools,
  signal: AbortSignal,
): Promise<{ readonly answered: boolean | undefined; readonly said: string }> {
  const link = tools.faults.links.find((one) => one.to === service);
  if (link === undefined) return { answered: undefined, said: "nobody depends on it, so only the engine tells" };
  const { outcome } = await probeLink(tools, link, { waitMs: SILENCE_MS, signal });
  return { answered: outcome === "answered", said: `a connection of ${link.from} was ${outcome}` };
}

/** Files of both versions of control groups, as a container sees its own; `cat` prints those that exist. */
const CGROUP = {
  memory: ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"],
  cpu: ["/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"],
  /** Only the older version has the period apart. */
  period: "/sys/fs/cgroup/cpu/cpu.cfs_period_us",
} as const;

/** Reads a limit from inside the container. */
async function measureLimit(
  fault: Extract<ServiceFault, { kind: "cpu" | "memory" }>,
  { shadow }: FaultTools,
  signal: AbortSignal,
): Promise<Measured> {
  const files = fault.kind === "memory" ? CGROUP.memory : [...CGROUP.cpu, CGROUP.period];
  const { stdout, stderr } = await shadow.exec(fault.service, ["cat", ...files], signal);
  const numbers = stdout
    .trim()
    .split(/\s+/)
    .map(Number)
    .filter((value) => Number.isFinite(value));
  const [first] = numbers;
  if (first === undefined) return { holds: false, said: `the limit can not be read inside: ${stderr.trim()}` };
  if (fault.kind === "memory") {
    // The kernel rounds down to whole pages.
    const holds = first > 0 && Math.abs(first - fault.memoryBytes) < 64 * 1024;
    return { holds, said: `its control group allows ${Math.round(first / 1024 / 1024)} MiB` };
  }
  const cpus = first / (numbers[1] ?? 100_000);
  return { holds: Math.abs(cpus - fault.cpus) < 0.01, said: `its control group allows ${cpus} cpu` };
}

function describe(condition: { running: number; paused: number; ended: number; connected: number }): string {
  const { running, paused, ended, connected } = condition;
  return `${running} running, ${paused} paused, ${ended} ended, ${connected} on the network`;
}
