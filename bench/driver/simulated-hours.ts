import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Role } from "../../src/mirror/twin.ts";
import { startDrive } from "../../src/replay/driver/drive.ts";
import type { DriverClock } from "../../src/replay/driver/driver-clock.ts";
import { driverHealth } from "../../src/replay/driver/driver-health.ts";
import type { Lane } from "../../src/replay/driver/flight.ts";
import { startPairWriter } from "../../src/replay/driver/pair-writer.ts";
import { PAIRS_FILE } from "../../src/replay/recordings/pair-format.ts";
import { readPairs } from "../../src/replay/recordings/read-pairs.ts";
import type { HttpMessage } from "../../src/replay/traffic/compile-call.ts";
import { planTraffic } from "../../src/replay/traffic/traffic-plan.ts";
import { TrafficSpecSchema } from "../../src/replay/traffic-spec.ts";

// Four hours of 300 requests a second through everything of the driver but sockets and the real clock: arrivals,
// templates, captures, outcomes, the file. Run with --expose-gc; prints the live heap after each simulated half hour.

const RATE = 300;
const HOURS = 4;
const HALF_HOUR_MS = 30 * 60_000;

let nowMs = 0;
let alarm = { atMs: 0, wake: (): void => undefined };
const clock: DriverClock = {
  nowMs: () => nowMs,
  wakeAt: (atMs, wake) => {
    alarm = { atMs, wake };
  },
  every: () => () => undefined,
  cpuMs: () => 0,
};

/** Answers at once, with a value of its own for the route that captures one. */
function lane(role: Role): Lane<HttpMessage> {
  return {
    send: (_message, flight) => {
      const captured = (): ReadonlyMap<string, string> => new Map([["order", `${role}-${flight.slot.sequence}`]]);
      flight.land({ kind: "answer", status: 200, ok: true, captured });
      return () => undefined;
    },
    close: async () => undefined,
  };
}

const dir = await mkdtemp(join(tmpdir(), "canary-hours-"));
const writer = await startPairWriter({ dir, onWritten: () => undefined, onFailure: (error) => console.error(error) });
const spec = TrafficSpecSchema.parse({
  ratePerSecond: RATE,
  values: { sku: ["a", "b", "c"] },
  mix: [
    {
      route: "buy",
      weight: 1,
      http: { method: "POST", path: "/buy", body: { sku: "${pick:sku}" } },
      capture: { order: { json: "/id" } },
    },
    { route: "status", weight: 3, http: { path: "/orders/${order}" } },
  ],
});
const lanes = { control: { http: lane("control") }, shadow: { http: lane("shadow") } };
const drive = startDrive({
  plan: planTraffic(spec, []),
  seed: 1,
  lanes,
  clock,
  health: driverHealth(),
  writer,
  startMs: 0,
});
const heapMb = (): string => {
  globalThis.gc?.();
  return (process.memoryUsage().heapUsed / 2 ** 20).toFixed(1);
};
const heaps: string[] = [];
for (let halfHour = 1; halfHour <= 2 * HOURS; halfHour++) {
  while (nowMs < halfHour * HALF_HOUR_MS) {
    const flushAtMs = nowMs + 250;
    while (alarm.atMs < flushAtMs) {
      nowMs = alarm.atMs;
      alarm.wake();
    }
    nowMs = flushAtMs;
    await writer.flush();
    if (nowMs % 500 === 0) drive.beat();
  }
  heaps.push(heapMb());
}
await writer.end();
const { size } = await stat(join(dir, PAIRS_FILE));
const startedMs = performance.now();
let rows = 0;
for await (const batch of readPairs(dir)) rows += batch.size;
const readS = (performance.now() - startedMs) / 1000;
await rm(dir, { recursive: true, force: true });
console.log(`\n## ${HOURS} simulated hours at ${RATE} requests/s to each\n`);
console.log(
  `Live heap after each half hour, MB: ${heaps.join(", ")}. ${rows} rows, ${(size / 1e6).toFixed(0)} MB on disk,`,
);
console.log(`read back in ${readS.toFixed(2)} s (${((2 * rows) / readS / 1e6).toFixed(1)} million samples a second).`);
