import { countOf, describeDuration } from "../amounts.ts";
import type { RunReport } from "../run-report.ts";
import { wayBackSentences } from "../way-back-words.ts";
import { codeSpan, escapeMarkdown } from "./markdown.ts";

/** Both proofs of the undo, and what stands behind it. */
export function undoMarkdown(report: RunReport): string {
  const { quiet, rollback } = report;
  const quietly =
    quiet.failed !== undefined
      ? `❌ quiet twin: ${escapeMarkdown(`${quiet.failed.actionId} failed: ${quiet.failed.message}`)}`
      : quiet.residue.length > 0
        ? `❌ quiet twin: ${countOf(quiet.residue.length, "resource")} not put back`
        : "✅ quiet twin: everything was as before";
  const sentences = wayBackSentences(report).map((sentence) => `- ${escapeMarkdown(sentence)}`);
  return ["## Undo", "", `- ${quietly}`, `- ${undoUnderLoad(rollback)}`, ...sentences].join("\n");
}

function undoUnderLoad(rollback: RunReport["rollback"]): string {
  if (rollback.kind === "not-run") return `⏸️ under load: not run, ${escapeMarkdown(rollback.why)}`;
  const { failed, residue, notRecovered, undoMs, withinMs, roundsUndoMs } = rollback;
  if (failed !== undefined) return `❌ under load: ${escapeMarkdown(`${failed.actionId} failed: ${failed.message}`)}`;
  const rounds = roundsUndoMs === undefined ? "" : `, the slowest of ${roundsUndoMs.length} rounds`;
  const took = `${describeDuration(undoMs)} of ${describeDuration(withinMs)}${rounds}`;
  const wrong = [
    ...(residue.length > 0 ? [`${countOf(residue.length, "resource")} not put back`] : []),
    ...(notRecovered.length > 0 ? [`not recovered: ${notRecovered.map(codeSpan).join(", ")}`] : []),
    ...(undoMs > withinMs ? ["too slow"] : []),
  ];
  const back = "state as before, no lasting harm to the SLOs was seen";
  return wrong.length === 0
    ? `✅ under load: undone in ${took}; ${back}`
    : `❌ under load (${took}): ${wrong.join("; ")}`;
}
