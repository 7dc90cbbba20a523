import { CanaryError } from "../core/errors.ts";
import { abortOnSignals, systemClock } from "./system.ts";

/** Aborts on a person's signal or when `maxMinutes` have passed, whichever is first. */
export function deadlineSignal(
  maxMinutes: number,
  note: (message: string) => void,
): { readonly signal: AbortSignal } & Disposable {
  const human = abortOnSignals(note);
  const deadline = new AbortController();
  const finished = new AbortController();
  systemClock.sleep(maxMinutes * 60_000, AbortSignal.any([human.signal, finished.signal])).then(
    () =>
      deadline.abort(
        new CanaryError({
          code: "DEADLINE_EXCEEDED",
          message: `the run passed ${maxMinutes} minutes`,
          hint: "Raise maxMinutes in the scenario, or ask for less.",
        }),
      ),
    () => undefined,
  );
  return {
    signal: AbortSignal.any([human.signal, deadline.signal]),
    [Symbol.dispose]: () => {
      finished.abort();
      human[Symbol.dispose]();
    },
  };
}
