/** A process that serves until it is told to stop. */
export interface StopSignal extends Disposable {
  /** Resolves with the first SIGTERM or SIGINT. */
  readonly stopped: Promise<void>;
  /** Aborts with the second one: whoever sent it does not want to wait. */
  readonly hurry: AbortSignal;
}

/** Listens for both signals; disposing leaves them to the system again. */
export function stopSignal(): StopSignal {
  const hurry = new AbortController();
  const stopped = Promise.withResolvers<void>();
  let received = 0;
  const onSignal = (): void => {
    received += 1;
    if (received === 1) stopped.resolve();
    else hurry.abort(new Error("told to stop twice"));
  };
  const names: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT"];
  for (const name of names) process.on(name, onSignal);
  return {
    stopped: stopped.promise,
    hurry: hurry.signal,
    [Symbol.dispose]: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
