import { bringBack } from "../replay/proof/bring-back.ts";
import type { RestoreProof } from "../replay/proof/proofs.ts";
import type { UndoOutcome } from "../replay/proof/undo-plan.ts";
import type { LoadContext } from "./load-context.ts";
import type { LoadSession } from "./load-session.ts";

/** An undo under load, and the snapshot that was brought back where it failed here or on the quiet twin. */
export interface WayBack {
  readonly undone: readonly UndoOutcome[];
  readonly restored?: RestoreProof;
}

/**
 * Brings back the snapshot, where there is one, after an undo that failed under load or was shown on the quiet twin not to
 * bring everything back: there the restore is the rollback that production would get. Traffic waits meanwhile, so that what
 * it had written is counted and what comes back is compared exactly; requests that a restore would fail are not in it.
 * @param undone - every undo under load, in order
 */
export async function fallBack(
  context: LoadContext,
  session: Pick<LoadSession, "still" | "axisMs" | "mark" | "phases">,
  undone: readonly UndoOutcome[],
): Promise<WayBack> {
  const { snapshots, effects, pair, reference, quiet, directEffects, log, signal } = context;
  const failed = undone.some((undo) => undo.failed !== undefined);
  if (snapshots === undefined || !(failed || quiet.restored !== undefined)) return { undone };
  const why = failed ? "an undo failed under load" : "the plan's undo did not bring everything back on the quiet twin";
  log.note(`${why}: traffic waits while the snapshot is brought back and compared`);
  const fromMs = session.phases.undoing?.fromMs ?? session.axisMs();
  const restored = await session.still(
    () =>
      bringBack(
        {
          snapshot: snapshots.shadow,
          untouched: snapshots.control,
          pair,
          state: effects.state,
          reference: reference.shadow,
          controlReference: reference.control,
          touched: new Set(directEffects),
          intent: effects.store.intent,
        },
        signal,
      ),
    signal,
  );
  session.mark("undoing", { fromMs, toMs: session.axisMs() });
  return { undone, restored };
}
