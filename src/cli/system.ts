import type { Clock } from "../core/clock.ts";
import { CanaryError } from "../core/errors.ts";

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

/**
 * Aborts on the first SIGINT, SIGTERM or SIGHUP; the run then rolls back and tears down.
 * A third signal gives up waiting: the reaper removes what is left.
 */
export function abortOnSignals(say: (message: string) => void): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  let received = 0;
  const onSignal = (name: NodeJS.Signals): void => {
    received += 1;
    if (received === 1) {
      say(`${name}: stopping; the twins are rolled back and removed first`);
      controller.abort(
        new CanaryError({
          code: "ABORTED_BY_HUMAN",
          message: `aborted by ${name}`,
          hint: "Nothing was published. Start the run again for a verdict.",
        }),
      );
    } else if (received === 2) {
      say("still cleaning up; once more ends at once and leaves the rest to the reaper");
    } else {
      process.exit(21);
    }
  };
  const names: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
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
