import { countOf, describeDuration } from "../../amounts.ts";
import type { RunReport } from "../../run-report.ts";
import { wayBackSentences } from "../../way-back-words.ts";
import { chip, code, list, section } from "../page-parts.ts";
import { html, type SafeHtml } from "../safe-html.ts";
import { differenceTable } from "./effects-section.ts";

/** Both proofs of the undo, and what was allowed to differ. */
export function rollbackSection(report: RunReport): SafeHtml {
  const { quiet, rollback, consequences, noise } = report;
  const sentences = wayBackSentences(report);
  return section("rollback", "Can it be undone?", [
    quietProof(quiet),
    ...differenceTable("Left behind on the quiet twin", quiet.residue),
    loadProof(rollback),
    ...(rollback.kind === "run" ? differenceTable("Left behind under load", rollback.residue) : []),
    ...(sentences.length === 0 ? [] : [list(sentences.map((sentence) => html`${sentence}`))]),
    ...differenceTable(
      "Consequences the plan declared: data that differs because it was in force for a while",
      consequences,
    ),
    ...(noise.length === 0
      ? []
      : [
          html`<h3>Noise of the twins</h3><p class="muted">Differed between the twins before the plan ran, so it is not held against it.</p>`,
          list(noise.map(code)),
        ]),
  ]);
}

function quietProof({ actions, failed, residue }: RunReport["quiet"]): SafeHtml {
  if (failed?.during === "undo")
    return html`<p>${chip("fail", "not proven")} On the quiet twin, undoing ${failed.actionId} failed: ${failed.message}</p>`;
  if (residue.length > 0)
    return html`<p>${chip("fail", "not proven")} On the quiet twin, left different: ${countOf(residue.length, "resource")}.</p>`;
  if (actions.length === 0) return html`<p>${chip("open", "not seen")} No action reached the quiet twin.</p>`;
  return html`<p>${chip("pass", "proven")} On the quiet twin everything was as before, exactly.</p>`;
}

function loadProof(rollback: RunReport["rollback"]): SafeHtml {
  if (rollback.kind === "not-run") return html`<p>${chip("open", "not run")} Under load: ${rollback.why}</p>`;
  const { failed, residue, notRecovered, undoMs, withinMs, roundsUndoMs } = rollback;
  const slowest = roundsUndoMs === undefined ? "" : `at most, in ${roundsUndoMs.length} rounds, `;
  const took = `${slowest}${describeDuration(undoMs)}, promised ${describeDuration(withinMs)}`;
  if (failed !== undefined)
    return html`<p>${chip("fail", "not proven")} Under load, undoing ${failed.actionId} failed: ${failed.message}</p>`;
  const wrong = [
    ...(residue.length > 0 ? [`${countOf(residue.length, "resource")} left different`] : []),
    ...(notRecovered.length > 0 ? [`not recovered: ${notRecovered.join(", ")}`] : []),
    ...(undoMs > withinMs ? ["slower than promised"] : []),
  ];
  if (wrong.length > 0)
    return html`<p>${chip("fail", "not proven")} Under load: ${wrong.join("; ")} (took ${took}).</p>`;
  return html`<p>${chip("pass", "proven")} Under load the undo took ${took}, and the state is what it was; no lasting harm to the SLOs was seen.</p>`;
}
