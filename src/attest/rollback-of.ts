import { lossSums } from "../judge/restore-reasons.ts";
import type { QuietProof, RollbackProof } from "../judge/verdict.ts";
import type { SnapshotFacts } from "../mirror/snapshots/snapshot.ts";
import { clipped, paths } from "./bounded.ts";
import type { Predicate } from "./predicate.ts";

/** Both proofs of the way back and the snapshot behind them, as a verdict says them. */
export function rollbackOf(input: {
  readonly snapshot?: SnapshotFacts;
  readonly quiet: QuietProof;
  readonly rollback: RollbackProof;
}): Predicate["rollback"] {
  return {
    ...snapshotOf(input.snapshot),
    quiet: quietRollback(input.quiet),
    underLoad: loadRollback(input.rollback),
  };
}

function snapshotOf(snapshot: SnapshotFacts | undefined): Pick<Predicate["rollback"], "snapshot"> {
  if (snapshot === undefined) return {};
  const { stores, tookMs } = snapshot;
  return { snapshot: { verified: true, tookMs, services: stores.map(({ service }) => service) } };
}

function quietRollback(quiet: QuietProof): Predicate["rollback"]["quiet"] {
  const left = quiet.restored?.residue ?? quiet.residue;
  const failed = quiet.restored === undefined ? quiet.failed : quiet.restored.failed;
  return {
    restored: left.length === 0 && failed === undefined,
    residue: paths(left.map(({ path }) => path)),
    ...(quiet.restored === undefined ? {} : { by: "restore" }),
  };
}

function loadRollback(rollback: RollbackProof): Predicate["rollback"]["underLoad"] {
  if (rollback.kind === "not-run") return { kind: "not-run", why: clipped(rollback.why) };
  const { restored } = rollback;
  return {
    kind: "run",
    restored:
      rollback.residue.length === 0 && (restored === undefined ? rollback.failed : restored.failed) === undefined,
    residue: paths(rollback.residue.map(({ path }) => path)),
    undoMs: rollback.undoMs,
    ...(restored === undefined && rollback.how !== "steps" ? {} : { by: restored === undefined ? "steps" : "restore" }),
    ...(restored === undefined ? {} : { lost: lossSums(restored.losses) }),
    ...(rollback.wouldLose === undefined ? {} : { wouldLose: lossSums(rollback.wouldLose) }),
    ...(rollback.recoveryMs === undefined ? {} : { recoveryMs: rollback.recoveryMs }),
    ...(rollback.roundsUndoMs === undefined ? {} : { roundsUndoMs: [...rollback.roundsUndoMs] }),
    withinMs: rollback.withinMs,
    notRecovered: [...rollback.notRecovered],
  };
}
