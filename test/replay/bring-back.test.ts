import { expect, test } from "vitest";
import type { Intent } from "../../src/core/intent-log.ts";
import type { Surroundings } from "../../src/mirror/fingerprint.ts";
import { bringBack } from "../../src/replay/proof/bring-back.ts";
import { NEVER } from "../support/simulated-clock.ts";
import { shopSpec, shopWorld } from "../support/simulated-shop.ts";
import { simulatedSnapshots } from "../support/simulated-snapshots.ts";
import { fingerprintOf, simulatedState } from "../support/simulated-state.ts";
import { simulatedPair } from "../support/simulated-twin.ts";

const LOCK = "file/db/run/.s.PGSQL.5432.lock";
const STARTED: Surroundings = { files: { [LOCK]: "a" }, processes: { db: "1" }, sinceStart: [LOCK] };
const AGAIN: Surroundings = { files: { [LOCK]: "b" }, processes: { db: "2" }, sinceStart: [LOCK] };

/** Brings a snapshot back after which the shadow's surroundings are these; what is left, and what is on record of it. */
async function left(around: Surroundings, touched: readonly string[] = []) {
  const pair = simulatedPair({ spec: shopSpec, world: shopWorld() });
  const snapshot = await simulatedSnapshots().take({ twin: pair.shadow, stores: shopSpec.state, signal: NEVER });
  const reference = { ...fingerprintOf(pair.shadow.world), ...STARTED };
  pair.shadow.world.keys.get("cache")?.set("left", "over");
  const intents: Intent[] = [];
  const proof = await bringBack(
    {
      snapshot,
      pair,
      state: {
        ...simulatedState,
        fingerprint: async (twin, stores, how) => ({
          ...(await simulatedState.fingerprint(twin, stores, how)),
          ...around,
        }),
        surroundings: async () => STARTED,
      },
      reference,
      controlReference: STARTED,
      touched: new Set(touched),
      intent: { record: async (entry) => void intents.push(entry) },
    },
    NEVER,
  );
  return {
    residue: proof.residue.map(({ path }) => path),
    ok: intents.some((one) => one.kind === "restored" && one.ok),
  };
}

test("a lock that a store wrote because the restore or the plan started it again does not speak against the restore", async () => {
  expect(await left(AGAIN)).toEqual({ residue: [], ok: true });
});

test("a file that the plan was seen to change, or that changed while nothing was started, does", async () => {
  expect(await left(AGAIN, [LOCK])).toEqual({ residue: [LOCK], ok: false });
  expect(await left({ ...AGAIN, processes: { db: "1" } })).toEqual({ residue: [LOCK], ok: false });
});
