import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** What wrk says about one run. */
export interface WrkResult {
  readonly ratePerSecond: number;
  readonly latencyMs: { readonly p50: number; readonly p90: number; readonly p99: number };
}

/**
 * Runs Debian's wrk against one service at about `ratePerSecond`. wrk is a closed loop without a rate: each of its
 * connections waits an exponential time before a request, so that many of them together come close to a Poisson process.
 */
export async function runWrk(options: {
  readonly url: string;
  readonly ratePerSecond: number;
  readonly seconds: number;
  readonly meanServiceMs: number;
}): Promise<WrkResult> {
  const connections = Math.max(10, Math.ceil(options.ratePerSecond / 5));
  const thinkMs = (connections / options.ratePerSecond) * 1000 - options.meanServiceMs;
  const script = join(
    tmpdir(),
    `canary-wrk-${process.pid}-${Math.floor(options.ratePerSecond)}-${new URL(options.url).port}.lua`,
  );
  await writeFile(script, luaScript(thinkMs));
  try {
    const args = ["-t1", `-c${connections}`, `-d${options.seconds}s`, "-s", script, options.url];
    const { stdout } = await promisify(execFile)("wrk", args);
    const match = /RESULT (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(stdout);
    if (match === null) throw new Error(`wrk printed no result:\n${stdout}`);
    const [requests = 0, durationUs = 1, p50 = 0, p90 = 0, p99 = 0] = match.slice(1).map(Number);
    return {
      ratePerSecond: requests / (durationUs / 1e6),
      latencyMs: { p50: p50 / 1000, p90: p90 / 1000, p99: p99 / 1000 },
    };
  } finally {
    await rm(script, { force: true });
  }
}

function luaScript(thinkMs: number): string {
  return `
function delay() return math.floor(-math.log(1 - math.random()) * ${thinkMs.toFixed(3)} + 0.5) end
function done(summary, latency)
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(90), latency:percentile(99)))
end
`;
}
