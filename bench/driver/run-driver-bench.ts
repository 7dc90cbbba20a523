import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { comparePairs } from "../../src/measure/compare-pairs.ts";
import { responseLog } from "../../src/measure/response-log.ts";
import { startDriver } from "../../src/replay/driver/start-driver.ts";
import type { DriverReport } from "../../src/replay/recording.ts";
import { readPairs } from "../../src/replay/recordings/read-pairs.ts";
import type { DriverTargets } from "../../src/replay/traffic-driver.ts";
import { TrafficSpecSchema } from "../../src/replay/traffic-spec.ts";
import { runWrk } from "./wrk.ts";

// Measures the traffic driver against two trivial services, each in a process of its own. See README.md beside this file.

const { values: flags } = parseArgs({
  options: {
    rates: { type: "string", default: "100,300,600" },
    seconds: { type: "string", default: "20" },
    only: { type: "string", default: "" },
    "memory-seconds": { type: "string", default: "60" },
    "memory-rate": { type: "string", default: "1000" },
  },
});
const seconds = Number(flags.seconds);

interface Sampled {
  /** 0 compares no answers. */
  readonly sampledPerSecond: number;
  readonly routes: number;
}

interface Driven {
  readonly report: DriverReport;
  /** Quantiles of the control's service time, ms. */
  readonly service: { readonly p50: number; readonly p90: number; readonly p99: number };
  /** Resident memory of the driver's process, MB, once a second. */
  readonly rssMb: readonly number[];
  /** Pairs of answers compared. */
  readonly compared: number;
}

async function raiseService(): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  const child = fork(fileURLToPath(new URL("./trivial-service.ts", import.meta.url)));
  const [port] = await once(child, "message");
  return { port, child };
}

async function drive(
  targets: DriverTargets,
  path: string,
  ratePerSecond: number,
  durationS: number,
  staggerMs = 0,
  { sampledPerSecond, routes }: Sampled = { sampledPerSecond: 0, routes: 1 },
): Promise<Driven> {
  const dir = await mkdtemp(join(tmpdir(), "canary-bench-"));
  try {
    const signal = new AbortController().signal;
    const traffic = TrafficSpecSchema.parse({
      ratePerSecond,
      staggerMs,
      mix: Array.from({ length: routes }, (_, i) => ({ route: `trivial-${i}`, weight: 1, http: { path } })),
    });
    const compare = comparePairs(responseLog());
    let compared = 0;
    await using driver = await startDriver({
      traffic,
      baseDir: dir,
      targets,
      seed: 1,
      recordingDir: dir,
      onPairs: () => undefined,
      onPulse: () => undefined,
      sampledPerSecond,
      onSampled: (pair) => {
        compare(pair);
        compared += 1;
      },
      signal,
    });
    const pid = execFileSync("pgrep", ["-P", String(process.pid), "-f", "driver-main"])
      .toString()
      .trim();
    const rssMb: number[] = [];
    for (let second = 0; second < durationS; second++) {
      await sleep(1000);
      rssMb.push(await residentMb(pid));
    }
    const report = await driver.finish(signal);
    return { report, service: await serviceQuantiles(dir), rssMb, compared };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function residentMb(pid: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

async function serviceQuantiles(dir: string): Promise<Driven["service"]> {
  const all: number[] = [];
  for await (const batch of readPairs(dir)) for (const value of batch.arms.control.serviceMs) all.push(value);
  all.sort((a, b) => a - b);
  const at = (q: number): number => all[Math.floor(q * all.length)] ?? Number.NaN;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(" | ")} |`);
const ms = (value: number): string => value.toFixed(2);
const load = (): string =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(" ");

async function benchLag(targets: DriverTargets): Promise<void> {
  console.log("\n## Send lag, ms\n");
  row(["requests/s to each", "priority", "p50", "p99", "max", "late seconds", "bottleneck", "load before"]);
  row(Array.from({ length: 8 }, () => "---"));
  for (const rate of flags.rates.split(",").map(Number)) {
    const before = load();
    const { report } = await drive(targets, "/fast", rate, seconds);
    const lag = [report.sendLagMsP50, report.sendLagMsP99, report.sendLagMsMax].map(ms);
    row([rate, report.priority, ...lag, `${(report.lateSlots * 100).toFixed(0)}%`, report.bottleneck.kind, before]);
  }
}

const SAMPLES = [
  { path: "/json", sampledPerSecond: 0, routes: 20 },
  { path: "/json", sampledPerSecond: 2, routes: 20 },
  { path: "/large", sampledPerSecond: 0, routes: 20 },
  { path: "/large", sampledPerSecond: 2, routes: 20 },
] as const;

/** The most that is ever sampled, 40 pairs a second, in turns with none, so that a busy neighbour disturbs both. */
async function benchSampling(targets: DriverTargets): Promise<void> {
  const rate = 300;
  console.log(`\n## Send lag with answers compared, ${rate} requests/s to each, ms (medians of ${ROUNDS} rounds)\n`);
  row(["body", "pairs compared a second", "p50", "p99", "max", "late seconds", "load before"]);
  row(Array.from({ length: 7 }, () => "---"));
  const before = load();
  const rounds: Driven[][] = SAMPLES.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, sample] of SAMPLES.entries()) {
      rounds[i]?.push(await drive(targets, sample.path, rate, seconds, 0, sample));
    }
  }
  for (const [i, { path }] of SAMPLES.entries()) {
    const of = (pick: (driven: Driven) => number): number => median((rounds[i] ?? []).map(pick));
    const lag = [of((d) => d.report.sendLagMsP50), of((d) => d.report.sendLagMsP99), of((d) => d.report.sendLagMsMax)];
    const late = `${(of((d) => d.report.lateSlots) * 100).toFixed(0)}%`;
    row([path, (of((d) => d.compared) / seconds).toFixed(0), ...lag.map(ms), late, before]);
  }
}

