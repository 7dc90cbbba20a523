import type { MintToken } from "../../core/action-token.ts";
import type { Clock } from "../../core/clock.ts";
import type { IntentLog } from "../../core/intent-log.ts";
import type { Difference, Fingerprint, Surroundings } from "../../mirror/fingerprint.ts";
import type { StateAccess } from "../../mirror/state/state-access.ts";
import type { TwinPair } from "../../mirror/twin.ts";
import type { FaultSwitches } from "../../mirror/twin-faults.ts";
import type { Plan } from "../../plan/plan.ts";
import type { DryRunOffer } from "../../policy/step-reading.ts";
import type { DrillSpec } from "../faults/fault-spec.ts";
import type { Measured } from "../faults/fault-tools.ts";
import type { StepEvent } from "../proof/perform-action.ts";
import type { LeftBehind } from "../proof/resume-rollback.ts";
import type { RollbackOrder } from "../proof/roll-back.ts";
import type { HealthAnswer } from "./health.ts";

/** What a cell is played on: a quiet shadow whose state is the reference, and what may be done to it. */
export interface DrillStage {
  readonly plan: Plan;
  readonly pair: TwinPair;
  readonly faults: FaultSwitches;
  readonly reference: Fingerprint;
  /** The control's surroundings when the reference was taken: what processes draw or write when they start differs there. */
  readonly controlReference: Surroundings;
  readonly spec: DrillSpec;
  readonly state: StateAccess;
  readonly intent: IntentLog;
  /**
   * The death of this harness and the start of the next one: everything that is held of the twins and of the log is let go,
   * and taken hold of again from disk alone. Answers what is found there to finish.
   * @throws CanaryError MIRROR_UNAVAILABLE when the twins can not be taken hold of
   */
  readonly nextHarness: (signal: AbortSignal) => Promise<LeftBehind | undefined>;
  readonly clock: Clock;
  /** Absolute folder of the scenario, for files that actions name. */
  readonly baseDir: string;
  /** Mints a token for each request of an action. */
  readonly mint?: MintToken;
  /** How long each action took when nothing disturbed it, ms; grows while the first column is played. */
  readonly learnedMs: Map<string, number>;
  /** How each action can be tried first, by its id, as policy read it. */
  readonly dryRuns: ReadonlyMap<string, DryRunOffer>;
  readonly onStep: (event: StepEvent) => void;
}

/**
 * How a cell ended. `clean`: the state is the reference again and everything is well; `not-restored`: something is left;
 * `finding`: restored, but something else is wrong; `error`: nothing is known, because the cell could not be played.
 */
export type CellResult = "clean" | "not-restored" | "finding" | "error";

/** Which way back a cell has gone, and what it was taken for. */
export interface WayBack {
  /** `planned`: the undo comes next; `resumed`: another process finished what a dead one had begun. */
  readonly why: RollbackOrder["why"] | "resumed";
  /** `undos`: of the actions, last one first; `steps`: the plan's own; `stop`: everything was left as it stood. */
  readonly how: "undos" | "steps" | "stop";
}

/** What one cell showed. */
export interface CellOutcome {
  readonly result: CellResult;
  /** One sentence. */
  readonly reason: string;
  /** What happened on the way, in sentences. */
  readonly notes: readonly string[];
  readonly differences: readonly Difference[];
  readonly fault?: { readonly landed: Measured; readonly lifted: Measured };
  /** Absent where nothing was begun, so that there was no way to go. */
  readonly wayBack?: WayBack;
  readonly health: readonly HealthAnswer[];
  readonly actMs: number;
  readonly undoMs: number;
  /** From the end of the undo until everything was well, ms. */
  readonly recoverMs: number;
}
