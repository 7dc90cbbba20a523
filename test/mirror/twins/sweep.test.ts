import fc from "fast-check";
import { expect, test } from "vitest";
import { type Labels, ownershipLabels } from "../../../src/mirror/twins/labels.ts";
import type { OwnerState } from "../../../src/mirror/twins/owner.ts";
import { removeThings, type Thing, type ThingKind, type ThingStore } from "../../../src/mirror/twins/remove-things.ts";
import { sweep } from "../../../src/mirror/twins/sweep.ts";

const STATES: readonly OwnerState[] = ["alive", "dead", "unknown"];

/** Labels of a run whose owner is in this state; the pid says which, for `stateOf`. */
function labelsOf(state: OwnerState, runId: string): Labels {
  return ownershipLabels({ runId, owner: { pid: 1 + STATES.indexOf(state), startTicks: 7, bootId: "boot/1" } });
}

const stateOf = async ({ pid }: { readonly pid: number }): Promise<OwnerState> => STATES[pid - 1] ?? "unknown";

/** An engine that refuses to remove a network or volume while a container of the same run exists, as the real one does. */
function simulatedEngine(things: readonly Thing[]): ThingStore & { readonly left: Set<Thing> } {
  const left = new Set(things);
  return {
    left,
    list: async () => [...left],
    remove: async (thing) => {
      const inUse =
        thing.kind !== "container" && [...left].some((it) => it.kind === "container" && it.labels === thing.labels);
      if (inUse) throw new Error("resource is in use");
      left.delete(thing);
    },
  };
}

const kinds = fc.constantFrom<ThingKind>("container", "network", "volume");

test("everything of dead owners goes, nothing else ever does", async () => {
  const runs = fc.array(fc.record({ state: fc.constantFrom(...STATES), parts: fc.array(kinds, { maxLength: 6 }) }), {
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(runs, fc.array(kinds, { maxLength: 3 }), async (all, foreign) => {
      const ours = all.flatMap(({ state, parts }, run) => {
        const labels = labelsOf(state, `run-${run}`);
        return parts.map((kind, part) => ({ kind, id: `${run}.${part}`, labels, state }));
      });
      const others = foreign.map((kind, part) => ({
        kind,
        id: `foreign.${part}`,
        labels: { "dev.canary.run": "x" },
        state: "alive",
      }));
      const engine = simulatedEngine([...ours, ...others]);
      const removed = await sweep({ store: engine, stateOf });
      const expected = [...ours, ...others].filter(({ state }) => state !== "dead");
      expect([...engine.left]).toEqual(expected);
      expect(removed.containers + removed.networks + removed.volumes).toBe(
        ours.length + others.length - expected.length,
      );
    }),
  );
});

test("each owner is asked for once, however much it left", async () => {
  const labels = labelsOf("dead", "run");
  const engine = simulatedEngine(
    Array.from({ length: 9 }, (_, index) => ({ kind: "volume", id: String(index), labels })),
  );
  let asked = 0;
  await sweep({
    store: engine,
    stateOf: async (owner) => {
      asked += 1;
      return await stateOf(owner);
    },
  });
  expect(asked).toBe(1);
  expect(engine.left.size).toBe(0);
});

test("a container that appears while others are removed goes too", async () => {
  const labels = labelsOf("dead", "run");
  const engine = simulatedEngine([{ kind: "container", id: "first", labels }]);
  let late: Thing | undefined = { kind: "container", id: "late", labels };
  const store: ThingStore = {
    list: engine.list,
    remove: async (thing) => {
      await engine.remove(thing);
      if (late !== undefined) engine.left.add(late);
      late = undefined;
    },
  };
  expect(await removeThings(store, { runId: "run", mayRemove: () => true })).toMatchObject({ containers: 2 });
  expect(engine.left.size).toBe(0);
});

test("what cannot be removed is reported, after everything else went", async () => {
  const labels = labelsOf("dead", "run");
  const engine = simulatedEngine([
    { kind: "container", id: "stuck", labels },
    { kind: "container", id: "other", labels },
  ]);
  const store: ThingStore = {
    list: engine.list,
    remove: (thing) => (thing.id === "stuck" ? Promise.reject(new Error("device busy")) : engine.remove(thing)),
  };
  await expect(removeThings(store, { runId: "run", mayRemove: () => true })).rejects.toThrow("device busy");
  expect([...engine.left].map(({ id }) => id)).toEqual(["stuck"]);
});
