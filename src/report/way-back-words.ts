import { lossWords } from "../judge/restore-reasons.ts";
import type { RestoreProof } from "../replay/proof/proofs.ts";
import { describeDuration } from "./amounts.ts";
import type { RunReport } from "./run-report.ts";

/** How the plan was undone, what stands behind its own undo, and what that would lose: one sentence each, for people. */
export function wayBackSentences(report: Pick<RunReport, "snapshot" | "quiet" | "rollback">): readonly string[] {
  return [...snapshotSentence(report), ...provenSentences(report), ...recoverySentence(report)];
}

function snapshotSentence({ snapshot }: Pick<RunReport, "snapshot">): readonly string[] {
  if (snapshot === undefined) return [];
  const stores = snapshot.stores.map(({ service, kind, entries }) => {
    return `${service}: ${entries.toLocaleString("en")} ${kind === "postgres" ? "rows" : "keys"}`;
  });
  const again =
    snapshot.restarted.length === 0 ? "" : ` It made ${snapshot.restarted.join(", ")} end, which were started again.`;
  return [
    `Before anything acted, a snapshot (${stores.join(", ")}) was taken, restored to scratch and compared, in ` +
      `${describeDuration(snapshot.tookMs)}.${again}`,
  ];
}

function provenSentences({
  quiet,
  rollback,
  snapshot,
}: Pick<RunReport, "snapshot" | "quiet" | "rollback">): readonly string[] {
  const underLoad = rollback.kind === "run" ? rollback : undefined;
  const restores = [
    ...(quiet.restored === undefined ? [] : [restoreSentence("on the quiet twin", quiet.restored)]),
    ...(underLoad?.restored === undefined ? [] : [restoreSentence("under load", underLoad.restored)]),
  ];
  const way =
    underLoad?.how === "steps" ? ["The plan's own steps out of a failure were gone instead of its undos."] : [];
  if (restores.length > 0 || snapshot === undefined || underLoad === undefined) return [...way, ...restores];
  const { wouldLose } = underLoad;
  const lost =
    wouldLose === undefined ? "" : `; it would have taken back ${lossWords(wouldLose)} that others had written`;
  return [...way, `The snapshot was not needed${lost}.`];
}

function restoreSentence(where: string, restored: RestoreProof): string {
  const { tookMs, losses, residue, failed, survived, restarted } = restored;
  if (failed !== undefined) return `The undo failed ${where}, and bringing back the snapshot failed too: ${failed}.`;
  const state = residue.length === 0 ? "everything is as it was" : `${residue.length} resources are not as they were`;
  const pools = [
    ...(survived.length === 0 ? [] : [`${survived.join(", ")} lived through it`]),
    ...(restarted.length === 0 ? [] : [`${restarted.join(", ")} had to be started again`]),
  ];
  const lost = losses.length === 0 ? "nothing of others was lost" : `lost: ${lossWords(losses)}`;
  return `The undo failed ${where}; the snapshot was brought back in ${describeDuration(tookMs)}: ${[state, lost, ...pools].join("; ")}.`;
}

function recoverySentence({ rollback }: Pick<RunReport, "rollback">): readonly string[] {
  if (rollback.kind !== "run" || rollback.recoveryMs === undefined) return [];
  return [`All SLOs were seen inside again within ${describeDuration(rollback.recoveryMs)} of the first undo.`];
}
