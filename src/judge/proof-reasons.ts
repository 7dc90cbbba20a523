import type { Difference } from "../mirror/fingerprint.ts";
import { anyMatches } from "../plan/resource-pattern.ts";
import type { QuietProof, RollbackProof } from "../replay/proof/proofs.ts";
import { afterRestore, type RestoreLimits } from "./restore-reasons.ts";
import type { Reason } from "./verdict.ts";

/** What the proofs say against a plan, and what they leave open. */
export interface ProofReasons {
  readonly against: readonly Reason[];
  readonly missing: readonly Reason[];
}

/** Paths named in one sentence before the rest is only counted. */
const PATHS_NAMED = 3;

/** What may stand in for what the quiet twin did not show. */
export interface InsteadOfProof {
  /** What the operator lets a restore lose; absent: no restore takes the place of an undo. */
  readonly accepted?: RestoreLimits | undefined;
  /** Places that could not be looked at and that the operator accepts unseen, as patterns. */
  readonly acceptUnseen?: readonly string[] | undefined;
  /** Only under load is there anything that a restore could lose. */
  readonly rollback: RollbackProof;
}

/** Reasons of the quiet proof: failed actions, undeclared and absent effects, an undo that left something. */
export function quietReasons(quiet: QuietProof | undefined, instead: InsteadOfProof): ProofReasons {
  if (quiet === undefined || quiet.actions.length + (quiet.failed === undefined ? 0 : 1) === 0) {
    const message = "No action of the plan was run on the quiet twin, so neither its effects nor its undo are proven.";
    return { against: [], missing: [{ code: "UNDO_NOT_PROVEN", message }] };
  }
  const undo = [...(quiet.failed?.during === "undo" ? failureReasons(quiet) : []), ...residueReasons(quiet)];
  const left = withoutUndo(undo, quiet, instead);
  const against = [
    ...(quiet.failed?.during === "undo" ? [] : failureReasons(quiet)),
    ...left.against,
    ...effectReasons(quiet),
  ];
  const missing = [
    ...left.missing,
    ...quiet.actions.flatMap(noOpReasons),
    ...unseenReasons(quiet, instead.acceptUnseen),
  ];
  return { against, missing };
}

/** On a quiet twin a restore loses nothing by nature, so that it excuses an undo only together with one under load. */
function withoutUndo(undo: readonly Reason[], quiet: QuietProof, { accepted, rollback }: InsteadOfProof): ProofReasons {
  const quietly = afterRestore(undo, quiet.restored, accepted);
  if (undo.length === 0 || quietly.length > 0) return { against: quietly, missing: [] };
  const because = (why: string): readonly Reason[] =>
    undo.map((reason) => ({ ...reason, message: `${reason.message} ${why}` }));
  if (rollback.kind === "not-run") {
    return { against: [], missing: because("What a restore of the snapshot would lose under load was not shown.") };
  }
  return rollback.restored === undefined
    ? { against: because("No restore of the snapshot was run under load in its place."), missing: [] }
    : { against: afterRestore(undo, rollback.restored, accepted), missing: [] };
}

function noOpReasons({ id, noOp, withoutEffect }: QuietProof["actions"][number]): readonly Reason[] {
  const why = noOp
    ? "found its target already as it wants it"
    : withoutEffect === "at-all"
      ? "landed on the quiet twin, and nothing of what it did was seen there"
      : undefined;
  if (why === undefined) return [];
  return [{ code: "NO_OP", subject: id, message: `Action ${id} ${why}, so nothing of it could be rehearsed.` }];
}

/** Nothing is known of effects there. A place that went out of sight while the plan acted is accepted by nobody. */
function unseenReasons(
  { unseen = [], unseenSince = [] }: QuietProof,
  accepted: readonly string[] = [],
): readonly Reason[] {
  const reason = (place: string, when: string): Reason => ({
    code: "NO_DATA",
    subject: nameOf(place),
    message: `What the plan did ${when} is not known: ${place}.`,
  });
  return [
    ...unseen
      .filter((place) => !anyMatches(accepted, nameOf(place)))
      .map((place) => reason(place, "where nobody could look")),
    ...unseenSince.map((place) => reason(place, "where nobody could look once it had acted")),
  ];
}

