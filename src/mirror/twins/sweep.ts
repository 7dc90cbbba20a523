import { openEngine } from "./engine.ts";
import { ownerOfLabels } from "./labels.ts";
import { type Owner, type OwnerState, ownerState } from "./owner.ts";
import { engineThings, type Removed, removeThings, type Thing, type ThingStore } from "./remove-things.ts";

/**
 * Removes what dead runs left behind: things with our labels whose owner is known to be dead. An owner that lives, that
 * cannot be judged from here, or whose labels are damaged keeps its things. Prepared images are a cache and stay.
 */
export async function sweep(options: {
  readonly store: ThingStore;
  readonly stateOf: (owner: Owner) => Promise<OwnerState>;
}): Promise<Removed> {
  const verdicts = new Map<string, boolean>();
  for (const thing of await options.store.list(undefined)) {
    const key = ownerKey(thing);
    if (key === undefined || verdicts.has(key)) continue;
    const owner = ownerOfLabels(thing.labels);
    verdicts.set(key, owner !== undefined && (await options.stateOf(owner)) === "dead");
  }
  const mayRemove = (thing: Thing): boolean => verdicts.get(ownerKey(thing) ?? "") === true;
  return await removeThings(options.store, { runId: undefined, mayRemove });
}

/** Sweeps the engine of this machine. @throws CanaryError MIRROR_UNAVAILABLE when none answers */
export async function sweepEngine(): Promise<Removed> {
  const { docker } = await openEngine();
  return await sweep({ store: engineThings(docker), stateOf: ownerState });
}

function ownerKey(thing: Thing): string | undefined {
  const owner = ownerOfLabels(thing.labels);
  return owner === undefined ? undefined : `${owner.pid} ${owner.startTicks} ${owner.bootId}`;
}
