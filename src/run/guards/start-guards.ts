import type { WatchRecords } from "../../judge/watch/watch-records.ts";
import type { LoadContext } from "../load-context.ts";
import type { LoadSession } from "../load-session.ts";
import { type ActionBreaker, breakActions } from "./action-breaker.ts";
import { openGuardBook } from "./guard-book.ts";
import { watchSafeguards } from "./safeguard-watch.ts";
import { watchTriggers } from "./trigger-watch.ts";

/** Guards at work; disposing ends every loop. */
export interface Watching extends AsyncDisposable {
  /** The plan's last action has landed. */
  readonly landed: () => void;
  /** Bounds on the actions of this application of the plan. */
  readonly breaker: ActionBreaker;
}

/** The scenario's triggers and safeguards, over one rehearsal under load. */
export interface Guards {
  /** Aborts when one of them stops the plan, or with the error that keeps them from looking. */
  readonly signal: AbortSignal;
  /** The name of what stopped the plan. */
  readonly stoppedBy: () => string | undefined;
  /**
   * Whatever must be true before the first action; a breach is in `stoppedBy`.
   * @throws signal.reason when aborted
   */
  readonly beforePlan: (signal: AbortSignal) => Promise<void>;
  /** `continuous` probes, from now until disposed. */
  readonly throughout: (signal: AbortSignal) => AsyncDisposable;
  /** Everything that looks while the plan is in force, from now until disposed. */
  readonly inForce: (signal: AbortSignal) => Watching;
  /** Before the undo, with the plan still in force: waits for what must become true, then asks what must be. */
  readonly beforeUndo: (signal: AbortSignal) => Promise<void>;
  readonly afterUndo: (signal: AbortSignal) => Promise<void>;
  readonly records: () => WatchRecords;
}

/** Reads the scenario; nothing is asked of anybody yet. */
export function startGuards(context: LoadContext, session: LoadSession): Guards {
  const { job, pair, log } = context;
  const { triggers, safeguards } = job.scenario;
  const { clock } = context.effects;
  const book = openGuardBook({ triggers, safeguards, log, axisMs: session.axisMs });
  const asked = { shadow: pair.shadow, session, clock };
  const trigger = watchTriggers({ triggers, book, asked, session });
  const safeguard = watchSafeguards({ safeguards, book, asked });
  return {
    signal: book.stop.signal,
    stoppedBy: book.stoppedBy,
    beforePlan: async (signal) => {
      await Promise.all([trigger.at("start", signal), safeguard.at("before the plan", signal)]);
    },
    throughout: (signal) => loops(book.stop, signal, (until) => trigger.throughout(until)).running,
    inForce: (signal) => {
      const { running, add, until } = loops(book.stop, signal, (over) => [
        ...trigger.inForce(over),
        ...safeguard.inForce(over),
      ]);
      const breaker = breakActions({
        triggers: triggers.filter((one) => "actions" in one),
        book,
        clock,
        note: log.note,
        until,
      });
      return { ...running, landed: () => add((over) => safeguard.landed(over)), breaker };
    },
    beforeUndo: async (signal) => {
      await safeguard.converged(signal);
      await Promise.all([trigger.at("end", signal), safeguard.at("with the plan in force", signal)]);
    },
    afterUndo: (signal) => safeguard.at("after the rollback", signal),
    records: book.records,
  };
}

type Begin = (signal: AbortSignal) => readonly Promise<unknown>[];

/** Runs loops until disposed. One that ends by anything but the end of the watch keeps the plan from being watched: it stops it. */
function loops(
  stop: AbortController,
  signal: AbortSignal,
  begin: Begin,
): { readonly running: AsyncDisposable; readonly add: (begin: Begin) => void; readonly until: AbortSignal } {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const going: Promise<void>[] = [];
  const add = (more: Begin): void => {
    for (const loop of more(until)) {
      going.push(
        loop.then(
          () => undefined,
          (error: unknown) => {
            if (!until.aborted) stop.abort(error);
          },
        ),
      );
    }
  };
  add(begin);
  const running = {
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await Promise.all(going);
    },
  };
  return { running, add, until };
}
