import type { AbortCause } from "../core/abort-cause.ts";
import type { PowerForecast } from "../judge/power-forecast.ts";
import type { ResponseJudgement } from "../judge/response-changes.ts";
import type { SloJudgement, Verdict } from "../judge/verdict.ts";
import type { DriverPulse } from "../replay/recording.ts";
import type { AbortRecord } from "./abort-record.ts";

// Contract: what a run tells the people who watch it, as it happens.

/** Phases of DESIGN.md 3, in order, as people see them. */
export const PHASES = [
  "admit",
  "raise",
  "quiet-proof",
  "warm-up",
  "baseline",
  "replay",
  "settle",
  "observe",
  "rollback",
  "recover",
  "barrier",
  "judge",
  "publish",
  "tear-down",
] as const;
/** Planting known harms (`--prove-sensitivity`): between `barrier` and `judge`, in the runs that do it. */
export type Phase = (typeof PHASES)[number] | "sensitivity";

export type RunEvent =
  /** `expectedMs` is a forecast, absent where nobody knows. */
  | { readonly kind: "phase"; readonly phase: Phase; readonly atEpochMs: number; readonly expectedMs?: number }
  | { readonly kind: "pulse"; readonly pulse: DriverPulse }
  | { readonly kind: "slos"; readonly slos: readonly SloJudgement[] }
  | {
      readonly kind: "step";
      readonly proof: "quiet" | "load";
      readonly actionId: string;
      readonly state: "acting" | "landed" | "failed" | "undoing" | "undone";
      readonly message: string;
    }
  /** What the run can be expected to show: before anything is raised, and again from the baseline. */
  | { readonly kind: "power"; readonly forecasts: readonly PowerForecast[] }
  | { readonly kind: "note"; readonly message: string }
  /** Gross harm stopped the plan. */
  | { readonly kind: "alarm"; readonly message: string }
  /** A trigger was breached, or a safeguard broken. */
  | { readonly kind: "breach"; readonly name: string; readonly message: string }
  /** An undo under load is over. */
  | {
      readonly kind: "rolled-back";
      readonly undoMs: number;
      readonly failed?: { readonly actionId: string; readonly message: string };
    }
  /** Somebody stopped the run; what was done is undone next. */
  | { readonly kind: "stopping"; readonly by: AbortCause }
  /** A person at the live view is asked whether they mean it, or not any more. */
  | { readonly kind: "confirm-abort"; readonly open: boolean }
  /** The run was stopped and undone; there is no verdict. */
  | { readonly kind: "aborted"; readonly record: AbortRecord; readonly file: string }
  | {
      readonly kind: "verdict";
      readonly verdict: Verdict;
      readonly reportDir: string;
      /** Absent where no answers were compared. */
      readonly responses?: ResponseJudgement;
    };

/** Receives events in order; must not throw and must return quickly. */
export type RunObserver = (event: RunEvent) => void;
