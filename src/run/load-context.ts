import type { Fingerprint, ResourcePath } from "../mirror/fingerprint.ts";
import type { Role, TwinPair } from "../mirror/twin.ts";
import type { QuietProof } from "../replay/proof/proofs.ts";
import type { StoreReadings } from "../replay/proof/write-provenance.ts";
import type { LoadEvidence } from "./load-evidence.ts";
import type { Restarts } from "./restarts.ts";
import type { RunEffects } from "./run-effects.ts";
import type { RunJob } from "./run-job.ts";
import type { RunLog } from "./run-log.ts";
import type { RunSnapshots } from "./run-snapshots.ts";

/** What every phase under load needs and none of them changes. */
export interface LoadContext {
  readonly job: RunJob;
  readonly pair: TwinPair;
  readonly effects: RunEffects;
  readonly log: RunLog;
  /** State of both twins before anything was done to either. */
  readonly reference: Readonly<Record<Role, Fingerprint>>;
  /** Whether the plan replaces processes, so that the twins' bias is drawn anew (STATISTICS.md 3.2); the quiet twin told first. */
  readonly restarts: Restarts;
  /** What the quiet twin showed. */
  readonly quiet: QuietProof;
  /** Every path that the plan was seen to change there; none of them is excused as a consequence. */
  readonly directEffects: readonly ResourcePath[];
  /** What its actions wrote there, by the databases' own logs. */
  readonly quietWrites: StoreReadings;
  /** Verified before anything acted, where the run takes any. */
  readonly snapshots?: RunSnapshots;
  /** Present when known harms are to be planted after the last barrier (`sensitivityOf`). */
  readonly sensitivity?: {
    /** For one harm, at least. */
    readonly secondsMax: number;
    /** Whether the verdict would be promote with this evidence. */
    readonly wouldPromote: (load: Omit<LoadEvidence, "driver">) => boolean;
  };
  readonly signal: AbortSignal;
}
