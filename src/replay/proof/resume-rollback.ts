import type { MintToken } from "../../core/action-token.ts";
import type { Clock } from "../../core/clock.ts";
import type { IntentLog, UnfinishedRollback } from "../../core/intent-log.ts";
import type { Difference, Fingerprint, ResourcePath, Surroundings } from "../../mirror/fingerprint.ts";
import { coarseDifference } from "../../mirror/state/difference.ts";
import type { StateAccess } from "../../mirror/state/state-access.ts";
import { ROLES, type TwinPair } from "../../mirror/twin.ts";
import { ActionStepSchema } from "../../plan/action.ts";
import type { Action } from "../../plan/plan.ts";
import { RecoverySchema } from "../../plan/recovery.ts";
import { compareAtBarrier } from "./barrier.ts";
import { boundDifferences } from "./bound-differences.ts";
import type { Noise } from "./noise.ts";
import type { Performance } from "./perform-action.ts";
import { actionOf } from "./roll-back.ts";
import { type UndoOutcome, undoPlan } from "./undo-plan.ts";
import { withoutNoise } from "./without-noise.ts";

/** What a run keeps on disk so that the state after its rollback can be held against the state before. */
export interface ResumeState {
  readonly reference: Fingerprint;
  /** The control's surroundings then; where absent, every file that differs counts as left. */
  readonly controlReference?: Surroundings;
  /** Learned before the plan acted under load; absent until then. */
  readonly noise?: Noise;
  /** Patterns that the plan declared as changed. */
  readonly consequences: readonly string[];
  /** Paths that it was seen to change on the quiet twin. */
  readonly directEffects: readonly ResourcePath[];
  /** How many numbers of each sequence its rows drew there. */
  readonly drawn?: Readonly<Record<ResourcePath, number>>;
  /** Absolute folder of the scenario, for files that undos name; where absent, they are looked for beside the log. */
  readonly baseDir?: string;
  /** How often an undo that does not land is tried, where the plan says. */
  readonly undoTries?: number;
}

/** What a process that died left on disk of a rollback that it had not finished. */
export interface LeftBehind {
  readonly folder: string;
  readonly unfinished: UnfinishedRollback;
  readonly kept: ResumeState;
  /** Goes on where the dead process's ended. */
  readonly intent: IntentLog;
}

/** How a rollback that a dead process left unfinished was finished. */
export interface ResumedRollback {
  /** Actions whose undo was done now, in the order of doing. */
  readonly undone: readonly string[];
  readonly failed?: UndoOutcome["failed"];
  readonly undoMs: number;
  /** `reference`: exactly the state before anything; `control`: what traffic writes is held against the untouched twin. */
  readonly comparedWith: "reference" | "control";
  /** What is not as before; empty when the rollback is proven. */
  readonly residue: readonly Difference[];
}

/** What finishing it needs. */
export interface Resuming {
  readonly unfinished: UnfinishedRollback;
  readonly pair: TwinPair;
  readonly to: Performance;
  readonly state: StateAccess;
  readonly kept: ResumeState;
}

/**
 * Finishes the rollback that a dead process left: from what it left on disk alone, and on record after that.
 * @throws signal.reason when aborted; CanaryError when the engine or a store does not answer
 */
export async function finishRollback(
  left: LeftBehind,
  by: {
    readonly pair: TwinPair;
    readonly state: StateAccess;
    readonly clock: Clock;
    /** Mints the tokens of requests that undo something. */
    readonly mint?: MintToken | undefined;
    readonly onStep: Performance["onStep"];
  },
  signal: AbortSignal,
): Promise<ResumedRollback> {
  const { unfinished, kept, intent } = left;
  const { pair, state, clock, mint, onStep } = by;
  const to: Performance = {
    proof: unfinished.proof,
    shadow: pair.shadow,
    intent,
    clock,
    axisMs: () => clock.monotonicMs(),
    baseDir: kept.baseDir ?? left.folder,
    ...(kept.undoTries === undefined ? {} : { undoTries: kept.undoTries }),
    ...(mint === undefined ? {} : { mint }),
    onStep,
    onRecord: () => undefined,
  };
  const rollback = await resumeRollback({ unfinished, pair, to, state, kept }, signal);
  await intent.record({ kind: "end", outcome: "rollback-resumed" });
  return rollback;
}

/**
 * Finishes what an intent log shows to be unfinished, from the log alone, and compares the state. Nothing sends traffic any
 * more; background services are frozen first, as in every comparison.
 * @throws signal.reason when aborted; CanaryError when the engine or a store does not answer
 */
export async function resumeRollback(resuming: Resuming, signal: AbortSignal): Promise<ResumedRollback> {
  const { unfinished, pair, state } = resuming;
  await Promise.all(ROLES.map((role) => pair[role].freeze(pair.spec.background, signal)));
  const left = actionsLeft(unfinished);
  const { undoMs, failed } = await undoInOrder(left, resuming, signal);
  const fingerprint = (role: (typeof ROLES)[number]): Promise<Fingerprint> =>
    state.fingerprint(pair[role], pair.spec.state, { signal });
  const { noise, controlReference: _, ...kept } = resuming.kept;
  const underLoad = unfinished.proof === "load" && noise !== undefined;
  const residue = underLoad
    ? await Promise.all([fingerprint("control"), fingerprint("shadow")]).then(
        ([control, shadow]) => compareAtBarrier({ ...kept, noise, control, shadow }).residue,
      )
    : await sinceReference(resuming, await fingerprint("shadow"), signal);
  return {
    undone: left.map(({ id }) => id).filter((id) => id !== failed?.actionId),
    ...(failed === undefined ? {} : { failed }),
    undoMs,
    comparedWith: underLoad ? "control" : "reference",
    residue: boundDifferences(residue),
  };
}

/** What is not as it was, without what is nobody's: undos and restarts make processes write files of their own. */
async function sinceReference(
  { kept, pair, state }: Resuming,
  after: Fingerprint,
  signal: AbortSignal,
): Promise<readonly Difference[]> {
  const { reference, controlReference, directEffects } = kept;
  const found = coarseDifference(reference, after);
  if (controlReference === undefined) return found;
  const baseline = { control: controlReference, shadow: reference };
  const touched = new Set(directEffects);
  return await withoutNoise(found, { pair, state, baseline, before: reference, after, touched }, signal);
}

/** In the order of doing: the plan's own way out from its start where one was begun, else the undos, last act first. */
function actionsLeft({ undo, recover }: UnfinishedRollback): readonly Action[] {
  if (recover !== undefined) {
    const way = RecoverySchema.parse(recover.steps);
    return Array.isArray(way) ? way.map((step) => actionOf(step, recover.requires ?? [])) : [];
  }
  return undo.map((act) => {
    const step = ActionStepSchema.parse(act.undo);
    return actionOf(
      { id: act.actionId, step, timeoutSeconds: (act.timeoutMs ?? UNDO_TIMEOUT_MS) / 1000 },
      act.requires ?? [],
    );
  });
}

const UNDO_TIMEOUT_MS = 30_000;

async function undoInOrder(left: readonly Action[], { to, unfinished }: Resuming, signal: AbortSignal) {
  const outcome = await undoPlan(left.toReversed(), to, signal);
  if (unfinished.recover !== undefined) await to.intent.record({ kind: "recovered", ok: outcome.failed === undefined });
  return outcome;
}
