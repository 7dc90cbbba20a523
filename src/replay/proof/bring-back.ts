import { CanaryError } from "../../core/errors.ts";
import type { IntentLog } from "../../core/intent-log.ts";
import type { Fingerprint, ResourcePath, Surroundings } from "../../mirror/fingerprint.ts";
import type { Snapshot } from "../../mirror/snapshots/snapshot.ts";
import { coarseDifference } from "../../mirror/state/difference.ts";
import type { StateAccess } from "../../mirror/state/state-access.ts";
import type { TwinPair } from "../../mirror/twin.ts";
import { boundDifferences } from "./bound-differences.ts";
import type { RestoreProof } from "./proofs.ts";
import { withoutNoise } from "./without-noise.ts";

/** What a restore needs to be proven. */
export interface BringingBack {
  readonly snapshot: Snapshot;
  /** The untouched twin's snapshot: what differs from it by now, traffic alone has written. Absent where there was none. */
  readonly untouched?: Snapshot;
  /** The shadow is brought back; by the control, what changes by itself is told. */
  readonly pair: TwinPair;
  readonly state: StateAccess;
  /** The state when the snapshot was taken. */
  readonly reference: Fingerprint;
  /** The control's surroundings at that time. */
  readonly controlReference: Surroundings;
  /** Paths that the plan was seen to change: they are not left out as what a process writes when it starts. */
  readonly touched: ReadonlySet<ResourcePath>;
  readonly intent: IntentLog;
}

/**
 * The last way back: what others have written since is counted, the snapshot is brought back, and the state compared with the
 * one it was taken of, without what is nobody's (`quietNoise`): a store that was started again has a new lock. While nothing writes. That it does not come back is an answer about the plan: it may have broken
 * what the snapshot lies on.
 * @throws signal.reason when aborted; CanaryError when the engine does not answer any more
 */
export async function bringBack(options: BringingBack, signal: AbortSignal): Promise<RestoreProof> {
  const { snapshot, untouched, pair, state, reference, controlReference, touched, intent } = options;
  const losses = (await untouched?.losses(signal)) ?? [];
  await intent.record({ kind: "restore" });
  try {
    const { tookMs, survived, restarted, unrestored } = await snapshot.restore(signal);
    const after = await state.fingerprint(pair.shadow, pair.spec.state, { signal });
    const baseline = { control: controlReference, shadow: reference };
    const looks = { pair, state, baseline, before: reference, after, touched };
    const residue = await withoutNoise(coarseDifference(reference, after), looks, signal);
    await intent.record({ kind: "restored", ok: residue.length === 0 });
    return { tookMs, survived, restarted, unrestored, losses, residue: boundDifferences(residue) };
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof CanaryError) || thrown.code !== "MIRROR_UNAVAILABLE") throw thrown;
    await pair.shadow.configuration(signal);
    await intent.record({ kind: "restored", ok: false });
    const nothing = { tookMs: 0, survived: [], restarted: [], unrestored: [], residue: [] };
    return { ...nothing, losses, failed: thrown.message };
  }
}
