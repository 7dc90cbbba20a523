import { CanaryError } from "../core/errors.ts";
import { abortOnSignals, type HumanStop, systemClock } from "./system.ts";

/**
 * Aborts on a person's signal, when somebody else tells it to (`told`), or when `maxMinutes` have passed, whichever is first.
 */
export function deadlineSignal(
  maxMinutes: number,
  note: (message: string) => void,
  told: AbortSignal,
): { readonly signal: AbortSignal; readonly human: HumanStop } & Disposable {
  const human = abortOnSignals(note);
  const deadline = new AbortController();
  const finished = new AbortController();
  systemClock.sleep(maxMinutes * 60_000, AbortSignal.any([human.signal, told, finished.signal])).then(
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
    signal: AbortSignal.any([human.signal, told, deadline.signal]),
    human,
    [Symbol.dispose]: () => {
      finished.abort();
      human[Symbol.dispose]();
    },
  };
}
