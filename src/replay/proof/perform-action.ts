import type { Clock } from "../../core/clock.ts";
import type { IntentLog } from "../../core/intent-log.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { Action } from "../../plan/plan.ts";
import { alreadyAtTarget, executeStep } from "../actions/execute-step.ts";
import type { StepResult } from "../actions/step-result.ts";

/** One act or undo as it went, for the report. */
export interface StepRecord {
  readonly id: string;
  readonly proof: "quiet" | "load";
  readonly phase: "act" | "undo";
  /** Ms on the run's axis; negative before traffic started. */
  readonly startedMs: number;
  readonly durationMs: number;
  readonly landed: boolean;
  /** What it printed or answered, secrets masked. */
  readonly output: string;
}

/** One act or undo as it goes, for people who watch. */
export interface StepEvent {
  readonly proof: "quiet" | "load";
  readonly actionId: string;
  readonly state: "acting" | "landed" | "failed" | "undoing" | "undone";
  readonly message: string;
}

/** Where and how actions are performed; both proofs share it. */
export interface Performance {
  readonly proof: "quiet" | "load";
  /** The shadow; the control never receives an action. */
  readonly shadow: Twin;
  readonly intent: IntentLog;
  readonly clock: Clock;
  /** Present time on the run's axis, ms. */
  readonly axisMs: () => number;
  /** Absolute folder of the scenario, for files that actions name. */
  readonly baseDir: string;
  readonly onStep: (event: StepEvent) => void;
  readonly onRecord: (record: StepRecord) => void;
}

/**
 * Performs an action. Its undo is in the intent log before anything happens, its landing after.
 * @throws signal.reason when aborted; CanaryError on the harness's own trouble
 */
export async function performAction(action: Action, to: Performance, signal: AbortSignal): Promise<StepResult> {
  await to.intent.record({ kind: "act", actionId: action.id, uses: action.step.uses, undo: action.rollback ?? null });
  tell(to, action, "acting", action.what);
  const startedMs = to.axisMs();
  const result = await executeStep(action.step, to.shadow, contextOf(action, to, signal));
  await to.intent.record({ kind: "landed", actionId: action.id, landed: result.landed });
  to.onRecord(recordOf(action, to, { phase: "act", startedMs, result }));
  tell(to, action, result.landed ? "landed" : "failed", result.message);
  return result;
}

/** Performs the undo of an action, unless the twin is already where it leads. An action without an undo changed nothing. */
export async function performUndo(action: Action, to: Performance, signal: AbortSignal): Promise<StepResult> {
  const undo = action.rollback;
  if (undo === undefined) return { landed: true, output: "", durationMs: 0, message: "nothing to undo" };
  await to.intent.record({ kind: "undo", actionId: action.id });
  tell(to, action, "undoing", `undoing: ${action.what}`);
  const startedMs = to.axisMs();
  const result: StepResult = (await alreadyAtTarget(undo, to.shadow, signal))
    ? { landed: true, output: "", durationMs: to.axisMs() - startedMs, message: "already undone" }
    : await executeStep(undo, to.shadow, contextOf(action, to, signal));
  await to.intent.record({ kind: "undone", actionId: action.id, ok: result.landed });
  to.onRecord(recordOf(action, to, { phase: "undo", startedMs, result }));
  tell(to, action, result.landed ? "undone" : "failed", result.message);
  return result;
}

function contextOf(action: Action, to: Performance, signal: AbortSignal): Parameters<typeof executeStep>[2] {
  return { clock: to.clock, signal, timeoutMs: action.timeoutSeconds * 1000, baseDir: to.baseDir, actionId: action.id };
}

function recordOf(
  action: Action,
  to: Performance,
  went: { readonly phase: StepRecord["phase"]; readonly startedMs: number; readonly result: StepResult },
): StepRecord {
  const { durationMs, landed, output, message } = went.result;
  const told = output === "" ? message : `${message}\n${output}`;
  return {
    id: action.id,
    proof: to.proof,
    phase: went.phase,
    startedMs: went.startedMs,
    durationMs,
    landed,
    output: told,
  };
}

function tell(to: Performance, action: Action, state: StepEvent["state"], message: string): void {
  to.onStep({ proof: to.proof, actionId: action.id, state, message });
}
