import { type AbortCause, abortedByHuman } from "../core/abort-cause.ts";
import type { Clock } from "../core/clock.ts";

/**
 * The real clock. The monotonic axis is the host's (CLOCK_MONOTONIC), so that the driver's process shares it.
 */
export const systemClock: Clock = {
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  epochMs: () => Date.now(),
  sleep: (durationMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      }, durationMs);
      signal.addEventListener("abort", onAbort, { once: true });
    }),
};

/** A person who stops a command, by a signal or by keys. */
export interface HumanStop extends Disposable {
  readonly signal: AbortSignal;
  /** Aborts when they do not want to wait for more than the undo and the comparison of state. */
  readonly hurry: AbortSignal;
  /** As if this signal had been sent: for keys that no longer send it. */
  readonly interrupt: (name: NodeJS.Signals) => void;
  readonly abort: (cause: AbortCause) => void;
}

/**
 * Aborts on the first SIGINT, SIGTERM or SIGHUP; the run then rolls back and tears down. A second one skips what a person need not
 * wait for, a third gives up waiting: the reaper removes what is left.
 */
export function abortOnSignals(say: (message: string) => void): HumanStop {
  const controller = new AbortController();
  const hurry = new AbortController();
  let received = 0;
  const abort = (cause: AbortCause, shown: string): void => {
    received += 1;
    if (received === 1) {
      say(`${shown}: stopping; the twins are rolled back and removed first`);
      controller.abort(abortedByHuman(cause));
    } else if (received === 2) {
      say("still cleaning up; once more ends at once and leaves the rest to the reaper");
      hurry.abort(new Error("nobody wanted to wait for it"));
    } else {
      process.exit(21);
    }
  };
  const onSignal = (name: NodeJS.Signals): void => abort({ how: "signal", detail: name }, name);
  const names: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    hurry: hurry.signal,
    interrupt: onSignal,
    abort: (cause) => abort(cause, cause.detail),
    [Symbol.dispose]: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}

/** A fresh seed and run id; the only places where chance enters a run, and both are in every report. */
export function newRunIdentity(nowEpochMs: number): { readonly runId: string; readonly seed: number } {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 1;
  const stamp = new Date(nowEpochMs).toISOString().replaceAll(/[-:]/g, "").slice(0, 15).toLowerCase();
  const suffix = crypto.randomUUID().slice(0, 6);
  return { runId: `${stamp}-${suffix}`, seed: seed >>> 1 };
}
