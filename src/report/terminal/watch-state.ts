import type { PowerForecast } from "../../judge/power-forecast.ts";
import type { SloJudgement } from "../../judge/verdict.ts";
import type { DriverPulse } from "../../replay/recording.ts";
import type { AbortRecord } from "../abort-record.ts";
import type { Phase, RunEvent } from "../run-event.ts";

/** What the views know of the plan before the run starts; text already plain. */
export interface WatchedPlan {
  readonly name: string;
  readonly intent: string;
  readonly agent: string;
  readonly actions: readonly { readonly id: string; readonly what: string }[];
}

type StepEvent = Extract<RunEvent, { readonly kind: "step" }>;

/** Everything a view needs to draw, folded from the events so far. */
export interface WatchState {
  readonly startedMs: number;
  readonly phase?: { readonly name: Phase; readonly startedMs: number; readonly expectedMs?: number };
  readonly phasesSeen: readonly Phase[];
  readonly pulse?: { readonly pulse: DriverPulse; readonly receivedMs: number };
  /** What the run can be expected to show, until there are SLOs to look at. */
  readonly power?: readonly PowerForecast[];
  readonly slos: readonly SloJudgement[];
  /** Last state of each action in each proof. */
  readonly steps: Readonly<Record<StepEvent["proof"], Readonly<Record<string, StepEvent>>>>;
  /** What was last said, and when: it fades, or people would read of something long past. */
  readonly note?: { readonly text: string; readonly saidMs: number };
  /** Gross harm that stopped the plan: it stays. */
  readonly alarm?: string;
  /** Triggers and safeguards that tripped; they stay. */
  readonly breaches: readonly string[];
  /** Whether a person is asked to confirm an abort. */
  readonly asksAbort: boolean;
  readonly aborted?: { readonly record: AbortRecord; readonly file: string };
  readonly ending?: Omit<Extract<RunEvent, { readonly kind: "verdict" }>, "kind">;
}

/** What of it the block at the end of a run is told from. */
export function shownLast({ slos, power }: WatchState): Pick<WatchState, "slos" | "power"> {
  return { slos, ...(power === undefined ? {} : { power }) };
}

/** The state before the first event. @param nowMs - monotonic */
export function startWatching(nowMs: number): WatchState {
  return { startedMs: nowMs, phasesSeen: [], slos: [], steps: { quiet: {}, load: {} }, breaches: [], asksAbort: false };
}

const BREACHES_SHOWN_MAX = 4;

/** The state after one event; pure, so that a recorded stream draws the same frames again. */
export function watch(state: WatchState, event: RunEvent, nowMs: number): WatchState {
  switch (event.kind) {
    case "phase": {
      const { phase: name, expectedMs } = event;
      const phasesSeen = state.phasesSeen.includes(name) ? state.phasesSeen : [...state.phasesSeen, name];
      const phase = { name, startedMs: nowMs, ...(expectedMs === undefined ? {} : { expectedMs }) };
      return { ...state, phase, phasesSeen };
    }
    case "pulse":
      return { ...state, pulse: { pulse: event.pulse, receivedMs: nowMs } };
    case "slos":
      return { ...state, slos: event.slos };
    case "step": {
      const proof = { ...state.steps[event.proof], [event.actionId]: event };
      return { ...state, steps: { ...state.steps, [event.proof]: proof } };
    }
    case "power":
      return { ...state, power: event.forecasts };
    case "note":
      return { ...state, note: { text: event.message, saidMs: nowMs } };
    case "alarm":
      return { ...state, alarm: event.message };
    case "breach":
      return { ...state, breaches: [...state.breaches, `${event.name}: ${event.message}`].slice(-BREACHES_SHOWN_MAX) };
    case "rolled-back":
    case "stopping":
      return state;
    case "confirm-abort":
      return { ...state, asksAbort: event.open };
    case "aborted":
      return { ...state, aborted: { record: event.record, file: event.file } };
    case "verdict": {
      const { kind: _kind, ...ending } = event;
      return { ...state, ending };
    }
  }
}
