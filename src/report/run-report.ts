import type { SpentBudget } from "../judge/during-budgets.ts";
import type { Explanation } from "../judge/explain.ts";
import type { HarmAlarm } from "../judge/harm-alarm.ts";
import type { PowerForecast } from "../judge/power-forecast.ts";
import type { ResponseJudgement } from "../judge/response-changes.ts";
import type { SensitivityProof } from "../judge/sensitivity.ts";
import type { QuietProof, RollbackProof, SloJudgement, Verdict } from "../judge/verdict.ts";
import type { SafeguardRecord, TriggerRecord } from "../judge/watch/watch-records.ts";
import type { LatencyDistribution, RouteTotals } from "../measure/summaries.ts";
import type { Difference } from "../mirror/fingerprint.ts";
import type { SnapshotFacts } from "../mirror/snapshots/snapshot.ts";
import type { TwinFacts } from "../mirror/twin-facts.ts";
import type { Action, Plan } from "../plan/plan.ts";
import type { ActionAssessment } from "../policy/assess-plan.ts";
import type { PolicyDecision } from "../policy/engine/question.ts";
import type { CallsCompared } from "../replay/proof/call-counts.ts";
import type { WriteProvenance } from "../replay/proof/write-provenance.ts";
import type { DriverReport, RecordingManifest } from "../replay/recording.ts";

// Contract: the content of reports/<run>/report.json, which every other report is drawn from.

/** One route on one twin, as measured. */
export type RouteSummary = RouteTotals;

/** Latencies of one route on both twins after the plan, as measured. */
export type Distribution = LatencyDistribution;

/** How one SLO's delta and its interval moved while the run looked; infinite bounds are null in JSON. */
export interface SloTrail {
  readonly name: string;
  readonly looks: readonly {
    readonly atMs: number;
    readonly estimate: number;
    readonly lo: number | null;
    readonly hi: number | null;
  }[];
  /** Level of each twin per block in the SLO's natural unit. */
  readonly blocks: readonly { readonly atMs: number; readonly control: number; readonly shadow: number }[];
}

export interface TimelineEntry {
  /** Ms on the run's axis; negative before traffic started. */
  readonly atMs: number;
  readonly toMs?: number;
  readonly kind: "phase" | "action" | "undo" | "barrier" | "note" | "alarm" | "breach";
  readonly label: string;
}

export interface ActionRecord {
  readonly id: string;
  readonly proof: "quiet" | "load";
  readonly phase: "act" | "undo";
  readonly startedMs: number;
  readonly durationMs: number;
  readonly landed: boolean;
  /** What it printed or answered, secrets masked, cut to a few kB. */
  readonly output: string;
}

/** One run, complete; JSON-shaped (numbers finite or null). */
export interface RunReport {
  readonly schema: "canary.report/v1";
  readonly runId: string;
  readonly harnessVersion: string;
  readonly startedEpochMs: number;
  readonly finishedEpochMs: number;
  readonly scenario: { readonly name: string; readonly file: string; readonly sha256: string };
  readonly environment: { readonly id: string; readonly class: string };
  readonly plan: Pick<Plan, "name" | "sha256" | "agent" | "target" | "confidence" | "intent" | "evidence"> & {
    /** Path of the plan as the scenario names it; the run's folder keeps a copy. */
    readonly file: string;
    readonly tier: {
      readonly declared: Plan["tier"];
      readonly classified: Plan["tier"];
      readonly effective: Plan["tier"];
    };
    readonly actions: readonly Action[];
  };
  /** What policy read of each action before anything was raised; in reports since dry runs are done. */
  readonly policy?: readonly ActionAssessment[];
  /** What the policy in use answered, and what it demands of a promotion; absent in reports from before it was data. */
  readonly policyDecision?: PolicyDecision;
  readonly mirror: {
    readonly name: string;
    readonly sha256: string;
    readonly fidelity: readonly string[];
    readonly facts: TwinFacts;
  };
  /** The calibration profile that the judge believed; absent where there was none. Its bytes lie beside the report. */
  readonly profile?: {
    readonly name: string;
    readonly sha256: string;
    readonly createdAt: string;
    readonly rounds: number;
  };
  /** What the run could be expected to show, as it was said last before the plan acted. */
  readonly power?: readonly PowerForecast[];
  /** Services of the shadow whose processes were others with the plan than before, as witnessed; sorted. */
  readonly restarted?: readonly string[];
  readonly verdict: Verdict;
  readonly slos: readonly SloJudgement[];
  /** How the plan was applied under load; `rounds` counts those that were complete. Absent where it never was. */
  readonly design?: { readonly kind: "before-after" } | { readonly kind: "switchback"; readonly rounds: number };
  /** Longest stretch, settling included, for which the plan stayed applied; absent where it never was. */
  readonly longestInForceSeconds?: number;
  /** Gross harm that stopped the plan. */
  readonly alarm?: HarmAlarm;
  /** What the seconds from the first act to the end of settling spent of their budgets. */
  readonly during?: readonly SpentBudget[];
  /** Answers of both twins compared, route by route; absent where none were. */
  readonly responses?: ResponseJudgement;
  /** The scenario's triggers and the breaker of every run; absent where no plan could act under load. */
  readonly triggers?: readonly TriggerRecord[];
  readonly safeguards?: readonly SafeguardRecord[];
  /** The trigger or safeguard that stopped the plan. */
  readonly stoppedBy?: string;
  /** The chain of reasoning to the verdict, in sentences. */
  readonly explanation: Explanation;
  /** Harms of known size that were planted before the signing, and whether they were seen; absent where none was asked for. */
  readonly sensitivity?: SensitivityProof;
  /** Who wrote which rows under load, by the databases' own logs; absent where no SQL acted. */
  readonly writes?: WriteProvenance;
  /** The shadow's verified snapshot; absent where the run took none. */
  readonly snapshot?: SnapshotFacts;
  readonly quiet: QuietProof;
  readonly rollback: RollbackProof;
  readonly actions: readonly ActionRecord[];
  /** Differences of the twins at the last barrier that are the plan's declared consequences. */
  readonly consequences: readonly Difference[];
  /** What differed between the twins before the plan, learned at the barrier: columns and key patterns. */
  readonly noise: readonly string[];
  /** Calls to third parties before the plan and with it in force; absent where none could be made. */
  readonly calls?: CallsCompared;
  readonly stubCalls: readonly {
    readonly host: string;
    readonly method: string;
    readonly path: string;
    readonly control: number;
    readonly shadow: number;
  }[];
  readonly traffic: {
    readonly seed: number;
    readonly ratePerSecond: number;
    readonly arrivals: string;
    readonly routes: readonly {
      readonly route: string;
      readonly control: RouteSummary;
      readonly shadow: RouteSummary;
    }[];
    /** Absent when the quiet proof settled the answer and no traffic was sent. */
    readonly driver?: DriverReport;
    readonly phases: RecordingManifest["phases"];
    /** Of a switchback: the rounds that were complete. */
    readonly rounds?: NonNullable<RecordingManifest["rounds"]>;
  };
  readonly distributions: readonly Distribution[];
  readonly trails: readonly SloTrail[];
  readonly timeline: readonly TimelineEntry[];
  /** Share of the run's wall time in which traffic was measured, 0..1. */
  readonly measuringShare: number;
  readonly bundleSha256?: string;
}
