import type { AbortRecord } from "./abort-record.ts";
import { countOf, describeDuration, describeLevel, percent } from "./amounts.ts";
import { describeDifference } from "./effect-words.ts";
import { PHASE_WORDS } from "./phase-words.ts";

const DIFFERENCES_SHOWN_MAX = 8;

/** How a stopped run was undone, in lines for a terminal; who stopped it stands first. */
export function abortLines(record: AbortRecord, file: string): readonly string[] {
  const { by } = record;
  const why = by.reason === undefined ? "" : `: ${by.reason}`;
  return [
    `stopped (${by.how}: ${by.detail}${why}) during ${PHASE_WORDS[record.phase]}; there is no verdict`,
    ...undoLines(record),
    ...stateLines(record),
    ...recoveryLines(record),
    `what was undone: ${file}`,
  ];
}

/** Whether state is shown to be as it was before anything was done; nothing less is good news. */
export function isShownUndone({ state, undo }: Pick<AbortRecord, "state" | "undo">): boolean {
  return undo?.failed === undefined && (state.kind === "as-before" || state.kind === "untouched");
}

function undoLines({ begun, undo, proof }: AbortRecord): readonly string[] {
  if (begun.length === 0) return ["nothing of the plan was in force"];
  const where = proof === "quiet" ? "on the quiet twin" : "under load";
  if (undo === undefined) return [`begun ${where} and undone before the stop: ${begun.join(", ")}`];
  const undone = `undone ${where} in ${describeDuration(undo.undoMs)}: ${undo.undone.join(", ") || "nothing"}`;
  return undo.failed === undefined ? [undone] : [undone, `! the undo failed: ${undo.failed}`];
}

function stateLines({ state, begun }: AbortRecord): readonly string[] {
  switch (state.kind) {
    case "untouched":
      return begun.length === 0 ? [] : ["state: as before"];
    case "as-before": {
      const consequences = state.consequences.length;
      return [
        consequences === 0
          ? "state: as before"
          : `state: as before, but for ${countOf(consequences, "declared consequence")}`,
      ];
    }
    case "not-compared":
      return [`! state: not compared (${state.why})`];
    case "differs": {
      const shown = state.residue.slice(0, DIFFERENCES_SHOWN_MAX).map((one) => `    ${describeDifference(one)}`);
      const more = state.residue.length - shown.length;
      return [
        `! state: ${countOf(state.residue.length, "resource")} not as before`,
        ...shown,
        ...(more > 0 ? [`    and ${more} more`] : []),
      ];
    }
  }
}

function recoveryLines({ recovery, proof }: AbortRecord): readonly string[] {
  if (proof !== "load") return [];
  if (recovery.kind === "not-measured") return [`service after the undo: not measured (${recovery.why})`];
  const { overMs, errorShare, medianMs } = recovery;
  return [
    `service in the ${describeDuration(overMs)} after the undo: ${percent(errorShare.shadow)} errors ` +
      `(control ${percent(errorShare.control)}), median ${describeLevel(medianMs.shadow, "ms")} ` +
      `(control ${describeLevel(medianMs.control, "ms")})`,
  ];
}
