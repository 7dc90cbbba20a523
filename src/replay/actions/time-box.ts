import type { Clock } from "../../core/clock.ts";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { InvariantViolation } from "../../core/invariant.ts";
import { LIMITS } from "../../core/limits.ts";
import { redact } from "../../core/redact.ts";
import type { Twin } from "../../mirror/twin.ts";
import { notLanded, type StepContext, type StepOutcome, type StepResult } from "./step-result.ts";

/** How long work that was stopped may take to end before its undo starts anyway. */
const SETTLE_MS = 5000;

/**
 * Does something at a twin inside the context's time box. What the work itself causes (a refusal, a crash, a time-out) is a
 * result with `landed: false`; output and message are masked and cut.
 * @throws signal.reason when aborted; CanaryError when the plan's documents are wrong or the engine does not answer any more
 */
export async function timeBoxed(
  work: (boxed: StepContext) => Promise<StepOutcome>,
  twin: Twin,
  context: StepContext,
): Promise<StepResult> {
  context.signal.throwIfAborted();
  const startedMs = context.clock.monotonicMs();
  const outcome = await inTime(work, twin, context);
  return {
    landed: outcome.landed,
    output: redact(cut(outcome.output)),
    message: redact(cut(outcome.message)),
    durationMs: context.clock.monotonicMs() - startedMs,
    ...(outcome.timedOut === true ? { timedOut: true } : {}),
  };
}

/** Waits for the step, its time-out or the caller's abort, whichever is first; nothing is left ticking. */
async function inTime(
  work: (boxed: StepContext) => Promise<StepOutcome>,
  twin: Twin,
  context: StepContext,
): Promise<StepOutcome> {
  const ended = new AbortController();
  const timedOut = new AbortController();
  const timer = context.clock.sleep(context.timeoutMs, AbortSignal.any([context.signal, ended.signal])).then(
    () => timedOut.abort(new Error("time-out")),
    () => undefined, // aborted, or the step ended first
  );
  const signal = AbortSignal.any([context.signal, timedOut.signal]);
  const doing = work({ ...context, signal });
  try {
    // Not every call of a twin takes a signal (SQL does not), so the wait itself must end.
    return await Promise.race([doing, rejectWhenAborted(signal, ended.signal)]);
  } catch (thrown) {
    await settled(doing, context.clock);
    context.signal.throwIfAborted();
    const late = timedOut.signal.aborted;
    const why = late ? `did not land within ${context.timeoutMs / 1000} s` : undefined;
    const failed = await failure(thrown, why, twin, context);
    return late ? { ...failed, timedOut: true } : failed;
  } finally {
    ended.abort();
    await timer;
  }
}

/** Lets a step that was told to stop come to its end, for a while: its undo should not race with it. */
async function settled(doing: Promise<unknown>, clock: Clock): Promise<void> {
  const stopped = new AbortController();
  const ended = doing.then(
    () => undefined,
    () => undefined,
  );
  const waited = clock.sleep(SETTLE_MS, stopped.signal).catch(() => undefined);
  await Promise.race([ended, waited]);
  stopped.abort();
}

/** The step's fault is an outcome; ours is thrown. The engine still answering is what tells them apart. */
async function failure(
  thrown: unknown,
  late: string | undefined,
  twin: Twin,
  context: StepContext,
): Promise<StepOutcome> {
  if (thrown instanceof InvariantViolation) throw thrown;
  if (thrown instanceof CanaryError && thrown.code !== "MIRROR_UNAVAILABLE") throw thrown;
  await twin.configuration(context.signal);
  return notLanded(
    late ?? messageOf(thrown),
    thrown instanceof CanaryError ? `${thrown.message}\n${thrown.hint}` : messageOf(thrown),
  );
}

function rejectWhenAborted(signal: AbortSignal, ended: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true, signal: ended });
  });
}

function cut(text: string): string {
  return Buffer.from(text).subarray(0, LIMITS.outputBytesMax).toString("utf8");
}
