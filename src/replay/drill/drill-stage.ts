import type { MintToken } from "../../core/action-token.ts";
import type { Clock } from "../../core/clock.ts";
import type { Intent, IntentLog } from "../../core/intent-log.ts";
import type { Difference, Fingerprint } from "../../mirror/fingerprint.ts";
import type { StateAccess } from "../../mirror/state/state-access.ts";
import type { TwinPair } from "../../mirror/twin.ts";
import type { FaultSwitches } from "../../mirror/twin-faults.ts";
import type { Plan } from "../../plan/plan.ts";
import type { DrillSpec } from "../faults/fault-spec.ts";
import type { Measured } from "../faults/fault-tools.ts";
import type { StepEvent } from "../proof/perform-action.ts";
import type { HealthAnswer } from "./health.ts";

/** A log of intents that can be read back from where it is durable: what a harness that died left behind. */
export interface ReadableIntentLog extends IntentLog {
  read(): Promise<readonly Intent[]>;
}

/** What a cell is played on: a quiet shadow whose state is the reference, and what may be done to it. */
export interface DrillStage {
  readonly plan: Plan;
  readonly pair: TwinPair;
  readonly faults: FaultSwitches;
  readonly reference: Fingerprint;
  readonly spec: DrillSpec;
  readonly state: StateAccess;
  readonly intent: ReadableIntentLog;
  readonly clock: Clock;
  /** Absolute folder of the scenario, for files that actions name. */
  readonly baseDir: string;
  /** Mints a token for each request of an action. */
  readonly mint?: MintToken;
  /** How long each action took when nothing disturbed it, ms; grows while the first column is played. */
  readonly learnedMs: Map<string, number>;
  readonly onStep: (event: StepEvent) => void;
}

/**
 * How a cell ended. `clean`: the state is the reference again and everything is well; `not-restored`: something is left;
 * `finding`: restored, but something else is wrong; `error`: nothing is known, because the cell could not be played.
 */
export type CellResult = "clean" | "not-restored" | "finding" | "error";

/** What one cell showed. */
export interface CellOutcome {
  readonly result: CellResult;
  /** One sentence. */
  readonly reason: string;
  /** What happened on the way, in sentences. */
  readonly notes: readonly string[];
  readonly differences: readonly Difference[];
  readonly fault?: { readonly landed: Measured; readonly lifted: Measured };
  readonly health: readonly HealthAnswer[];
  readonly actMs: number;
  readonly undoMs: number;
  /** From the end of the undo until everything was well, ms. */
  readonly recoverMs: number;
}
