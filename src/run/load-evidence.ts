import type { HarmAlarm } from "../judge/harm-alarm.ts";
import type { SensitivityProof } from "../judge/sensitivity.ts";
import type { Reason, SloJudgement } from "../judge/verdict.ts";
import type { WatchRecords } from "../judge/watch/watch-records.ts";
import type { Difference } from "../mirror/fingerprint.ts";
import type { CallsCompared } from "../replay/proof/call-counts.ts";
import type { ReplayOutcome } from "../replay/proof/load-replay.ts";
import type { RollbackProof } from "../replay/proof/proofs.ts";
import type { WriteProvenance } from "../replay/proof/write-provenance.ts";
import type { DriverReport } from "../replay/recording.ts";
import type { SloTrail } from "../report/run-report.ts";
import type { LoadSession } from "./load-session.ts";

/** Everything the load showed; what was not reached is absent, and its absence never helps the plan. */
export interface LoadEvidence {
  readonly session: Pick<LoadSession, "store" | "phases"> & Partial<Pick<LoadSession, "rounds" | "responses">>;
  readonly driver: DriverReport;
  readonly slos: readonly SloJudgement[];
  readonly underpowered: readonly Reason[];
  readonly replay?: ReplayOutcome;
  /** Gross harm that stopped the replay, the settling or the observation. */
  readonly alarm?: HarmAlarm;
  /** What triggers and safeguards saw; absent where the plan was not replayed under load. */
  readonly watched?: WatchRecords;
  readonly rollback: RollbackProof;
  readonly consequences: readonly Difference[];
  readonly noise: readonly string[];
  /** Calls to third parties before the plan and with it in force; absent where the mirror has no stubs. */
  readonly calls?: CallsCompared;
  readonly brokenInvariants: readonly Reason[];
  readonly trails: readonly Pick<SloTrail, "name" | "looks">[];
  /** Present when harm was planted: only in a run that asks for it and would be promoted without. */
  readonly sensitivity?: SensitivityProof;
  /** Who wrote what; absent where no SQL acted under load. */
  readonly writes?: WriteProvenance;
}
