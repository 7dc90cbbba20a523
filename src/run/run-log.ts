import type { AbortCause } from "../core/abort-cause.ts";
import type { Clock } from "../core/clock.ts";
import type { PowerForecast } from "../judge/power-forecast.ts";
import type { UndoOutcome } from "../replay/proof/undo-plan.ts";
import type { AbortProof } from "../report/abort-record.ts";
import type { Phase, RunEvent, RunObserver } from "../report/run-event.ts";
import type { ActionRecord, TimelineEntry } from "../report/run-report.ts";

/** What happened when, on one axis, told to observers as it happens and to the report at the end. */
export interface RunLog {
  readonly startedEpochMs: number;
  phase(phase: Phase, expectedMs?: number): void;
  note(message: string): void;
  /** Gross harm was seen: said at once and marked in the timeline. */
  alarm(message: string): void;
  /** A trigger or safeguard tripped: said at once and marked in the timeline. */
  breach(name: string, message: string): void;
  /** What was done after the run was stopped; the last word of it goes into `abort.json`. */
  stopped(proof: AbortProof): void;
  stopProof(): AbortProof | undefined;
  /** The run was told to stop, now, by this. */
  markStop(by: AbortCause | undefined): void;
  stopMark(): { readonly atEpochMs: number; readonly phase: Phase } | undefined;
  /** An undo under load is over. */
  rolledBack(outcome: UndoOutcome): void;
  /** What the run can show as far as is known now; the last word of it goes into the report. */
  power(forecasts: readonly PowerForecast[]): void;
  forecasts(): readonly PowerForecast[];
  step(step: Omit<Extract<RunEvent, { kind: "step" }>, "kind">): void;
  action(record: ActionRecord): void;
  /** Present time relative to the first arrival, or to the start of the run while there was none. */
  axisMs(): number;
  barrier(label: string): void;
  tell(event: RunEvent): void;
  /** Entries relative to the first arrival; without traffic, to the start of the run. */
  timeline(): readonly TimelineEntry[];
  actions(): readonly ActionRecord[];
  /** Tells the log where zero is. */
  trafficStarted(atMonotonicMs: number): void;
  elapsedMs(): number;
}

/** Starts the log; `observe` gets every event at once. */
export function startRunLog(clock: Clock, observe: RunObserver): RunLog {
  const startedMonotonicMs = clock.monotonicMs();
  const startedEpochMs = clock.epochMs();
  const entries: { readonly atMonotonicMs: number; readonly entry: Omit<TimelineEntry, "atMs"> }[] = [];
  const actions: { readonly atMonotonicMs: number; readonly record: ActionRecord }[] = [];
  let stopProof: AbortProof | undefined;
  let lastPhase: Phase = "admit";
  let stopMark: ReturnType<RunLog["stopMark"]>;
  let forecasts: readonly PowerForecast[] = [];
  let zeroMonotonicMs = startedMonotonicMs;
  const add = (entry: Omit<TimelineEntry, "atMs">, atMonotonicMs = clock.monotonicMs()): void => {
    entries.push({ atMonotonicMs, entry });
  };
  const onAxis = (atMonotonicMs: number): number => Math.round(atMonotonicMs - zeroMonotonicMs);
  return {
    startedEpochMs,
    phase: (phase, expectedMs) => {
      lastPhase = phase;
      add({ kind: "phase", label: phase });
      observe({
        kind: "phase",
        phase,
        atEpochMs: clock.epochMs(),
        ...(expectedMs === undefined ? {} : { expectedMs }),
      });
    },
    note: (message) => {
      add({ kind: "note", label: message });
      observe({ kind: "note", message });
    },
    alarm: (message) => {
      add({ kind: "alarm", label: message });
      observe({ kind: "alarm", message });
    },
    breach: (name, message) => {
      add({ kind: "breach", label: `${name}: ${message}` });
      observe({ kind: "breach", name, message });
    },
    stopped: (proof) => {
      stopProof = proof;
    },
    stopProof: () => stopProof,
    markStop: (by) => {
      stopMark ??= { atEpochMs: clock.epochMs(), phase: lastPhase };
      if (by !== undefined) observe({ kind: "stopping", by });
    },
    stopMark: () => stopMark,
    rolledBack: (outcome) =>
      observe({
        kind: "rolled-back",
        undoMs: outcome.undoMs,
        ...(outcome.failed === undefined ? {} : { failed: outcome.failed }),
      }),
    power: (said) => {
      forecasts = said;
      observe({ kind: "power", forecasts: said });
    },
    forecasts: () => forecasts,
    step: (step) => observe({ kind: "step", ...step }),
    action: (record) => {
      const atMonotonicMs = record.startedMs + zeroMonotonicMs;
      actions.push({ atMonotonicMs, record });
      if (record.proof === "load")
        add({ kind: record.phase === "act" ? "action" : "undo", label: record.id }, atMonotonicMs);
    },
    barrier: (label) => add({ kind: "barrier", label }),
    tell: observe,
    timeline: () => entries.map(({ atMonotonicMs, entry }) => ({ atMs: onAxis(atMonotonicMs), ...entry })),
    actions: () => actions.map(({ atMonotonicMs, record }) => ({ ...record, startedMs: onAxis(atMonotonicMs) })),
    trafficStarted: (atMonotonicMs) => {
      zeroMonotonicMs = atMonotonicMs;
    },
    axisMs: () => clock.monotonicMs() - zeroMonotonicMs,
    elapsedMs: () => clock.monotonicMs() - startedMonotonicMs,
  };
}
