import { followHarm, type HarmAlarm, harmReason } from "../judge/harm-alarm.ts";
import { HARM_RULES } from "../judge/harm-gauge.ts";
import type { Guards } from "./guards/start-guards.ts";
import type { LoadContext } from "./load-context.ts";
import type { LoadSession } from "./load-session.ts";
import { baselineOf } from "./phase-windows.ts";

/** Looks for gross harm while a plan acts, settles and is observed; disposing ends it. */
export interface HarmWatch extends AsyncDisposable {
  /** Aborts when the run does, and when there is gross harm. */
  readonly signal: AbortSignal;
  /** What was seen, if anything was. */
  readonly alarm: () => HarmAlarm | undefined;
  /** Whether it, or one of the guards, has stopped the plan. */
  readonly stopped: () => boolean;
}

/** How often it is asked whether another block is known; far below a block. */
const POLL_MS = 250;
/** From the driver's pulse until what it knew is in the store as well. */
const DELIVERY_MS = 750;

/**
 * Follows the plan from this instant on, against the baseline that is marked. A block is looked at when all its requests
 * have their outcome, or when those that have none are old enough to count as stalled: time-outs are not waited for.
 */
export function watchForHarm(
  context: Pick<LoadContext, "job" | "signal"> & {
    readonly log: Pick<LoadContext["log"], "alarm">;
    readonly effects: Pick<LoadContext["effects"], "clock">;
    /** Triggers and safeguards that stop the plan as well; none by default. */
    readonly guards?: Pick<Guards, "signal" | "stoppedBy">;
  },
  session: Pick<LoadSession, "store" | "phases" | "axisMs" | "overdue">,
  actedFromMs: number,
): HarmWatch {
  const { store } = session;
  const { clock } = context.effects;
  const harmed = new AbortController();
  const over = new AbortController();
  const watching = AbortSignal.any([context.signal, over.signal]);
  const baseline = baselineOf(session);
  const follower = followHarm({ store, slos: context.job.scenario.slos, baseline, actedFromMs });
  let alarm: HarmAlarm | undefined;
  const isKnown = (toMs: number): boolean => {
    const { atMs } = session.overdue();
    const waitedMs = toMs + HARM_RULES.stallMs;
    return store.deliveredUntilMs() >= toMs || (atMs >= waitedMs && session.axisMs() >= waitedMs + DELIVERY_MS);
  };
  const watch = async (): Promise<void> => {
    while (alarm === undefined) {
      await clock.sleep(POLL_MS, watching);
      while (alarm === undefined && isKnown(follower.nextToMs())) {
        alarm = follower.take(session.overdue().pairs, session.axisMs());
      }
    }
    context.log.alarm(harmReason(alarm).message);
    harmed.abort(new Error("the harm alarm stopped the plan"));
  };
  // It ends by rejection when the run or the watch is over; anything else would be a bug, and must stop the plan too.
  const watched = watch().catch((error: unknown) => {
    if (!watching.aborted) harmed.abort(error);
  });
  return {
    signal: AbortSignal.any([
      context.signal,
      harmed.signal,
      ...(context.guards === undefined ? [] : [context.guards.signal]),
    ]),
    alarm: () => alarm,
    stopped: () => alarm !== undefined || context.guards?.stoppedBy() !== undefined,
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await watched;
    },
  };
}

/**
 * Does something that an alarm or a guard ends; answers undefined when one did.
 * @throws what `task` throws for any other reason
 */
export async function unlessHarmed<T>(
  watch: HarmWatch,
  context: Pick<LoadContext, "signal">,
  task: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await task();
  } catch (error) {
    if (watch.stopped() && !context.signal.aborted) return undefined;
    throw error;
  }
}
