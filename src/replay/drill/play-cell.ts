import { messageOf } from "../../core/errors.ts";
import { InvariantViolation } from "../../core/invariant.ts";
import type { Difference } from "../../mirror/fingerprint.ts";
import { boundDifferences } from "../proof/bound-differences.ts";
import type { DrillCell } from "./drill-columns.ts";
import type { CellOutcome, DrillStage, WayBack } from "./drill-stage.ts";
import { type HealthAnswer, waitUntilWell } from "./health.ts";
import { type Play, settle, startPlay } from "./play.ts";
import { type FaultSeen, playColumn } from "./play-column.ts";
import { whatChanged } from "./what-changed.ts";

/**
 * Plays one cell on a shadow whose state is the reference, and looks what is left. A cell checks state and health; no
 * statistics.
 * @throws signal.reason when aborted; CanaryError MIRROR_UNAVAILABLE when the engine is gone: that says nothing of the plan
 */
export async function playCell(stage: DrillStage, cell: DrillCell, signal: AbortSignal): Promise<CellOutcome> {
  const play = startPlay(stage);
  try {
    const fault = await playColumn(play, cell, signal);
    await settle(play, signal);
    const well = await waitUntilWell(healthTools(stage), signal);
    const differences = await whatChanged(stage, stage.reference, { rows: "located", signal });
    return outcomeOf(play, { fault, differences, health: well.answers, recoverMs: well.tookMs });
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof InvariantViolation) throw thrown;
    // The engine still answering is what tells a cell that could not be played from a run that can not go on.
    await stage.pair.shadow.configuration(signal);
    return { ...timesOf(play), ...emptyCell("error", `could not be played: ${messageOf(thrown)}`), notes: play.notes };
  }
}

/** What asking for health needs of a stage. */
export function healthTools({ pair, faults, spec, clock }: DrillStage): Parameters<typeof waitUntilWell>[0] {
  return { shadow: pair.shadow, faults, mirror: pair.spec, spec, clock };
}

interface Seen {
  readonly fault: FaultSeen | undefined;
  readonly differences: readonly Difference[];
  readonly health: readonly HealthAnswer[];
  readonly recoverMs: number;
}

/** In order of weight: a cell whose fault was none is an error even if all is well; what is left outweighs the rest. */
function outcomeOf(play: Play, seen: Seen): CellOutcome {
  const { fault, differences, health } = seen;
  const { wayBack, broken } = play;
  const shared = {
    ...timesOf(play),
    ...(wayBack === undefined ? {} : { wayBack }),
    recoverMs: seen.recoverMs,
    notes: play.notes,
    differences: boundDifferences(differences),
    health,
    ...(fault === undefined ? {} : { fault }),
  };
  if (fault !== undefined && !fault.landed.holds)
    return { ...shared, result: "error", reason: `the fault did not land: ${fault.landed.said}` };
  if (differences.length > 0) return { ...shared, result: "not-restored", reason: leftWords(differences, wayBack) };
  if (broken !== undefined) return { ...shared, result: "error", reason: broken };
  if (fault !== undefined && !fault.lifted.holds)
    return { ...shared, result: "error", reason: `the fault could not be lifted: ${fault.lifted.said}` };
  const [finding] = play.findings;
  if (finding !== undefined) return { ...shared, result: "finding", reason: finding };
  if (health.length === 0)
    return { ...shared, result: "finding", reason: "state restored, but nothing was asked whether it is well" };
  const unwell = health.filter(({ healthy }) => !healthy);
  if (unwell.length > 0) {
    const who = unwell.map(({ name, said }) => `${name} (${said})`).join(", ");
    return { ...shared, result: "finding", reason: `state restored, but not well again in time: ${who}` };
  }
  const failed = play.notes.find((note) => note.startsWith("the undo of "));
  return {
    ...shared,
    result: "clean",
    reason: `restored exactly${byWords(wayBack)}, ${failed === undefined ? "everything well" : `though ${failed}`}`,
  };
}

/** Whose way back restored it, where that was not the undo of each action. */
function byWords(wayBack: WayBack | undefined): string {
  return wayBack?.how === "steps" ? ` by the plan's own ${wayBack.why === "failure" ? "onFailure" : "onAbort"}` : "";
}

function leftWords(differences: readonly Difference[], wayBack: WayBack | undefined): string {
  const shown = differences.slice(0, 2).map(({ kind, path, before, after }) => {
    const short = kind === "changed" && `${before}${after}`.length <= 40;
    return `${kind} ${path}${short ? ` (${before} to ${after})` : ""}`;
  });
  const more = differences.length - shown.length;
  const left =
    wayBack?.how === "stop" ? "left as it stood, because the plan says stop" : `left behind${byWords(wayBack)}`;
  return `${left}: ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function timesOf(play: Play): Pick<CellOutcome, "actMs" | "undoMs"> {
  return { actMs: play.actMs, undoMs: play.undoMs };
}

function emptyCell(
  result: CellOutcome["result"],
  reason: string,
): Pick<CellOutcome, "result" | "reason" | "differences" | "health" | "recoverMs"> {
  return { result, reason, differences: [], health: [], recoverMs: 0 };
}
