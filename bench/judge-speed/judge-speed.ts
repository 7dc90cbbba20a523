import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// How long judging takes and how much memory: every row a process of its own. See README.md beside this file.
//   npm run bench:judge-speed -- [--quick]

const isQuick = process.argv.includes("--quick");
/** A run of this length at growing rates: what grows is only the number of requests. */
const SECONDS = 2000;
const RATES = isQuick ? [500] : [500, 1250, 2500, 5000];
const LOOK_BLOCKS = isQuick ? [10] : [1, 2, 10];

function inProcess(script: string, ...args: readonly (string | number)[]): string {
  const file = fileURLToPath(new URL(`./${script}.ts`, import.meta.url));
  return execFileSync(process.execPath, [file, ...args.map(String)], { encoding: "utf8" });
}

console.log(`Node ${process.version}, load average ${loadavg()[0]?.toFixed(1)} when it began`);
for (const ratePerSecond of RATES) {
  const dir = await mkdtemp(join(tmpdir(), "judge-speed-"));
  try {
    inProcess("write-recording", dir, SECONDS * ratePerSecond, ratePerSecond);
    process.stdout.write(inProcess("time-verdict", dir, SECONDS * ratePerSecond, ratePerSecond));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
for (const blockSeconds of LOOK_BLOCKS) process.stdout.write(inProcess("time-looks", blockSeconds));
