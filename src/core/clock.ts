/** Time as the rest of the code may know it; `cli` wires the real one, tests move it by hand. */
export interface Clock {
  /** Milliseconds since an arbitrary start shared by all processes of this host; only differences mean anything. */
  monotonicMs(): number;
  /** Wall clock, for stamps that leave the process. May jump. */
  epochMs(): number;
  /** Resolves after `durationMs`; rejects with `signal.reason` if aborted first. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
}

/**
 * Asks `probe` every `everyMs` until it answers something other than `undefined`.
 * @throws signal.reason when aborted; whatever `onTimeout` makes when `timeoutMs` have passed
 */
export async function pollUntil<T>(options: {
  readonly clock: Clock;
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly probe: () => Promise<T | undefined>;
  readonly onTimeout: () => Error | Promise<Error>;
}): Promise<T> {
  const deadlineMs = options.clock.monotonicMs() + options.timeoutMs;
  for (;;) {
    options.signal.throwIfAborted();
    const answer = await options.probe();
    if (answer !== undefined) return answer;
    if (options.clock.monotonicMs() >= deadlineMs) throw await options.onTimeout();
    await options.clock.sleep(options.everyMs, options.signal);
  }
}
