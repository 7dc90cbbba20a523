// A fresh implementation of Flagger's analysis loop from our notes on it: failures add up over a run and a success takes
// none of them back.

/** Settings of an analysis; Flagger's threshold is 1 where none is given. */
export interface FlaggerAnalysis {
  /** Failed checks at which the canary is rolled back. */
  readonly threshold: number;
  /** Good checks after which it is promoted (iterations, or steps of traffic weight). */
  readonly iterations: number;
}

/** What Flagger knows between two ticks. */
export interface FlaggerState {
  readonly phase: "progressing" | "rolled-back" | "promoted";
  readonly failedChecks: number;
  readonly iteration: number;
}

/** A canary that has just begun. */
export const FLAGGER_START: FlaggerState = { phase: "progressing", failedChecks: 0, iteration: 0 };

/** A metric at one tick: its value in its range, beyond it, or no value at all. */
export type FlaggerCheck = "good" | "bad" | "no-data";

/**
 * One tick. The roll back happens at the tick after the check that filled the cup; no metric at all passes, no value
 * fails, and the first metric that fails ends the tick.
 */
export function flaggerTick(
  state: FlaggerState,
  checks: readonly FlaggerCheck[],
  analysis: FlaggerAnalysis,
): FlaggerState {
  if (state.phase !== "progressing") return state;
  if (state.failedChecks >= analysis.threshold) return { ...state, phase: "rolled-back" };
  if (checks.some((check) => check !== "good")) return { ...state, failedChecks: state.failedChecks + 1 };
  const iteration = state.iteration + 1;
  return { ...state, iteration, phase: iteration >= analysis.iterations ? "promoted" : "progressing" };
}

/** The whole analysis over ticks; `ticks` is the one whose check settled it, which flatters a roll back by one tick. */
export function flaggerRun(
  ticks: readonly (readonly FlaggerCheck[])[],
  analysis: FlaggerAnalysis,
): { readonly kind: "promote" | "reject" | "hold"; readonly ticks: number } {
  let state = FLAGGER_START;
  for (const [tick, checks] of ticks.entries()) {
    state = flaggerTick(state, checks, analysis);
    if (state.phase === "promoted") return { kind: "promote", ticks: tick + 1 };
    if (state.failedChecks >= analysis.threshold) return { kind: "reject", ticks: tick + 1 };
  }
  return { kind: "hold", ticks: ticks.length };
}
