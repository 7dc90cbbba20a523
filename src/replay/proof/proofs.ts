import type { Difference } from "../../mirror/fingerprint.ts";

/** What the quiet twin showed: exact, attributed to actions. */
export interface QuietProof {
  readonly actions: readonly {
    readonly id: string;
    readonly effects: readonly Difference[];
    readonly undeclared: readonly Difference[];
    readonly absent: readonly string[];
    /** Already at its target before it acted, so it was not run: nothing is proven of it. */
    readonly noOp: boolean;
  }[];
  /** What was left after undoing everything; must be empty. */
  readonly residue: readonly Difference[];
  readonly failed?: { readonly actionId: string; readonly during: "act" | "undo"; readonly message: string };
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
      /** SLOs that were still outside their range after the undo. */
      readonly notRecovered: readonly string[];
    };
