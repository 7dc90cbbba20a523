import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

// The driver is a process of its own and this is its one file that knows time and the process; everything else in this
// folder gets a `DriverClock`.

/** Time and wake-ups of the driver. */
export interface DriverClock {
  /** Milliseconds of CLOCK_MONOTONIC, which all processes of a host share; the same axis as `Clock.monotonicMs()`. */
  readonly nowMs: () => number;
  /** Calls `wake` once, at `atMs` or as soon after it as the machine allows; a later call replaces it. */
  readonly wakeAt: (atMs: number, wake: () => void) => void;
  /** Calls `tick` about every `periodMs` until the returned function is called. */
  readonly every: (periodMs: number, tick: () => void) => () => void;
  /** CPU time of the sending thread so far, ms. */
  readonly cpuMs: () => number;
}

/** Memory shared with the alarm's thread. */
export interface AlarmMemory {
  /** `SET` counts how often the alarm was set. */
  readonly control: Int32Array<SharedArrayBuffer>;
  /** `DEADLINE` is when it should ring, host ms. */
  readonly deadline: Float64Array<SharedArrayBuffer>;
}
export const SET = 0;
export const DEADLINE = 0;

const ALARM = fileURLToPath(
  new URL(`./alarm-thread${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url),
);

/** The alarm takes about this long to reach the sending thread, so it is set earlier; what is left is turned away. */
const RING_MS = 0.12;

const ORIGIN_MS = hostOriginMs();

/** CLOCK_MONOTONIC in ms, read without allocating a BigInt for each of thousands of readings a second. */
export function hostNowMs(): number {
  return ORIGIN_MS + performance.now();
}

/** Both clocks are read several times and the closest pair counts: a preemption between the two would shift the axis. */
function hostOriginMs(): number {
  let originMs = 0;
  let closestNs = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 50; attempt++) {
    const before = process.hrtime.bigint();
    const readingMs = performance.now();
    const gapNs = Number(process.hrtime.bigint() - before);
    if (gapNs >= closestNs) continue;
    closestNs = gapNs;
    originMs = (Number(before) + gapNs / 2) / 1e6 - readingMs;
  }
  return originMs;
}

/** The real clock; resolves when its alarm can ring. Its thread ends with the process. */
export async function systemDriverClock(): Promise<DriverClock> {
  const memory = alarmMemory();
  const thread = new Worker(ALARM, { workerData: memory });
  await new Promise((resolve) => thread.once("online", resolve));
  let due = { atMs: Number.POSITIVE_INFINITY, wake: (): void => undefined };
  let turn: NodeJS.Immediate | undefined;
  const ring = (): void => {
    const waitMs = due.atMs - hostNowMs();
    if (waitMs <= 0) due.wake();
    else if (waitMs <= RING_MS) turn = setImmediate(ring);
    else setAlarm(memory, due.atMs - RING_MS);
  };
  thread.on("message", ring);
  return {
    nowMs: hostNowMs,
    wakeAt: (atMs, wake) => {
      clearImmediate(turn);
      due = { atMs, wake };
      ring();
    },
    every: (periodMs, tick) => {
      const interval = setInterval(tick, periodMs);
      return () => clearInterval(interval);
    },
    cpuMs: () => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    },
  };
}

function alarmMemory(): AlarmMemory {
  const deadline = new Float64Array(new SharedArrayBuffer(8));
  deadline[DEADLINE] = Number.POSITIVE_INFINITY;
  return { control: new Int32Array(new SharedArrayBuffer(4)), deadline };
}

function setAlarm(memory: AlarmMemory, atMs: number): void {
  memory.deadline[DEADLINE] = atMs;
  Atomics.add(memory.control, SET, 1);
  Atomics.notify(memory.control, SET);
}

/** Raises this thread above ordinary ones; false if the machine forbids it. */
export function raiseNiceness(): boolean {
  try {
    setPriority(-15);
    return true;
  } catch {
    return false;
  }
}
