import type { DeltaRange } from "../core/delta-range.ts";

export type { QuietProof, RollbackProof } from "../replay/proof/proofs.ts";

// Contract: what the judge answers and from what.

export type NonEmpty<T> = readonly [T, ...T[]];

/** Closed list of reasons; docs/reasons.md says of each what it means and what to do. */
export const REASON_CODES = [
  // reject: evidence against
  "HARM_ALARM",
  "SLO_OUTSIDE_RANGE",
  "EXCESS_ERRORS",
  "EXCESS_STALLS",
  "INVARIANT_BROKEN",
  "UNDECLARED_EFFECT",
  "RESPONSE_CHANGED",
  "ABSENT_EFFECT",
  "UNDO_NOT_PROVEN",
  "UNDO_TOO_SLOW",
  "WORK_SHRANK",
  "ACTION_FAILED",
  "TRIGGER_BREACHED",
  "SAFEGUARD_BROKEN",
  "OBJECTIVE_NOT_MET",
  "NOT_RECOVERED",
  "RESTORE_LOSES_WRITES",
  // hold: not enough evidence
  "UNDERPOWERED",
  "NO_OP",
  "NO_DATA",
  "ASYMMETRIC_LOSS",
  "TWINS_DIFFER",
  "ENVIRONMENT_UNSTABLE",
  "BIAS_UNCALIBRATED",
  "CONTROL_DISTURBED",
  "REQUESTED_NOT_PROVEN",
  "SNAPSHOT_MISSING",
  "HUMAN_NEEDED",
  "SENSITIVITY_NOT_SHOWN",
  "WRITES_NOT_ATTRIBUTED",
  // promote
  "ALL_SHOWN",
] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

/** Why: one sentence with the number that was tested. */
export interface Reason {
  readonly code: ReasonCode;
  readonly message: string;
  /** SLO, action or resource it is about. */
  readonly subject?: string;
}

/** The judge's answer. `hold` means "not enough evidence", `reject` means "evidence against". */
export type Verdict =
  | { readonly kind: "promote"; readonly reasons: NonEmpty<Reason> }
  | { readonly kind: "hold"; readonly reasons: NonEmpty<Reason> }
  | { readonly kind: "reject"; readonly reasons: NonEmpty<Reason> };

/** An interval at a level, on the SLO's delta scale (ratio 0.1 = +10%; errors as fractions). Infinite when there is no information. */
export interface Interval {
  readonly level: number;
  readonly lo: number;
  readonly hi: number;
}

/**
 * How an interval came about, for those who want to compute it again; on the effect scale (natural logs for ratios)
 * unless said otherwise. `estimateAfter - biasKept * estimateBefore` is the estimate; half its interval is
 * `critical * standardError + widening`.
 */
export interface Derivation {
  /** In a switchback a block is a round, "after" the plan in force and "before" the stretches around it. */
  readonly design: "before-after" | "switchback";
  readonly scale: "log" | "absolute";
  readonly estimateBefore: number;
  readonly estimateAfter: number;
  /** Share of the difference seen before the plan that was taken off the one after it, 0..1. */
  readonly biasKept: number;
  /** What is believed of the twins' own difference; sds, zero or absent where nothing is. */
  readonly bias: {
    readonly tau: number;
    readonly restart?: { readonly sd: number; readonly rounds: number };
    readonly driftSd?: number;
    readonly calibrated: boolean;
    /** There was a calibration, and what of the baseline speaks against it. */
    readonly contradicted?: "bias" | "noise";
  };
  readonly standardError: number;
  readonly degrees: number;
  /** Infinite while there is no information. */
  readonly critical: number;
  readonly widening: number;
  /** Whether the blocks moved less than is believed possible, and the least believable sd stood in. */
  readonly sdFloored: boolean;
  /** At the stricter level of a rejection (alpha over the number of SLOs); delta scale, as `interval`. */
  readonly rejectInterval: Interval;
  /** Why the block is longer than the shortest; empty if it is not. */
  readonly blockDoublings: readonly string[];
  readonly invalidBlocks: { readonly before: number; readonly after: number };
  /** Requests in valid blocks; 0 where the measure is none of requests. */
  readonly observations: { readonly before: number; readonly after: number };
  /** The least sample that is not there yet, in a sentence: until then no margin would do. */
  readonly samplesMissing?: string;
  /** What is missing are blocks before the plan: longer observation brings none of them. */
  readonly baselineShort?: true;
}

/** What a baseline shows by itself, before there is anything to hold against it. */
export interface BaselineShown {
  /** Shadow against control, delta scale. */
  readonly difference: number;
  /** Fewest blocks that this measure is judged by. */
  readonly minBlocks: number;
  /** Requests in valid blocks; 0 where the measure is none of requests. */
  readonly observations: number;
  /** Why the block is longer than the shortest; empty if it is not. */
  readonly blockDoublings: readonly string[];
  /** What a decision would take, s; Infinity when no time would do. */
  readonly baselineSeconds: number;
  readonly observeSeconds: number;
}

/** Everything the report says of one SLO (STATISTICS.md 4, "Report per SLO"). */
export interface SloJudgement {
  readonly name: string;
  /** Operator's limit and the plan's promise intersected: what was tested. */
  readonly accepted: DeltaRange;
  readonly limit: DeltaRange;
  readonly promised?: DeltaRange;
  readonly unit: "pp" | "";
  readonly state: "pass" | "fail" | "open" | "no-data";
  /** Best guess of the delta, same scale as `accepted`; absent without data. */
  readonly estimate?: number;
  /** Anytime-valid confidence sequence at the pass level. */
  readonly interval: Interval;
  readonly blocks: {
    readonly before: number;
    readonly after: number;
    readonly invalid: number;
    readonly blockMs: number;
    readonly effective: number;
  };
  readonly varianceInflation: number;
  /** Standard deviation of block values, delta scale (log for ratios). */
  readonly blockSd: number;
  /** Twins' own bias, measured before the plan and removed. */
  readonly biasRemoved: number;
  /** Smallest delta this run could have told apart at its longest, delta scale. */
  readonly minimalDetectable: number;
  /** From now, with 80% chance; absent when already decided or out of reach in the time allowed. */
  readonly secondsToDecision?: number;
  /** The estimate's level before and after on each twin in natural units (ms, ratio, per second, bytes), for people. */
  readonly levels: {
    readonly controlBefore: number;
    readonly controlAfter: number;
    readonly shadowBefore: number;
    readonly shadowAfter: number;
    readonly unit: string;
  };
  /** Errors only: discordant pairs and log e-values of the request-level test. */
  readonly requestTest?: {
    readonly shadowOnly: number;
    readonly controlOnly: number;
    readonly neither: number;
    readonly logPass: number;
    readonly logFail: number;
  };
  /** Histograms only: buckets in which the quantile may lie, and the delta wherever in them it lies on either twin; delta scale. */
  readonly buckets?: { readonly where: string; readonly lo: number; readonly hi: number };
  /** The numbers between blocks and interval; absent where a phase had no block. */
  readonly derivation?: Derivation;
  /** Present where only the baseline has blocks; `levels`, `blockSd` and `varianceInflation` are then its own. */
  readonly baseline?: BaselineShown;
  readonly note: string;
  /** Why it did not pass: what the verdict says of it. Absent when it passed. */
  readonly because?: Reason;
}
