import type { Difference } from "../../mirror/fingerprint.ts";
import type { Loss, Restored } from "../../mirror/snapshots/snapshot.ts";
import type { DryRunRecord } from "./try-first.ts";

/** How a snapshot was brought back because the plan's own undo failed or left something. */
export interface RestoreProof extends Restored {
  /** Writes of others since the snapshot, which it took back; none on a quiet twin. */
  readonly losses: readonly Loss[];
  /** What is not as it was when the snapshot was taken; must be empty. */
  readonly residue: readonly Difference[];
  /** Why it could not be brought back. */
  readonly failed?: string;
}

/** What the quiet twin showed: exact, attributed to actions. */
export interface QuietProof {
  readonly actions: readonly {
    readonly id: string;
    readonly effects: readonly Difference[];
    readonly undeclared: readonly Difference[];
    readonly absent: readonly string[];
    /** Already at its target before it acted, so it was not run: nothing is proven of it. */
    readonly noOp: boolean;
    /**
     * It landed, and nothing that it did was seen. `quietly`: it declares changed answers, which only traffic can show;
     * `at-all`: nothing will show it. Absent where an effect was seen or the action has nothing to show.
     */
    readonly withoutEffect?: "quietly" | "at-all";
    /** The undo that was read from the state before it acted, for people; absent where the plan gave one or none is needed. */
    readonly derivedUndo?: string;
    /** How it went when it was tried first; absent where there was nothing to try. */
    readonly dryRun?: DryRunRecord;
  }[];
  /** What was left after undoing everything; must be empty. */
  readonly residue: readonly Difference[];
  /** Files and trouble in the output that were left out, because they change without the plan too. */
  readonly noise?: readonly string[];
  /** How many numbers of each sequence the actions' rows drew: they stay drawn when the rows are gone. Absent where none were. */
  readonly drawn?: Readonly<Record<string, number>>;
  /** Places that could not be looked at, with the reason: nothing is known of effects there. */
  readonly unseen?: readonly string[];
  /** Those that could be looked at before the plan acted. */
  readonly unseenSince?: readonly string[];
  readonly failed?: {
    readonly actionId: string;
    readonly during: "dry-run" | "act" | "undo";
    readonly message: string;
  };
  /** Present where the undo failed or left something and a snapshot was brought back; `residue` above is what the undo left. */
  readonly restored?: RestoreProof;
}

/** What the rollback under load showed. */
export type RollbackProof =
  | { readonly kind: "not-run"; readonly why: string }
  | {
      readonly kind: "run";
      /** Of the slowest, where a switchback undid the plan once a round. */
      readonly undoMs: number;
      /** Of each undo of a switchback, in order. */
      readonly roundsUndoMs?: readonly number[];
      readonly withinMs: number;
      /** Differences that are neither noise of the twins nor declared consequences; must be empty. */
      readonly residue: readonly Difference[];
      readonly failed?: { readonly actionId: string; readonly message: string };
      /** The plan's own way out of a failure was gone instead of its undos. */
      readonly how?: "steps" | "stop";
      /** Present where the undo failed and a snapshot was brought back. */
      readonly restored?: RestoreProof;
      /** What a restore at the last barrier would have taken back; absent where there was no snapshot, or it was needed. */
      readonly wouldLose?: readonly Loss[];
      /** From the first undo until the SLOs were seen inside again, ms; absent where they were not. */
      readonly recoveryMs?: number;
      /** SLOs that were still outside their range after the undo. */
      readonly notRecovered: readonly string[];
    };
