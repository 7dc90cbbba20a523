import { type WaysOut, wayOutOf } from "../../plan/recovery.ts";
import type { DryRunOffer } from "../../policy/step-reading.ts";
import { type Fault, faultName, faultWhat } from "../faults/fault-spec.ts";
import { canBeTried } from "../proof/try-first.ts";

/** One way in which a plan is stopped or disturbed; a column of the matrix. */
export type DrillColumn = { readonly kind: keyof typeof TITLES } | { readonly kind: "fault"; readonly fault: Fault };

/** A cell: the first `prefix` actions of the plan, stopped or disturbed in the way of its column. */
export interface DrillCell {
  readonly prefix: number;
  readonly column: DrillColumn;
}

/**
 * Columns in the order in which they are played; the first one also learns how long actions take. A way out of the plan's own
 * (`onAbort`, `onFailure`) is one more thing to prove: then the undos and the failure have columns of their own.
 */
export function drillColumns(
  faults: readonly Fault[],
  plan: { readonly ways: WaysOut; readonly dryRuns: Iterable<DryRunOffer> },
): readonly DrillColumn[] {
  const { ways, dryRuns } = plan;
  return [
    { kind: "abort" },
    ...([...dryRuns].some(canBeTried) ? [{ kind: "dry-run" } as const] : []),
    ...(wayOutOf(ways, "abort") === "rollback" ? [] : [{ kind: "undo" } as const]),
    ...(wayOutOf(ways, "failure") === "rollback" ? [] : [{ kind: "fails" } as const]),
    { kind: "mid-action" },
    { kind: "twice" },
    { kind: "agent-waits" },
    { kind: "agent-dies" },
    { kind: "harness-dies" },
    ...faults.map((fault) => ({ kind: "fault", fault }) as const),
  ];
}

/**
 * Every cell that says something. Nothing can be interrupted, repeated or undone of a plan that has not begun; dry runs are
 * made once, of the whole plan.
 */
export function drillCells(columns: readonly DrillColumn[], actions: number): readonly DrillCell[] {
  const prefixes = Array.from({ length: actions + 1 }, (_, prefix) => prefix);
  return columns.flatMap((column) =>
    prefixes
      .filter((prefix) => {
        if (column.kind === "dry-run") return prefix === actions;
        return prefix > 0 || column.kind === "abort" || column.kind === "fault";
      })
      .map((prefix) => ({ prefix, column })),
  );
}

const TITLES = {
  abort: { title: "abort", what: "stopped after the last action of the prefix, then undone" },
  "dry-run": {
    title: "dry run",
    what: "each action tried first, which must change nothing, then performed; everything undone",
  },
  undo: { title: "undo", what: "nothing goes wrong; undone by the undo of each action, not by the plan's onAbort" },
  fails: { title: "fails", what: "the last action acts and then counts as failed, then undone" },
  "mid-action": { title: "mid-action", what: "stopped in the middle of the last action, then undone" },
  twice: { title: "twice", what: "the last action performed twice, everything undone twice" },
  "agent-waits": {
    title: "agent silent",
    what: "nothing more comes from the agent after the last action; the harness undoes",
  },
  "agent-dies": {
    title: "agent dies",
    what: "the agent is lost inside the last action; the harness undoes",
  },
  "harness-dies": {
    title: "harness dies",
    what: "the harness is lost inside the last action and again after its first undo; the next one takes hold and finishes",
  },
} as const;

/** Short head of a column. */
export function columnTitle(column: DrillColumn): string {
  return column.kind === "fault" ? faultName(column.fault) : TITLES[column.kind].title;
}

/** What is done in a column, in a sentence without its end. */
export function columnWhat(column: DrillColumn): string {
  if (column.kind !== "fault") return TITLES[column.kind].what;
  return faultWhat(column.fault);
}