/** `file/api/run` of `file/api/run: a tmpfs, and it is frozen`. */
function nameOf(place: string): string {
  return place.split(": ")[0] ?? place;
}

function failureReasons({ failed }: QuietProof): readonly Reason[] {
  if (failed === undefined) return [];
  const { actionId, during, message } = failed;
  if (during === "dry-run") {
    const told = `The dry run of action ${actionId} failed on the quiet twin, so it did not act: ${message}`;
    return [{ code: "ACTION_FAILED", subject: actionId, message: told }];
  }
  return during === "undo"
    ? [
        {
          code: "UNDO_NOT_PROVEN",
          subject: actionId,
          message: `Undoing ${actionId} failed on the quiet twin: ${message}`,
        },
      ]
    : [
        {
          code: "ACTION_FAILED",
          subject: actionId,
          message: `Action ${actionId} failed on the quiet twin: ${message}`,
        },
      ];
}

function residueReasons({ residue }: QuietProof): readonly Reason[] {
  if (residue.length === 0) return [];
  const message = `After the undo on the quiet twin ${counted(residue.length)} not as before: ${listed(residue)}.`;
  return [{ code: "UNDO_NOT_PROVEN", message }];
}

function effectReasons({ actions }: QuietProof): readonly Reason[] {
  return actions.flatMap((action): readonly Reason[] => [
    ...(action.undeclared.length === 0
      ? []
      : [
          {
            code: "UNDECLARED_EFFECT" as const,
            subject: action.id,
            message: `Action ${action.id} changed what it did not declare (${action.undeclared.length}): ${listed(action.undeclared)}.`,
          },
        ]),
    ...(action.absent.length === 0 || action.noOp
      ? []
      : [
          {
            code: "ABSENT_EFFECT" as const,
            subject: action.id,
            message: `Action ${action.id} did not change what it declared (${action.absent.length}): ${named(action.absent)}.`,
          },
        ]),
  ]);
}

/** Reasons of the rollback under load: not run, failed, too slow, something left, service not recovered. */
export function rollbackReasons(rollback: RollbackProof, accepted?: RestoreLimits): ProofReasons {
  if (rollback.kind === "not-run") {
    const message = `The rollback was not run under load: ${rollback.why}`;
    return { against: [], missing: [{ code: "UNDO_NOT_PROVEN", message }] };
  }
  const against: Reason[] = [];
  const { failed, residue, notRecovered, undoMs, withinMs } = rollback;
  if (failed !== undefined) {
    const message = `Undoing ${failed.actionId} failed under load: ${failed.message}`;
    const undo = { code: "UNDO_NOT_PROVEN", subject: failed.actionId, message } as const;
    against.push(...afterRestore([undo], rollback.restored, accepted));
  }
  if (residue.length > 0) {
    const message = `After the rollback under load ${counted(residue.length)} not as before: ${listed(residue)}.`;
    against.push({ code: "UNDO_NOT_PROVEN", message });
  }
  if (notRecovered.length > 0) {
    against.push({
      code: "NOT_RECOVERED",
      message: `After the rollback still outside their range: ${named(notRecovered)}.`,
    });
  }
  if (!(undoMs <= withinMs)) {
    const message = `The rollback took ${seconds(undoMs)}, the plan promised ${seconds(withinMs)}.`;
    against.push({ code: "UNDO_TOO_SLOW", message });
  }
  return { against, missing: [] };
}

function listed(differences: readonly Difference[]): string {
  return named(differences.map((difference) => `${difference.path} (${difference.kind})`));
}

function named(names: readonly string[]): string {
  const more = names.length > PATHS_NAMED ? ` and ${names.length - PATHS_NAMED} more` : "";
  return names.slice(0, PATHS_NAMED).join(", ") + more;
}

function counted(count: number): string {
  return count === 1 ? "1 resource was" : `${count} resources were`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
