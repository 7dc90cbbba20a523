import type { Role } from "../mirror/twin.ts";

// Contract: what the traffic driver records and everything later reads. File layout: docs/recording-format.md.

/** What became of one request at one twin. Every one of them is a sample; none is dropped. */
export const OUTCOMES = ["ok", "http-error", "timeout", "connection-error", "blocked", "dropped"] as const;
/**
 * ok: answered as expected (status < 500 and the protocol says success); http-error: 5xx or a gRPC error status;
 * blocked: could not be sent because a value it needs was never captured on this twin; dropped: the driver was full.
 */
export type Outcome = (typeof OUTCOMES)[number];

/**
 * A batch of paired requests in columns; index i of every column is the same request on both twins.
 * Times are milliseconds on the run's axis (0 = the driver's start). `NaN` never occurs; a request that got no answer
 * carries the time it waited (its time-out).
 */
export interface PairBatch {
  readonly size: number;
  /** Number of the request, ascending over the run apart from completion order inside a batch. */
  readonly sequence: Uint32Array;
  /** When it should have been sent, ms. */
  readonly intendedMs: Float64Array;
  /** Index into the recording's routes. */
  readonly route: Uint16Array;
  readonly arms: Readonly<Record<Role, ArmColumns>>;
}

export interface ArmColumns {
  /** Index into OUTCOMES. */
  readonly outcome: Uint8Array;
  /** HTTP status, or 1000 + gRPC status; 0 if there was no answer. */
  readonly status: Uint16Array;
  /** From the send that was due (the intended one, for the second of a staggered pair later by the stagger) to the actual one, ms. */
  readonly sendLagMs: Float32Array;
  /** From the send that was due to the end of the answer, ms: what the SLO talks about (no coordinated omission). */
  readonly latencyMs: Float32Array;
  /** From the actual send to the end of the answer, ms. */
  readonly serviceMs: Float32Array;
}

/** One reading of something that is not a request. Counters are cumulative; gauges are instants. */
export interface MetricSample {
  readonly atMs: number;
  readonly role: Role;
  /** Key of the reading, `measureKey` of the SLO that asked for it. */
  readonly key: string;
  readonly value: number;
}

/** A stretch of the run on its axis, ms; `toMs` is exclusive. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * One round of a switchback: the plan applied, left to settle, measured and undone, and measured without it on both
 * sides (`before`, `after`: the halves of those stretches that this round owns; docs/decisions/0008).
 */
export type RecordedRound = Readonly<Record<"before" | "acting" | "settling" | "on" | "undoing" | "after", Window>>;

/** What a directory under reports/<run>/recording/ holds beside its columns; enough to judge it again. */
export interface RecordingManifest {
  readonly schema: "canary.recording/v1";
  readonly runId: string;
  readonly seed: number;
  readonly routes: readonly string[];
  readonly ratePerSecond: number;
  readonly startedEpochMs: number;
  /** Phases that exist so far; a run that stopped early lacks the later ones. */
  readonly phases: Partial<
    Readonly<Record<"warmup" | "baseline" | "acting" | "settling" | "observing" | "undoing" | "recovery", Window>>
  >;
  /** Of a switchback, the complete ones; then `acting` to `undoing` above are those of the last round. */
  readonly rounds?: readonly RecordedRound[];
  /** Stretches after all phases in which a known harm was in force on the shadow; absent where none was planted. */
  readonly planted?: readonly { readonly what: string; readonly window: Window }[];
  readonly driver?: DriverReport;
}

/** How well the driver itself did; the run has no verdict when it was the bottleneck. */
export interface DriverReport {
  readonly sent: number;
  readonly completed: number;
  readonly dropped: number;
  readonly sendLagMsP50: number;
  readonly sendLagMsP99: number;
  readonly sendLagMsMax: number;
  /** Scheduling class that the machine granted. */
  readonly priority: "realtime" | "nice" | "normal";
  /** Share of 1 s slots whose lag p99 passed the limit, 0..1. */
  readonly lateSlots: number;
  readonly bottleneck: { readonly kind: "no" } | { readonly kind: "yes"; readonly why: string };
}

/** Pairs of one route, meant for one second, that have no outcome yet, by the twin that still owes its answer. */
export interface OverduePairs {
  /** Index into the recording's routes. */
  readonly route: number;
  /** Start of the second of intended time, ms. */
  readonly intendedFromMs: number;
  readonly control: number;
  readonly shadow: number;
  readonly both: number;
}

/** Half-second pulse for the live view and the harm alarm; latency over the last two seconds. */
export interface DriverPulse {
  readonly atMs: number;
  /** Pairs that have waited for more than a second: nothing else tells of a twin that has stopped answering. */
  readonly overdue?: readonly OverduePairs[];
  /** How late the driver itself sends, over the same seconds; absent where it does not say. */
  readonly sendLagMsP99?: number;
  readonly arms: Readonly<
    Record<
      Role,
      {
        readonly ratePerSecond: number;
        readonly errorRatio: number;
        readonly latencyMsP99: number;
        readonly inFlight: number;
      }
    >
  >;
}
