import type { AbortCause } from "../core/abort-cause.ts";
import type { Difference } from "../mirror/fingerprint.ts";
import type { Role } from "../mirror/twin.ts";
import type { Phase } from "./run-event.ts";

// Contract: the content of reports/<run>/abort.json. It says how a run that was stopped was undone; it is no verdict.

/** Whether and how what was done was undone after the stop, and what the twins showed afterwards. */
export interface AbortProof {
  /** Where the last thing was done: on the quiet twin, under load, or nowhere yet. */
  readonly proof: "none" | "quiet" | "load";
  /** Actions that had been begun, in order. */
  readonly begun: readonly string[];
  /** How undoing went; absent where nothing was left to undo. */
  readonly undo?: {
    readonly undone: readonly string[];
    readonly undoMs: number;
    /** The undo that did not land or did not end, in words. */
    readonly failed?: string;
  };
  /** State afterwards: against the state before and, under load, the control's now, without the noise of the twins. */
  readonly state:
    | { readonly kind: "as-before"; readonly noise: readonly string[]; readonly consequences: readonly Difference[] }
    | { readonly kind: "differs"; readonly residue: readonly Difference[] }
    /** Nothing had been done since state was last compared. */
    | { readonly kind: "untouched" }
    | { readonly kind: "not-compared"; readonly why: string };
  /** What the service did in the seconds after the undo, under load only; shown, not judged. */
  readonly recovery:
    | {
        readonly kind: "seen";
        readonly overMs: number;
        readonly requests: number;
        readonly errorShare: Readonly<Record<Role, number>>;
        readonly medianMs: Readonly<Record<Role, number>>;
      }
    | { readonly kind: "not-measured"; readonly why: string };
}

/** One stopped run. */
export interface AbortRecord extends AbortProof {
  readonly schema: "canary.abort/v1";
  readonly runId: string;
  readonly scenario: string;
  readonly plan: { readonly name: string; readonly sha256: string };
  /** Who or what stopped it, how, and with what words. */
  readonly by: AbortCause;
  readonly abortedEpochMs: number;
  readonly phase: Phase;
  readonly exitCode: number;
}
