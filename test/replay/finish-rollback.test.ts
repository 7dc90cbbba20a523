import { expect, test } from "vitest";
import { type Intent, unfinishedRollback } from "../../src/core/intent-log.ts";
import type { Surroundings } from "../../src/mirror/fingerprint.ts";
import type { StateAccess } from "../../src/mirror/state/state-access.ts";
import { finishRollback, type ResumeState } from "../../src/replay/proof/resume-rollback.ts";
import { simulatedClock } from "../support/simulated-clock.ts";
import { shopSpec, shopWorld } from "../support/simulated-shop.ts";
import { fingerprintOf, simulatedState } from "../support/simulated-state.ts";
import { simulatedPair } from "../support/simulated-twin.ts";

const LOCK = "file/db/run/.s.PGSQL.5432.lock";
const STARTED: Surroundings = { files: { [LOCK]: "a" }, processes: { db: "1" }, sinceStart: [LOCK] };
const AGAIN: Surroundings = { files: { [LOCK]: "b" }, processes: { db: "2" }, sinceStart: [LOCK] };
const signal = new AbortController().signal;

/** Finishes the rollback of one scaling whose undo is refused so often. */
async function finishAfter(refusals: number, kept: Partial<ResumeState>, around: Surroundings = {}) {
  let left = refusals;
  const pair = simulatedPair({
    spec: shopSpec,
    world: shopWorld(),
    shadow: {
      interrupt: (operation) => {
        if (operation !== "scale worker" || left-- <= 0) return;
        throw new Error("refused (simulated)");
      },
    },
  });
  const reference = { ...fingerprintOf(pair.shadow.world), ...STARTED };
  const state: StateAccess = {
    ...simulatedState,
    fingerprint: async (twin, stores, how) => ({
      ...(await simulatedState.fingerprint(twin, stores, how)),
      ...STARTED,
      ...around,
    }),
    surroundings: async () => STARTED,
  };
  const worker = pair.shadow.world.services.get("worker");
  if (worker !== undefined) worker.replicas = 3;
  const intents: Intent[] = [
    { kind: "run", runId: "dead", planSha256: "0", scenario: "shop" },
    {
      kind: "act",
      actionId: "more-workers",
      uses: "scale",
      undo: { uses: "scale", with: { service: "worker", replicas: 1 } },
    },
  ];
  const unfinished = unfinishedRollback(intents);
  if (unfinished === undefined) throw new Error("the log names an act that is not undone");
  const intent = { record: async (entry: Intent) => void intents.push(entry) };
  const rollback = await finishRollback(
    {
      folder: "/left",
      unfinished,
      intent,
      kept: { reference, consequences: [], directEffects: [], ...kept },
    },
    { pair, state, clock: simulatedClock(), onStep: () => undefined },
    signal,
  );
  return { rollback, intents };
}

test("a finished rollback is on record as ended, so that no other process finishes it again", async () => {
  const { rollback, intents } = await finishAfter(0, {});
  expect(rollback).toMatchObject({ undone: ["more-workers"], comparedWith: "reference", residue: [] });
  expect(intents.map(({ kind }) => kind)).toEqual(["run", "act", "undo", "undone", "end"]);
  expect(unfinishedRollback(intents)).toBeUndefined();
});

test("an undo is tried as often as the plan of the dead run says, twice where it says nothing", async () => {
  expect((await finishAfter(1, {})).rollback.residue).toEqual([]);
  expect((await finishAfter(2, {})).rollback).toMatchObject({ failed: { actionId: "more-workers" } });
  expect((await finishAfter(2, { undoTries: 3 })).rollback.residue).toEqual([]);
  expect((await finishAfter(1, { undoTries: 1 })).rollback.residue).toHaveLength(1);
});

test("a lock that a server wrote because it was started again is not left by the plan, unless the plan wrote it", async () => {
  const left = async (kept: Partial<ResumeState>, around: Surroundings): Promise<readonly string[]> =>
    (await finishAfter(0, kept, around)).rollback.residue.map(({ path }) => path);
  expect(await left({ controlReference: STARTED }, AGAIN)).toEqual([]);
  expect(await left({ controlReference: STARTED, directEffects: [LOCK] }, AGAIN)).toEqual([LOCK]);
  // Nothing was started again, or an older harness kept nothing of the control.
  expect(await left({ controlReference: STARTED }, { ...AGAIN, processes: { db: "1" } })).toEqual([LOCK]);
  expect(await left({}, AGAIN)).toEqual([LOCK]);
});
