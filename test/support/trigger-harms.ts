import type { RunReport } from "../../src/report/run-report.ts";
import type { Fault } from "./simulated-faults.ts";
import { INVARIANT_QUERY } from "./simulated-job.ts";

/** A trigger, and a plan that does the harm that it watches for. */
export interface TriggerHarm {
  readonly what: string;
  readonly trigger: object;
  readonly fault: Fault;
}

/** One of each kind of trigger that watches the world; the tests see them found, the bench measures how fast. */
export const HARMS: readonly TriggerHarm[] = [
  {
    what: "errors above a level",
    trigger: { metric: { kind: "errors" }, overSeconds: 4, above: "10%" },
    fault: { kind: "plan-breaks", share: 0.3 },
  },
  {
    what: "a median beyond the control's",
    trigger: { metric: { kind: "latency", quantile: 0.5 }, overSeconds: 4, againstControl: { to: "+30%" } },
    fault: { kind: "plan-slows", share: 0.5 },
  },
  {
    what: "requests that nobody answers",
    trigger: { metric: { kind: "latency", quantile: 0.9 }, overSeconds: 5, above: 900 },
    fault: { kind: "plan-stalls" },
  },
  {
    what: "an error budget that burns",
    trigger: { burn: { objective: 0.99, windows: [{ shortSeconds: 2, longSeconds: 5, rate: 10 }] } },
    fault: { kind: "plan-breaks", share: 0.3 },
  },
  {
    what: "a probe that says no",
    trigger: { probe: { sql: { service: "db", query: INVARIANT_QUERY } }, mode: "during" },
    fault: { kind: "plan-breaks-invariant" },
  },
];

/** What a stopped run's timeline says of the reaction, ms; NaN where something of it did not happen. */
export function reactionOf({ timeline }: Pick<RunReport, "timeline">): {
  /** From the first act to the breach. */
  readonly breachMs: number;
  /** From the breach to the start of the rollback. */
  readonly rollbackMs: number;
} {
  const at = (kind: string, label?: string): number =>
    timeline.find((entry) => entry.kind === kind && (label === undefined || entry.label === label))?.atMs ?? Number.NaN;
  const breach = at("breach");
  return { breachMs: breach - at("phase", "replay"), rollbackMs: at("phase", "rollback") - breach };
}
