import { openEngine } from "./engine.ts";
import { keptRun } from "./kept-runs.ts";
import { LABEL, ownerOfLabels } from "./labels.ts";
import { type Owner, type OwnerState, ownerState } from "./owner.ts";
import { engineThings, type Removed, removeThings, type Thing, type ThingStore } from "./remove-things.ts";

/**
 * Removes what dead runs left behind: things with our labels whose owner is known to be dead. An owner that lives, that
 * cannot be judged from here, or whose labels are damaged keeps its things; so does, for a while, a run whose rollback somebody
 * can still finish. Prepared images are a cache and stay.
 */
export async function sweep(options: {
  readonly store: ThingStore;
  readonly stateOf: (owner: Owner) => Promise<OwnerState>;
  /** Present time (epoch, ms), against which the time of kept runs is held; absent: none is kept. */
  readonly nowEpochMs?: number;
}): Promise<Removed> {
  const verdicts = new Map<string, boolean>();
  for (const thing of await options.store.list(undefined)) {
    const key = ownerKey(thing);
    if (key === undefined || verdicts.has(key)) continue;
    const owner = ownerOfLabels(thing.labels);
    const dead = owner !== undefined && (await options.stateOf(owner)) === "dead";
    verdicts.set(key, dead && !(await isKept(thing, options.nowEpochMs)));
  }
  const mayRemove = (thing: Thing): boolean => verdicts.get(ownerKey(thing) ?? "") === true;
  return await removeThings(options.store, { runId: undefined, mayRemove });
}

async function isKept({ labels }: Thing, nowEpochMs: number | undefined): Promise<boolean> {
  const folder = labels[LABEL.folder];
  if (folder === undefined || nowEpochMs === undefined) return false;
  const kept = await keptRun(folder);
  return kept !== undefined && kept.untilEpochMs > nowEpochMs;
}

/** Sweeps the engine of this machine. @throws CanaryError MIRROR_UNAVAILABLE when none answers */
export async function sweepEngine(nowEpochMs: number): Promise<Removed> {
  const { docker } = await openEngine();
  return await sweep({ store: engineThings(docker), stateOf: ownerState, nowEpochMs });
}

function ownerKey(thing: Thing): string | undefined {
  const owner = ownerOfLabels(thing.labels);
  return owner === undefined ? undefined : `${owner.pid} ${owner.startTicks} ${owner.bootId}`;
}
