import type { Clock } from "../../core/clock.ts";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { InvariantViolation } from "../../core/invariant.ts";
import { LIMITS } from "../../core/limits.ts";
import { redact } from "../../core/redact.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { ActionStep } from "../../plan/action.ts";
import { executeExec } from "./exec-action.ts";
import { executeGrpc } from "./grpc-action.ts";
import { executeHttp } from "./http-action.ts";
import { executeScale, executeUpdate, serviceAtTarget } from "./service-action.ts";
import { executeSql, holds } from "./sql-action.ts";
import { notLanded, type StepContext, type StepOutcome, type StepResult } from "./step-result.ts";

/** How long a step that was stopped may take to end before its undo starts anyway. */
const SETTLE_MS = 5000;

/**
 * Does one step on a twin inside its time box and checks that it landed.
 * Whatever the step itself causes (a refusal, a crash of the service, a time-out) is a result with `landed: false`.
 * @throws signal.reason when aborted; CanaryError when the plan's documents are wrong or the engine does not answer any more
 */
export async function executeStep(step: ActionStep, twin: Twin, context: StepContext): Promise<StepResult> {
  context.signal.throwIfAborted();
  const startedMs = context.clock.monotonicMs();
  const outcome = await timeBoxed(step, twin, context);
  return {
    landed: outcome.landed,
    output: redact(cut(outcome.output)),
    message: redact(cut(outcome.message)),
    durationMs: context.clock.monotonicMs() - startedMs,
  };
}

/**
 * Whether the twin already is where the step would bring it: exact for `scale` and `update`, by the `landed` query for `sql`.
 * Requests and programs have no target that can be looked at, so the answer is no.
 */
export async function alreadyAtTarget(step: ActionStep, twin: Twin, signal: AbortSignal): Promise<boolean> {
  switch (step.uses) {
    case "scale":
    case "update":
      return await serviceAtTarget(step, twin, signal);
    case "sql":
      return await sqlAtTarget(step, twin, signal);
    case "http":
    case "grpc":
    case "exec":
      return false;
  }
}

function kindOfStep(step: ActionStep, twin: Twin, context: StepContext): Promise<StepOutcome> {
  switch (step.uses) {
    case "http":
      return executeHttp(step, twin, context);
    case "grpc":
      return executeGrpc(step, twin, context);
    case "sql":
      return executeSql(step, twin, context);
    case "exec":
      return executeExec(step, twin, context);
    case "scale":
      return executeScale(step, twin, context);
    case "update":
      return executeUpdate(step, twin, context);
  }
}

/** Waits for the step, its time-out or the caller's abort, whichever is first; nothing is left ticking. */
async function timeBoxed(step: ActionStep, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const ended = new AbortController();
  const timedOut = new AbortController();
  const timer = context.clock.sleep(context.timeoutMs, AbortSignal.any([context.signal, ended.signal])).then(
    () => timedOut.abort(new Error("time-out")),
    () => undefined, // aborted, or the step ended first
  );
  const signal = AbortSignal.any([context.signal, timedOut.signal]);
  const doing = kindOfStep(step, twin, { ...context, signal });
  try {
    // Not every call of a twin takes a signal (SQL does not), so the wait itself must end.
    return await Promise.race([doing, rejectWhenAborted(signal, ended.signal)]);
  } catch (thrown) {
    await settled(doing, context.clock);
    context.signal.throwIfAborted();
    const late = timedOut.signal.aborted;
    return await failure(thrown, late ? `did not land within ${context.timeoutMs / 1000} s` : undefined, twin, context);
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

/** A landed query that cannot run (its table does not exist yet) says that the step has not landed. */
async function sqlAtTarget(
  step: Extract<ActionStep, { uses: "sql" }>,
  twin: Twin,
  signal: AbortSignal,
): Promise<boolean> {
  if (step.with.landed === undefined) return false;
  try {
    return await holds(step.with.landed, step.with.service, twin);
  } catch (thrown) {
    if (thrown instanceof InvariantViolation) throw thrown;
    await twin.configuration(signal);
    return false;
  }
}

function cut(text: string): string {
  return Buffer.from(text).subarray(0, LIMITS.outputBytesMax).toString("utf8");
}
