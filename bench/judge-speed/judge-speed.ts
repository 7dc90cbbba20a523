import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { environmentGates } from "../../src/judge/gates.ts";
import { JudgeLimitsSchema } from "../../src/judge/judge-limits.ts";
import { judgeSlos } from "../../src/judge/judge-slos.ts";
import { plannedPower } from "../../src/judge/planned-power.ts";
import { workShrank } from "../../src/judge/work-reasons.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { SloSchema } from "../../src/measure/slo.ts";
import { routeReports } from "../../src/measure/summaries.ts";
import { readPairs } from "../../src/replay/recordings/read-pairs.ts";

// How long judging a stored run of ten million samples takes, and how much memory. See README.md beside this file.

const PAIRS = 5_000_000;
const RATE_PER_SECOND = 300;
const ROUTES = ["browse", "search", "checkout", "status"];
const SLOS = [
  { name: "latency-p99", measure: { kind: "latency", quantile: 0.99 }, limit: { to: "+10%" } },
  { name: "latency-p50", measure: { kind: "latency", quantile: 0.5 }, limit: { to: "+10%" } },
  { name: "checkout-p95", measure: { kind: "latency", route: "checkout", quantile: 0.95 }, limit: { to: "+10%" } },
  { name: "search-p95", measure: { kind: "latency", route: "search", quantile: 0.95 }, limit: { to: "+3" } },
  { name: "errors", measure: { kind: "errors" }, limit: { to: "+0.1pp" } },
  { name: "served", measure: { kind: "served" }, limit: { from: "-2%" } },
].map((slo) => ({ slo: SloSchema.parse(slo) }));

const limits = JudgeLimitsSchema.parse({});
const baseline = { fromMs: 10_000, toMs: 610_000 };
const after = { fromMs: 650_000, toMs: (PAIRS / RATE_PER_SECOND) * 1000 };
const common = { slos: SLOS, limits, restarted: false };

function say(what: string, ms: number): void {
  console.log(`${what.padEnd(70)} ${ms.toFixed(ms < 10 ? 2 : 0).padStart(8)} ms`);
}

function timed<T>(what: string, run: () => T): T {
  const startMs = performance.now();
  const answer = run();
  say(what, performance.now() - startMs);
  return answer;
}

function measureLooks(store: ReturnType<typeof createBlockStore>): void {
  const looksMs: number[] = [];
  for (let blocks = 6; blocks <= 180; blocks++) {
    const sofar = { fromMs: after.fromMs, toMs: after.fromMs + blocks * 10_000 };
    const startMs = performance.now();
    judgeSlos({ ...common, store, windows: { baseline, after: sofar } });
    looksMs.push(performance.now() - startMs);
  }
  looksMs.sort((a, b) => a - b);
  say("a look during the run, 6 to 180 blocks of 10 s: median", looksMs[87] ?? Number.NaN);
  say("the same: 95th of 100", looksMs[Math.floor(looksMs.length * 0.95)] ?? Number.NaN);
}

const dir = await mkdtemp(join(tmpdir(), "judge-speed-"));
try {
  const writer = fileURLToPath(new URL("./write-recording.ts", import.meta.url));
  execFileSync(process.execPath, [writer, dir, String(PAIRS), String(RATE_PER_SECOND), String(ROUTES.length)]);
  console.log(`${(2 * PAIRS) / 1e6} million samples, load average ${loadavg()[0]?.toFixed(1)}`);
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const store = createBlockStore({ routes: ROUTES });
  for await (const batch of readPairs(dir)) store.addPairs(batch);
  say("read the file and count into base blocks", performance.now() - startMs);
  timed("power after the baseline", () => plannedPower({ ...common, store, baseline }));
  const windows = { baseline, after };
  const judged = timed(`judge ${SLOS.length} SLOs over the whole run`, () => judgeSlos({ ...common, store, windows }));
  timed("gates and served work", () => {
    environmentGates({ ...common, store, windows, cores: "shared" });
    workShrank(store, after, limits);
  });
  say("a verdict from a stored run, all in", performance.now() - startMs);
  const cpu = process.cpuUsage(startCpu);
  say("the same in CPU time, which other work on the machine lengthens less", (cpu.user + cpu.system) / 1000);
  console.log(`peak resident memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
  timed("summaries and distributions for the report", () => routeReports(store, after));
  measureLooks(store);
  console.log(`peak resident memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
  console.log(judged.map((slo) => `${slo.name} ${slo.state}`).join(", "));
} finally {
  await rm(dir, { recursive: true, force: true });
}
