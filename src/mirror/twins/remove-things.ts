import { messageOf } from "../../core/errors.ts";
import { answered, type Docker, type Engine } from "./engine.ts";
import { isGone, isHang } from "./engine-errors.ts";
import { LABEL, type Labels, ownerOfLabels } from "./labels.ts";

export type ThingKind = "container" | "network" | "volume";

/** Something at the engine that carries our labels. */
export interface Thing {
  readonly kind: ThingKind;
  readonly id: string;
  readonly labels: Labels;
}

/** What the sweep needs of an engine; simulated in tests. */
export interface ThingStore {
  /** Everything with a run label: of one run, or of all. */
  list(runId: string | undefined): Promise<readonly Thing[]>;
  /** Removes one thing whatever its state; that it is already gone is fine. */
  remove(thing: Thing): Promise<void>;
}

/** Counts of what was removed. */
export interface Removed {
  readonly containers: number;
  readonly networks: number;
  readonly volumes: number;
}

/** Networks and volumes can only go when the containers that use them are gone. */
const ORDER: readonly (readonly ThingKind[])[] = [["container"], ["network", "volume"]];
const PASSES_MAX = 5;

/**
 * Removes what `mayRemove` allows, in parallel, and looks again until nothing is left: a container that was being
 * created during the first look is found by the second.
 */
export async function removeThings(
  store: ThingStore,
  options: { readonly runId: string | undefined; readonly mayRemove: (thing: Thing) => boolean },
): Promise<Removed> {
  const removed: Thing[] = [];
  let lastFailure: unknown;
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const things = (await store.list(options.runId)).filter(options.mayRemove);
    if (things.length === 0) return counted(removed);
    for (const kinds of ORDER) {
      const batch = things.filter((thing) => kinds.includes(thing.kind));
      const outcomes = await Promise.allSettled(batch.map((thing) => store.remove(thing)));
      removed.push(...batch.filter((_, index) => outcomes[index]?.status === "fulfilled"));
      const failures = outcomes.flatMap((outcome) =>
        outcome.status === "rejected" ? [outcome.reason as unknown] : [],
      );
      lastFailure = failures[0] ?? lastFailure;
      // An engine that hangs would have to be waited for again in every pass.
      if (failures.some(isHang)) throw lastFailure;
    }
  }
  if (lastFailure !== undefined) throw lastFailure;
  return counted(removed);
}

function counted(things: readonly Thing[]): Removed {
  const distinct = [...new Map(things.map((thing) => [`${thing.kind} ${thing.id}`, thing])).values()];
  const count = (kind: ThingKind): number => distinct.filter((thing) => thing.kind === kind).length;
  return { containers: count("container"), networks: count("network"), volumes: count("volume") };
}

/** Removes everything of one run. Called when nothing of it is wanted any more, in whatever state it is. */
export async function removeRun(engine: Engine, runId: string): Promise<Removed> {
  const options = {
    runId,
    mayRemove: (thing: Thing) => thing.labels[LABEL.run] === runId && ownerOfLabels(thing.labels) !== undefined,
  };
  const store = engineThings(engine.docker);
  // What is still being created holds its network and has no name to remove it by; it only has to settle.
  const first = await removeThings(store, options).catch(() => NOTHING);
  await engine.settled();
  const late = await removeThings(store, options);
  return {
    containers: first.containers + late.containers,
    networks: first.networks + late.networks,
    volumes: first.volumes + late.volumes,
  };
}

const NOTHING: Removed = { containers: 0, networks: 0, volumes: 0 };

/** The real engine's labelled things. Every list is filtered by label, so that others' things are never even seen. */
export function engineThings(docker: Docker): ThingStore {
  return {
    async list(runId) {
      const filters = { label: [runId === undefined ? LABEL.run : `${LABEL.run}=${runId}`] };
      const [containers, networks, volumes] = await answered(
        Promise.all([
          docker.listContainers({ all: true, filters }),
          docker.listNetworks({ filters }),
          docker.listVolumes({ filters }),
        ]),
      );
      return [
        ...containers.map((it): Thing => ({ kind: "container", id: it.Id, labels: it.Labels })),
        ...networks.map((it): Thing => ({ kind: "network", id: it.Id, labels: it.Labels ?? {} })),
        ...volumes.Volumes.map((it): Thing => ({ kind: "volume", id: it.Name, labels: it.Labels ?? {} })),
      ];
    },
    async remove(thing) {
      await answered(removal(docker, thing)).catch((cause: unknown) => {
        if (!isGone(cause)) throw new Error(`${thing.kind} ${thing.id} stays: ${messageOf(cause)}`, { cause });
      });
    },
  };
}

function removal(docker: Docker, thing: Thing): Promise<unknown> {
  if (thing.kind === "container") return docker.getContainer(thing.id).remove({ force: true, v: true });
  if (thing.kind === "network") return docker.getNetwork(thing.id).remove();
  return docker.getVolume(thing.id).remove({ force: true });
}
