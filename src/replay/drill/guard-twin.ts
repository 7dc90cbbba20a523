import type { Clock } from "../../core/clock.ts";
import type { Twin } from "../../mirror/twin.ts";

/** Calls that were given up and may still be doing something. */
export interface InFlight {
  readonly size: number;
  add(call: Promise<unknown>): void;
  /** Resolves when all of them have ended, or after `withinMs`; answers how many have not. */
  settled(withinMs: number, signal: AbortSignal): Promise<number>;
}

/** Keeps track of calls on a clock. */
export function trackCalls(clock: Clock): InFlight {
  const calls = new Set<Promise<unknown>>();
  return {
    get size() {
      return calls.size;
    },
    add(call) {
      calls.add(call);
      const forget = (): void => void calls.delete(call);
      call.then(forget, forget);
    },
    async settled(withinMs, signal) {
      const over = new AbortController();
      const waited = clock.sleep(withinMs, AbortSignal.any([signal, over.signal])).catch(() => undefined);
      await Promise.race([Promise.allSettled([...calls]), waited]);
      over.abort();
      return calls.size;
    },
  };
}

/**
 * Calls that are what a kind of action does; the others only prepare it. SQL, requests and waiting tell by themselves when
 * they are on their way (`StepContext.onSent`): stopped at the call, a statement would never reach its server.
 */
const ACTING: ReadonlySet<string | symbol> = new Set<keyof Twin>([
  "scale",
  "update",
  "restart",
  "exec",
  "sql",
  "redis",
  "writeFile",
  "askStub",
  "scrape",
  "logs",
]);

/**
 * The same twin, of which every call ends when `signal` aborts, also those that know no signal (a statement that a paused
 * database never answers). What is given up so is kept in `inFlight`: its undo must not overtake it.
 */
export function guardTwin(
  twin: Twin,
  guard: { readonly signal: AbortSignal; readonly inFlight: InFlight; readonly onAct?: () => void },
): Twin {
  return new Proxy(twin, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: readonly unknown[]): unknown => {
        const answer: unknown = Reflect.apply(member, target, args);
        if (!(answer instanceof Promise)) return answer;
        guard.inFlight.add(answer);
        if (ACTING.has(name)) guard.onAct?.();
        return untilAborted(answer, guard.signal);
      };
    },
  });
}

function untilAborted(answer: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  const ended = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true, signal: ended.signal });
  });
  return Promise.race([answer, aborted]).finally(() => ended.abort());
}
