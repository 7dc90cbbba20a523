// npx node bench/gate/start.ts [starts]: from the command `canary gate serve` to the line that says where it listens, and to
// the first 200 of /readyz; compiled as its users get it, and from source, beside an empty Node, in turns. The ledger has a few
// entries; policy is the one that ships. CPU time is that of all its threads until it was ready, in steps of 10 ms.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { type GateFolder, gateFolder } from "../../test/gate/gate-process.ts";
import { gateWorld } from "../../test/gate/gate-world.ts";
import { compiledPackage } from "../compiled-package.ts";

const starts = Number(process.argv[2] ?? 11);
await using world = await gateWorld();
using compiled = compiledPackage();
await using folder = await gateFolder(world, ["production/eu-west"]);

interface Start {
  readonly listensMs: number;
  readonly readyMs: number;
  readonly cpuMs: number;
}

async function start(canary?: string): Promise<Start> {
  const fromMs = performance.now();
  const gate = await folder.start(canary);
  const listensMs = performance.now() - fromMs;
  while ((await fetch(`${gate.url}/readyz`)).status !== 200);
  const readyMs = performance.now() - fromMs;
  const cpuMs = cpuMsOf(gate);
  await gate.kill();
  return { listensMs, readyMs, cpuMs };
}

/** Its time in user and kernel mode (proc_pid_stat(5): fields 14 and 15, in ticks of 10 ms). */
function cpuMsOf({ pid }: Awaited<ReturnType<GateFolder["start"]>>): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

// The first start makes the ledger and its key.
await start();
const took: { readonly compiled: Start; readonly source: Start; readonly emptyMs: number }[] = [];
for (let index = 0; index < starts; index++) {
  const [fromCompiled, fromSource] = [await start(compiled.canary), await start()];
  const emptyFromMs = performance.now();
  execFileSync(process.execPath, ["-e", "0"]);
  took.push({ compiled: fromCompiled, source: fromSource, emptyMs: performance.now() - emptyFromMs });
}
const median = (values: readonly number[]): number =>
  Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
const summary = (all: readonly Start[]) => ({
  listensMsMedian: median(all.map(({ listensMs }) => listensMs)),
  listensMsLeast: Math.round(Math.min(...all.map(({ listensMs }) => listensMs))),
  readyMsMedian: median(all.map(({ readyMs }) => readyMs)),
  cpuMsMedian: median(all.map(({ cpuMs }) => cpuMs)),
});
const report = {
  starts,
  compiled: summary(took.map((one) => one.compiled)),
  source: summary(took.map((one) => one.source)),
  emptyNodeMsMedian: median(took.map(({ emptyMs }) => emptyMs)),
  loadAverage: loadavg()[0],
};
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
