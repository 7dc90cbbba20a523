import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startDriver } from "../../../src/replay/driver/start-driver.ts";
import { readPairs, type Truncation } from "../../../src/replay/recordings/read-pairs.ts";
import { FOREVER, httpTwins, scratchDir, watch } from "./loopback-twins.ts";

const HOME = { ratePerSecond: 200, mix: [{ route: "home", weight: 1, timeoutMs: 1000, http: { path: "/${seq}" } }] };

/** Process ids of the drivers that this process started. */
function driverPids(): readonly number[] {
  try {
    return execFileSync("pgrep", ["-P", String(process.pid), "-f", "driver-main"])
      .toString()
      .trim()
      .split("\n")
      .map(Number);
  } catch {
    return [];
  }
}

test("a pause is a barrier: every request sent has its outcome, and none is sent until traffic resumes", async () => {
  await using scratch = await scratchDir();
  let received = 0;
  const held: (() => void)[] = [];
  await using twins = await httpTwins((_role, _request, response) => {
    received += 1;
    // Answers come one request late, so that at any instant something is under way.
    held.push(() => void response.end());
    if (held.length > 2) held.shift()?.();
  });
  const watched = watch({ traffic: HOME, targets: twins.targets, ...scratch });
  await using driver = await startDriver(watched.options);
  await watched.until(() => watched.pairs.length >= 20);
  await driver.pause(FOREVER);
  const [sentBefore, pairsBefore, pulsesBefore] = [received, watched.pairs.length, watched.pulses.length];
  expect(received).toBe(2 * pairsBefore);
  await watched.until(() => watched.pulses.length >= pulsesBefore + 2);
  expect(received).toBe(sentBefore);
  expect(watched.pulses.at(-1)?.arms.shadow.inFlight).toBe(0);

  await driver.resume();
  await watched.until(() => watched.pairs.length >= pairsBefore + 20);
  const report = await driver.finish(FOREVER);
  const ordered = watched.pairs.toSorted((a, b) => a.sequence - b.sequence);
  const gapMs = (ordered[pairsBefore]?.intendedMs ?? 0) - (ordered[pairsBefore - 1]?.intendedMs ?? 0);
  expect(gapMs).toBeGreaterThan(500);
  // The list went on from where it stopped: nothing was late for having been due in the pause.
  expect(report.sendLagMsMax).toBeLessThan(gapMs);
  expect(ordered.map((pair) => pair.sequence)).toEqual(ordered.map((_, index) => index));
});

test("a twin that stalls is not called a bottleneck of the driver, and its dropped requests are outcomes of its own", async () => {
  await using scratch = await scratchDir();
  await using twins = await httpTwins((role, _request, response) => {
    if (role === "control") response.end();
  });
  const watched = watch({ traffic: { ...HOME, inFlightMax: 50 }, targets: twins.targets, ...scratch });
  await using driver = await startDriver(watched.options);
  await watched.until(() => watched.pairs.some((pair) => pair.arms.shadow.outcome === "timeout"));
  const report = await driver.finish(FOREVER);
  const shadows = new Set(watched.pairs.map((pair) => pair.arms.shadow.outcome));
  expect(shadows).toEqual(new Set(["timeout", "dropped"]));
  expect(watched.pairs.every((pair) => pair.arms.control.outcome === "ok")).toBe(true);
  expect(watched.pairs.filter((pair) => pair.arms.shadow.outcome === "dropped").length).toBe(report.dropped);
  // Only the driver's own lateness (a busy machine) may make it one.
  expect(report.bottleneck.kind).toBe(report.lateSlots > 0.05 ? "yes" : "no");
});

test("the second request of a staggered pair follows by that much and its lag counts from there", async () => {
  await using scratch = await scratchDir();
  const arrivedMs = new Map<string, number[]>();
  await using twins = await httpTwins((_role, request, response) => {
    const url = request.url ?? "";
    arrivedMs.set(url, [...(arrivedMs.get(url) ?? []), performance.now()]);
    response.end();
  });
  const watched = watch({ traffic: { ...HOME, ratePerSecond: 40, staggerMs: 30 }, targets: twins.targets, ...scratch });
  await using driver = await startDriver(watched.options);
  await watched.until(() => watched.pairs.length >= 20);
  const report = await driver.finish(FOREVER);
  const gapsMs = [...arrivedMs.values()].map(([first = 0, second = 0]) => second - first).toSorted((a, b) => a - b);
  expect(gapsMs[Math.floor(gapsMs.length / 2)]).toBeGreaterThan(20);
  expect(report.sendLagMsP50).toBeLessThan(20);
});

