// npx node bench/gate/start.ts [starts]: from the command `canary gate serve` to the line that says where it listens, beside an
// empty Node, in turns. The ledger has a few entries; policy is the one that ships.
import { execFileSync } from "node:child_process";
import { loadavg } from "node:os";
import { gateFolder } from "../../test/gate/gate-process.ts";
import { gateWorld } from "../../test/gate/gate-world.ts";

const starts = Number(process.argv[2] ?? 11);
await using world = await gateWorld();
await using folder = await gateFolder(world, ["production/eu-west"]);
const took: { readonly gateMs: number; readonly nodeMs: number }[] = [];
// The first start makes the ledger and its key.
for (let start = -1; start < starts; start++) {
  const fromMs = performance.now();
  const gate = await folder.start();
  const gateMs = performance.now() - fromMs;
  await gate.kill();
  const nodeFromMs = performance.now();
  execFileSync(process.execPath, ["-e", "0"]);
  if (start >= 0) took.push({ gateMs, nodeMs: performance.now() - nodeFromMs });
}
const median = (values: readonly number[]): number =>
  Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
const report = {
  starts,
  gateMsMedian: median(took.map(({ gateMs }) => gateMs)),
  gateMsLeast: Math.round(Math.min(...took.map(({ gateMs }) => gateMs))),
  emptyNodeMsMedian: median(took.map(({ nodeMs }) => nodeMs)),
  loadAverage: loadavg()[0],
};
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
