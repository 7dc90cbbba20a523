import { setPriority } from "node:os";

// The driver is a process of its own and this is its one file that knows time and the process; everything else in this
// folder gets a `DriverClock`.

/** Time and wake-ups of the driver. */
export interface DriverClock {
  /** Milliseconds of CLOCK_MONOTONIC, which all processes of a host share; the same axis as `Clock.monotonicMs()`. */
  readonly nowMs: () => number;
  /** Calls `wake` once, at `atMs` or as soon after it as the machine allows; a later call replaces it. */
  readonly wakeAt: (atMs: number, wake: () => void) => void;
  readonly cancelWake: () => void;
  /** Calls `tick` about every `periodMs` until the returned function is called. */
  readonly every: (periodMs: number, tick: () => void) => () => void;
  /** CPU time of the sending thread so far, ms. */
  readonly cpuMs: () => number;
}

/** Timers of the event loop are whole milliseconds and late; the last stretch is waited out in turns of the loop. */
const SPIN_MS = 1.1;

/** The real clock. */
export function systemDriverClock(): DriverClock {
  // `performance.now()` reads the same clock without allocating a BigInt for each of thousands of readings a second.
  const originMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();
  const nowMs = (): number => originMs + performance.now();
  let timer: NodeJS.Timeout | undefined;
  let turn: NodeJS.Immediate | undefined;
  const cancelWake = (): void => {
    clearTimeout(timer);
    clearImmediate(turn);
  };
  const wakeAt = (atMs: number, wake: () => void): void => {
    cancelWake();
    const waitMs = atMs - nowMs();
    if (waitMs <= 0) turn = setImmediate(wake);
    else if (waitMs > SPIN_MS) timer = setTimeout(() => wakeAt(atMs, wake), Math.floor(waitMs - SPIN_MS));
    else turn = setImmediate(() => wakeAt(atMs, wake));
  };
  return {
    nowMs,
    wakeAt,
    cancelWake,
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

/** Raises this thread above ordinary ones; false if the machine forbids it. */
export function raiseNiceness(): boolean {
  try {
    setPriority(-15);
    return true;
  } catch {
    return false;
  }
}
