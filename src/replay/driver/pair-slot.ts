import { assertNever } from "../../core/invariant.ts";
import type { Role } from "../../mirror/twin.ts";
import { OUTCOMES, type Outcome } from "../recording.ts";
import type { SampledAnswer } from "../sampled-pair.ts";
import type { CapturedValues } from "../traffic/captured-values.ts";
import type { Call } from "../traffic/compile-call.ts";
import type { Landing } from "./flight.ts";

/** Number of an outcome as it stands in a batch. */
export const OUTCOME_INDEX: Readonly<Record<Outcome, number>> = {
  ok: OUTCOMES.indexOf("ok"),
  "http-error": OUTCOMES.indexOf("http-error"),
  timeout: OUTCOMES.indexOf("timeout"),
  "connection-error": OUTCOMES.indexOf("connection-error"),
  blocked: OUTCOMES.indexOf("blocked"),
  dropped: OUTCOMES.indexOf("dropped"),
};

/** What became of a request at one twin. */
export interface ArmResult {
  outcome: Outcome;
  status: number;
  sendLagMs: number;
  serviceMs: number;
  captured: CapturedValues | undefined;
  /** Only of a sampled pair, and only where there was an answer. */
  answer: SampledAnswer | undefined;
}

/** One request of the list while at least one twin has no outcome for it. */
export interface PairSlot {
  readonly sequence: number;
  /** When it should have been sent, on the run's axis, ms. */
  readonly intendedMs: number;
  readonly call: Call;
  readonly arms: Readonly<Record<Role, ArmResult>>;
  /** Whether both answers are kept to be compared. */
  readonly sampled: boolean;
  openArms: number;
}

/** A pair that both twins still owe an outcome. */
export function pairSlot(sequence: number, intendedMs: number, call: Call, sampled = false): PairSlot {
  const arms = { control: armResult(), shadow: armResult() };
  return { sequence, intendedMs, call, arms, sampled, openArms: 2 };
}

function armResult(): ArmResult {
  return { outcome: "dropped", status: 0, sendLagMs: 0, serviceMs: 0, captured: undefined, answer: undefined };
}

/**
 * What a landing counts as. Time-outs are only looked for every few milliseconds, so an answer that came in between is
 * late all the same.
 */
export function outcomeOf(landing: Landing, waitedMs: number, timeoutMs: number): Outcome {
  switch (landing.kind) {
    case "answer":
      if (waitedMs > timeoutMs) return "timeout";
      return landing.ok ? "ok" : "http-error";
    case "no-answer":
      return landing.cause === "timeout" ? "timeout" : "connection-error";
    case "no-socket":
      return "connection-error";
    case "unsendable":
      return "blocked";
    default:
      return assertNever(landing);
  }
}