type Quantiles = Driven["service"];

/** Rounds in which driver and wrk take turns, so that a busy neighbour disturbs both. */
const ROUNDS = 5;
const WRK_RATE = 200;

/** wrk's two instances are independent of each other; with a stagger our pairs do not meet on the cores either. */
const COMPARISONS = [
  { path: "/fast", staggerMs: 3, meanServiceMs: 0.3 },
  { path: "/fast", staggerMs: 0, meanServiceMs: 0.3 },
  { path: "/slow", staggerMs: 0, meanServiceMs: 11.5 },
] as const;

async function benchWrk(targets: DriverTargets, ports: readonly number[]): Promise<void> {
  console.log(
    `\n## Service time beside wrk, ${WRK_RATE} requests/s to each of two services, ms (medians of ${ROUNDS} rounds)\n`,
  );
  row(["path", "stagger", "tool", "p50", "p90", "p99", "load before"]);
  row(Array.from({ length: 7 }, () => "---"));
  for (const comparison of COMPARISONS) {
    const before = load();
    const rounds: { readonly ours: Quantiles; readonly theirs: Quantiles }[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await compareOnce(targets, ports, comparison));
    const of = (pick: (round: (typeof rounds)[number]) => number): string => ms(median(rounds.map(pick)));
    const { path, staggerMs } = comparison;
    row([path, staggerMs, "driver", of((r) => r.ours.p50), of((r) => r.ours.p90), of((r) => r.ours.p99), before]);
    row([path, staggerMs, "wrk", of((r) => r.theirs.p50), of((r) => r.theirs.p90), of((r) => r.theirs.p99), ""]);
    const ratio = (q: keyof Quantiles): string => of((r) => r.ours[q] / r.theirs[q]);
    row([path, staggerMs, "ratio", ratio("p50"), ratio("p90"), ratio("p99"), ""]);
  }
}

async function compareOnce(
  targets: DriverTargets,
  ports: readonly number[],
  { path, staggerMs, meanServiceMs }: (typeof COMPARISONS)[number],
): Promise<{ readonly ours: Quantiles; readonly theirs: Quantiles }> {
  const durationS = Math.max(2, Math.round(seconds / ROUNDS));
  const ours = (await drive(targets, path, WRK_RATE, durationS, staggerMs)).service;
  const wrk = { ratePerSecond: WRK_RATE, seconds: durationS, meanServiceMs };
  const [theirs] = await Promise.all(ports.map((port) => runWrk({ ...wrk, url: `http://127.0.0.1:${port}${path}` })));
  if (theirs === undefined) throw new Error("wrk did not run");
  return { ours, theirs: theirs.latencyMs };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function benchMemory(targets: DriverTargets): Promise<void> {
  const rate = Number(flags["memory-rate"]);
  const durationS = Number(flags["memory-seconds"]);
  const { rssMb, report } = await drive(targets, "/fast", rate, durationS);
  const at = (share: number): string => (rssMb[Math.floor(share * (rssMb.length - 1))] ?? 0).toFixed(0);
  console.log(`\n## Memory of the driver: ${report.sent} requests in ${durationS} s\n`);
  row(["after 10%", "after 25%", "after 50%", "after 75%", "at the end"]);
  row(Array.from({ length: 5 }, () => "---"));
  row([0.1, 0.25, 0.5, 0.75, 1].map((share) => `${at(share)} MB`));
}

const services = [await raiseService(), await raiseService()];
try {
  const [control, shadow] = services.map(({ port }) => ({ http: { host: "127.0.0.1", port } as const }));
  if (control === undefined || shadow === undefined) throw new Error("two services expected");
  const targets = { control, shadow };
  // The services compile their hot paths first, as the run's warm-up does.
  await drive(targets, "/fast", 300, 3);
  if (flags.only === "sampling") {
    await benchSampling(targets);
  } else {
    await benchLag(targets);
    await benchSampling(targets);
    await benchWrk(
      targets,
      services.map(({ port }) => port),
    );
    await benchMemory(targets);
    const hours = fork(fileURLToPath(new URL("./simulated-hours.ts", import.meta.url)), { execArgv: ["--expose-gc"] });
    await once(hours, "exit");
  }
} finally {
  for (const { child } of services) child.disconnect();
}