test("an abort ends the driver and every waiting call with the abort's reason", async () => {
  await using scratch = await scratchDir();
  await using twins = await httpTwins((_role, _request, response) => void response.end());
  const abort = new AbortController();
  const watched = watch({ traffic: HOME, targets: twins.targets, ...scratch, signal: abort.signal });
  await using driver = await startDriver(watched.options);
  await watched.until(() => watched.pairs.length > 0);
  const finished = driver.finish(FOREVER);
  abort.abort(new Error("a human said stop"));
  await expect(finished).rejects.toThrow("a human said stop");
  await expect(driver.pause(FOREVER)).rejects.toThrow("a human said stop");
});

test("a driver that dies is REPLAY_FAILED, and what it wrote can be read as far as it came", async () => {
  await using scratch = await scratchDir();
  await using twins = await httpTwins((_role, _request, response) => void response.end());
  const watched = watch({ traffic: HOME, targets: twins.targets, ...scratch });
  await using driver = await startDriver(watched.options);
  await watched.until(() => watched.pairs.length >= 20);
  for (const pid of driverPids()) process.kill(pid, "SIGKILL");
  await expect(driver.finish(FOREVER)).rejects.toMatchObject({
    code: "REPLAY_FAILED",
    message: expect.stringContaining("SIGKILL"),
  });
  let rows = 0;
  const truncations: Truncation[] = [];
  for await (const batch of readPairs(scratch.dir, (truncation) => truncations.push(truncation))) rows += batch.size;
  expect(rows).toBeGreaterThanOrEqual(watched.pairs.length);
  expect(truncations).toMatchObject([{ rowsRead: rows }]);
});

test("the driver ends by itself when the process that started it is killed", async () => {
  await using scratch = await scratchDir();
  await using twins = await httpTwins((_role, _request, response) => void response.end());
  const script = fileURLToPath(new URL("./orphan-driver.ts", import.meta.url));
  const parent = spawn(process.execPath, [script, scratch.dir, JSON.stringify(twins.targets)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(parent.stdout, "data");
  const driverPid = Number(String(line));
  expect(driverPid).toBeGreaterThan(0);
  parent.kill("SIGKILL");
  await expect.poll(() => readFile(`/proc/${driverPid}/cmdline`, "utf8").catch(() => ""), { timeout: 10_000 }).toBe("");
});

test("a consumer that throws ends the driver with its error", async () => {
  await using scratch = await scratchDir();
  await using twins = await httpTwins((_role, _request, response) => void response.end());
  const { options } = watch({ traffic: HOME, targets: twins.targets, ...scratch });
  const called = Promise.withResolvers<void>();
  const onPairs = (): void => {
    called.resolve();
    throw new Error("the judge fell over");
  };
  await using driver = await startDriver({ ...options, onPairs });
  await called.promise;
  await expect(driver.finish(FOREVER)).rejects.toThrow("the judge fell over");
});

test.each([
  ["a recording that is not there", { recording: { file: "none.har", format: "har" } }, "RECORDING_INVALID"],
  [
    "a proto that is not there",
    { mix: [{ route: "g", weight: 1, grpc: { proto: "none.proto", service: "s", method: "m" } }] },
    "SCENARIO_INVALID",
  ],
  [
    "a placeholder that means nothing",
    { mix: [{ route: "h", weight: 1, http: { path: "/${x}" } }] },
    "SCENARIO_INVALID",
  ],
])("%s is refused before the first request", async (_what, part, code) => {
  await using scratch = await scratchDir();
  const address = { host: "127.0.0.1", port: 1 } as const;
  const targets = { control: { http: address }, shadow: { http: address } };
  const watched = watch({ traffic: { ratePerSecond: 10, ...part }, targets, ...scratch });
  await expect(startDriver(watched.options)).rejects.toMatchObject({ code });
  expect(driverPids()).toEqual([]);
});

test("traffic to an entry point that the mirror lacks is refused, and so is a folder that cannot be written", async () => {
  await using scratch = await scratchDir();
  const nowhere = watch({ traffic: HOME, targets: { control: {}, shadow: {} }, ...scratch });
  await expect(startDriver(nowhere.options)).rejects.toMatchObject({ code: "SCENARIO_INVALID" });
  await using twins = await httpTwins((_role, _request, response) => void response.end());
  const unwritable = watch({ traffic: HOME, targets: twins.targets, dir: `${scratch.dir}/none` });
  await expect(startDriver(unwritable.options)).rejects.toMatchObject({ code: "REPLAY_FAILED" });
});
