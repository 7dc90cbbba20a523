import type { DeltaRange } from "../core/delta-range.ts";
import type { ExternalPoint } from "./external-points.ts";
import type { JudgeLimits } from "./judge-limits.ts";
import type { Interval, Reason } from "./verdict.ts";

// Contract: what is asked of series that somebody else measured, and what is answered.

/** What is compared and under which terms. */
export interface ComparisonInput {
  readonly name: string;
  readonly points: readonly ExternalPoint[];
  readonly limit: DeltaRange;
  /** `pp` when the values are rates and the limit percentage points. */
  readonly unit: "pp" | "";
  readonly limits: JudgeLimits;
  /** When the change was made, on the points' axis; needed where the points do not tell their phase. */
  readonly actedAtMs?: number;
  /** Sd of the difference that both sides have anyway, as a delta; assumed where there is nothing before the change. */
  readonly biasSd?: number;
}

/**
 * What two series from elsewhere say of a limit. Not a verdict: nobody knows whether both sides got the same requests,
 * nothing was rehearsed, no effect and no rollback was seen.
 */
export interface Comparison {
  readonly name: string;
  readonly limit: DeltaRange;
  readonly unit: "pp" | "";
  readonly answer: "inside" | "outside" | "undecided";
  /** Why it is not inside. */
  readonly because?: Reason;
  /** Whether there is a stretch before the change, whose difference is taken off. */
  readonly baseline: "before" | "none";
  readonly measured?: ComparedNumbers;
  /** What was done to the rows before they were compared. */
  readonly notes: readonly string[];
}

/** The numbers of a comparison, deltas on the limit's scale, the rest on the effect scale (logs for percentages). */
export interface ComparedNumbers {
  readonly estimate: number;
  readonly interval: Interval;
  readonly blocks: {
    readonly before: number;
    readonly after: number;
    readonly invalid: number;
    readonly pointsPerBlock: number;
    /** Absent where rows have no time. */
    readonly blockMs?: number;
    readonly effective: number;
  };
  readonly levels: Readonly<
    Record<"controlBefore" | "controlAfter" | "experimentBefore" | "experimentAfter", number | null>
  >;
  readonly biasRemoved: number;
  /** What is assumed of the difference that both have anyway; 0 where it was measured. */
  readonly biasSd: number;
  readonly blockSd: number;
  readonly varianceInflation: number;
  readonly standardError: number;
  readonly degrees: number;
  readonly critical: number;
  readonly widening: number;
  /** Correlation of both sides' block values: how much of the noise reading them side by side cancels. */
  readonly correlation: number;
  /** Blocks in all until a decision, with 80% chance; absent when decided or out of reach. */
  readonly decidedWith?: { readonly before: number; readonly after: number };
}
