import type { Clock } from "../../core/clock.ts";
import { type ActionTrigger, TIMEOUT_BREAKER } from "../../judge/watch/trigger-spec.ts";
import type { Action } from "../../plan/plan.ts";
import type { GuardBook } from "./guard-book.ts";

/** Bounds on how a plan acts, for one application of it. */
export interface ActionBreaker {
  /** Before an action: waits for its turn, or stops the plan; from then on its time runs. */
  readonly beforeAction: (action: Action, signal: AbortSignal) => Promise<void>;
  readonly afterAction: () => Promise<void>;
  /** An action that outlived its own time box. */
  readonly timedOut: (actionId: string, message: string) => void;
}

const MINUTE_MS = 60_000;

export function breakActions(options: {
  readonly triggers: readonly ActionTrigger[];
  readonly book: GuardBook;
  readonly clock: Clock;
  readonly note: (message: string) => void;
  /** Aborts when this application of the plan is over: no time runs after it. */
  readonly until: AbortSignal;
}): ActionBreaker {
  const { triggers, book, clock } = options;
  const begunMs: number[] = [];
  let current: AbortController | undefined;
  const waitForTurn = async ({ name, actions }: ActionTrigger, id: string, signal: AbortSignal): Promise<void> => {
    const { perMinute, exceeding } = actions;
    if (perMinute === undefined) return;
    // The action that stands `perMinute` before this one must be a minute ago.
    const earlierMs = begunMs.at(-perMinute);
    const waitMs = earlierMs === undefined ? 0 : earlierMs + MINUTE_MS - clock.monotonicMs();
    if (waitMs <= 0) return;
    if (exceeding === "refuse") {
      book.breach(name, `action ${id} would be number ${perMinute + 1} within a minute, ${perMinute} are allowed`);
      return;
    }
    options.note(`${id} waits ${Math.ceil(waitMs / 1000)} s: ${name} allows ${perMinute} actions a minute`);
    await clock.sleep(waitMs, signal);
  };
  const timeOf = async (trigger: ActionTrigger, id: string, ended: AbortSignal): Promise<void> => {
    const { secondsMax } = trigger.actions;
    if (secondsMax === undefined) return;
    await clock.sleep(secondsMax * 1000, ended);
    book.breach(trigger.name, `action ${id} took longer than ${secondsMax} s`);
  };
  return {
    beforeAction: async ({ id }, signal) => {
      for (const trigger of triggers) await waitForTurn(trigger, id, signal);
      book.stop.signal.throwIfAborted();
      for (const { name } of triggers) book.looked(name, { seen: `${id} began`, answered: true });
      book.looked(TIMEOUT_BREAKER, { seen: `${id} began`, answered: true });
      begunMs.push(clock.monotonicMs());
      current = new AbortController();
      const ended = AbortSignal.any([signal, options.until, current.signal]);
      // Rejects when the action ends first, which is as it should be.
      for (const trigger of triggers) timeOf(trigger, id, ended).catch(() => undefined);
    },
    afterAction: async () => current?.abort(),
    timedOut: (actionId, message) => book.breach(TIMEOUT_BREAKER, `action ${actionId} ${message}`),
  };
}
