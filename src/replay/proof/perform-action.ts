import type { MintToken } from "../../core/action-token.ts";
import type { Clock } from "../../core/clock.ts";
import type { IntentLog } from "../../core/intent-log.ts";
import type { MetricsSpec } from "../../mirror/mirror-spec.ts";
import type { Twin } from "../../mirror/twin.ts";
import { databaseRights } from "../../plan/database-rights.ts";
import type { Action } from "../../plan/plan.ts";
import { readUndo } from "../actions/derive-undo.ts";
import { alreadyAtTarget, executeStep } from "../actions/execute-step.ts";
import type { StepContext, StepResult } from "../actions/step-result.ts";

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
  /** Part of the name that actions act under; default `rehearsal`. */
  readonly runId?: string;
  /** The shadow; the control never receives an action. */
  readonly shadow: Twin;
  readonly intent: IntentLog;
  readonly clock: Clock;
  /** Present time on the run's axis, ms. */
  readonly axisMs: () => number;
  /** How often an undo that does not land is tried; `UNDO_TRIES` where absent. */
  readonly undoTries?: number;
  /** Absolute folder of the scenario, for files that actions name. */
  readonly baseDir: string;
  /** Mints a token for each request; absent: requests carry none. */
  readonly mint?: MintToken;
  /** Metrics endpoints of the mirror. */
  readonly metrics?: readonly MetricsSpec[];
  /** `StepContext.onSent` of what is performed, not of undos. */
  readonly onSent?: () => void;
  readonly onStep: (event: StepEvent) => void;
  readonly onRecord: (record: StepRecord) => void;
}

/**
 * Performs an action. Its undo, given by the plan or read from the state before, is in the intent log before anything
 * happens, its landing after. Where no undo can be read, nothing is done and the action did not land.
 * @param begin - told of the action with the undo that it will be undone by, when it is about to act
 * @throws signal.reason when aborted; CanaryError on the harness's own trouble
 */
export async function performAction(
  action: Action,
  to: Performance,
  signal: AbortSignal,
  begin: (acting: Action) => void,
): Promise<StepResult> {
  const prepared = await withUndo(action, to, signal);
  if (prepared.kind === "refused") {
    to.onRecord(recordOf(action, to, { phase: "act", startedMs: to.axisMs(), result: prepared.result }));
    tell(to, action, "failed", prepared.result.message);
    return prepared.result;
  }
  const acting = prepared.action;
  begin(acting);
  await to.intent.record({
    kind: "act",
    actionId: action.id,
    uses: action.step.uses,
    undo: acting.rollback ?? null,
    proof: to.proof,
    timeoutMs: action.timeoutSeconds * 1000,
    requires: action.requires,
  });
  tell(to, action, "acting", action.what);
  const startedMs = to.axisMs();
  const result = await executeStep(action.step, to.shadow, contextOf(action, to, { phase: "act", signal }));
  await to.intent.record({ kind: "landed", actionId: action.id, landed: result.landed });
  to.onRecord(recordOf(action, to, { phase: "act", startedMs, result }));
  tell(to, action, result.landed ? "landed" : "failed", result.message);
  return result;
}

/** An explicit rollback wins; what is missing is read from the twin as it is now. */
async function withUndo(
  action: Action,
  to: Performance,
  signal: AbortSignal,
): Promise<{ kind: "ready"; action: Action } | { kind: "refused"; result: StepResult }> {
  if (action.rollback !== undefined) return { kind: "ready", action };
  const read = await readUndo(action.step, to.shadow, contextOf(action, to, { phase: "act", signal }));
  if (read.kind === "refused") return read;
  return { kind: "ready", action: read.kind === "none" ? action : { ...action, rollback: read.step } };
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
    : await executeStep(undo, to.shadow, contextOf(action, to, { phase: "undo", signal }));
  await to.intent.record({ kind: "undone", actionId: action.id, ok: result.landed });
  to.onRecord(recordOf(action, to, { phase: "undo", startedMs, result }));
  tell(to, action, result.landed ? "undone" : "failed", result.message);
  return result;
}

/** What a step of this action needs beside the twin. */
export function contextOf(
  action: Action,
  to: Performance,
  going: Pick<StepContext, "phase" | "signal">,
): Parameters<typeof executeStep>[2] {
  const { step } = action;
  return {
    clock: to.clock,
    ...going,
    timeoutMs: action.timeoutSeconds * 1000,
    baseDir: to.baseDir,
    actionId: action.id,
    ...(to.runId === undefined ? {} : { runId: to.runId }),
    ...(step.uses === "sql" ? { rights: databaseRights(action, step.with.service) } : {}),
    requires: action.requires,
    ...(to.mint === undefined ? {} : { mint: to.mint }),
    ...(to.metrics === undefined ? {} : { metrics: to.metrics }),
    ...(to.onSent === undefined || going.phase === "undo" ? {} : { onSent: to.onSent }),
  };
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
