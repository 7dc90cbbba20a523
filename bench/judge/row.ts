import type { GoalName } from "./goals.ts";
import type { Rival } from "./rivals/rival.ts";
import type { JudgeSetting } from "./simulator/our-run.ts";
import type { Truth, World } from "./simulator/world.ts";

/** How one run ended, and what it took: seconds before the plan and after it. */
export interface RunDecision {
  readonly kind: "promote" | "reject" | "hold";
  readonly beforeSeconds: number;
  readonly afterSeconds: number;
}

/** Who judges the runs of a row. */
export type RowJudge =
  /** The product's own code, looking after every block. */
  | {
      readonly kind: "ours";
      readonly setting: JudgeSetting;
      /** Each run has a profile that the product's calibration learned of its world. */
      readonly learned?: boolean;
    }
  | { readonly kind: "rival"; readonly rival: Rival; readonly afterSeconds: number }
  /** Anything else that can play a run by itself, e.g. the harm alarm or switchback. */
  | {
      readonly kind: "own";
      /** What beside world and truth decides its runs; says when a stored row is another one. */
      readonly settings: Readonly<Record<string, unknown>>;
      readonly play: (options: { readonly row: Row; readonly seed: number }) => RunDecision;
    };

/**
 * What a row must keep. Shares of runs, 0..1: at most `most` of them end as `outcome` (or, written `least`, at least so
 * many), and in a full run the exact one-sided 99% upper limit stays at or below `limitMost`.
 */
export interface Keeps {
  readonly outcome: RunDecision["kind"];
  readonly most?: number;
  readonly least?: number;
  readonly limitMost?: number;
  /** The share itself is asked in a quick run too: a rule that must fail has to show it, not to be compatible with it. */
  readonly bites?: true;
  /** Median seconds after the plan, at most. */
  readonly medianSecondsMost?: number;
}

/** Why a row says nothing of the judge: nothing can be decided there, or another row has the same runs and the same answers. */
export interface NoEvidence {
  readonly mark: "decides nothing" | "repeats another";
  readonly why: string;
}

/** What was published of the same rule in the same world, percent of runs (STATISTICS.md 6) and how many runs. */
export interface Published {
  readonly promote: number;
  readonly reject: number;
  readonly hold: number;
  readonly runs: number;
}

/** One line of the tables: everything that decides its numbers. Adding a row is adding a record. */
export interface Row {
  /** Unique: `table/what/...`. */
  readonly id: string;
  readonly label: string;
  readonly world: World;
  readonly truth: Truth;
  readonly judge: RowJudge;
  readonly goals: readonly GoalName[];
  /** The plan acts after so long. Rows of one world, truth and time before are judged on the very same requests. */
  readonly beforeSeconds: number;
  /** Runs in full; run i has seed `FIRST_SEED + i`. */
  readonly runs: number;
  /** Runs in the quick version; absent means the row is not in it. */
  readonly quickRuns?: number;
  readonly keeps?: Keeps;
  /** The row is shown and never counted among those that keep their bound. */
  readonly noEvidence?: NoEvidence;
  readonly published?: Published;
}

/** The date on which the bench was written, and two digits for runs: nobody shopped for it. */
export const FIRST_SEED = 2_026_112_300;
