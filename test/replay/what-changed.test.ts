import { expect, test } from "vitest";
import type { Fingerprint, Surroundings } from "../../src/mirror/fingerprint.ts";
import { whatChanged } from "../../src/replay/drill/what-changed.ts";
import { planOf, scale } from "../support/action-builder.ts";
import { fingerprintFrom } from "../support/fingerprint-builder.ts";
import { simulatedShop } from "../support/simulated-job.ts";
import { shopSpec } from "../support/simulated-shop.ts";
import { simulatedState } from "../support/simulated-state.ts";
import { simulatedPair } from "../support/simulated-twin.ts";

const LOCK = "file/db/run/.s.PGSQL.5432.lock";
const state = (around: Surroundings, replicas = "1"): Fingerprint => ({
  ...fingerprintFrom({ resources: { "service/worker/replicas": replicas }, tables: {}, keys: {} }),
  ...around,
});
const STARTED = state({ files: { [LOCK]: "a" }, processes: { db: "1" }, sinceStart: [LOCK] });

/** Paths that are different `now` on a shadow that stood at `STARTED`, while the control is as given. */
async function changed(
  now: Fingerprint,
  given: { readonly control?: Surroundings; readonly declared?: readonly string[] } = {},
): Promise<readonly string[]> {
  const { control = STARTED, declared = ["service/worker/**"] } = given;
  const action = { ...scale("more", { service: "worker", from: 1, to: 2 }), changes: [...declared] };
  const stage = {
    plan: planOf(action),
    pair: simulatedPair({ spec: shopSpec, world: simulatedShop([]) }),
    reference: STARTED,
    controlReference: STARTED,
    state: { ...simulatedState, fingerprint: async () => now, surroundings: async () => control },
  };
  const { signal } = new AbortController();
  return (await whatChanged(stage, STARTED, { rows: "tables", signal })).map(({ path }) => path);
}

test("a lock that a server wrote because a fault made it start again is nobody's", async () => {
  const again = { files: { [LOCK]: "b" }, processes: { db: "2" }, sinceStart: [LOCK] };
  expect(await changed(state(again))).toEqual([]);
  expect(await changed(state({ ...again, processes: { db: "1" } }))).toEqual([LOCK]);
});

test("what the plan declares is never left out, nor is anything but files", async () => {
  const again = { files: { [LOCK]: "b" }, processes: { db: "2" }, sinceStart: [LOCK] };
  expect(await changed(state(again), { declared: ["file/db/**"] })).toEqual([LOCK]);
  expect(await changed(state(again, "2"))).toEqual(["service/worker/replicas"]);
});

test("a file that changes on the untouched control as well is noise, also while nothing has started again", async () => {
  const now = { files: { [LOCK]: "b" }, processes: { db: "1" }, sinceStart: [] };
  expect(await changed(state(now), { control: { ...STARTED, files: { [LOCK]: "c" } } })).toEqual([]);
});
