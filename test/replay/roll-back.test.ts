import { expect, test } from "vitest";
import type { Intent } from "../../src/core/intent-log.ts";
import type { Recovery } from "../../src/plan/recovery.ts";
import type { Performance } from "../../src/replay/proof/perform-action.ts";
import { proveQuietly } from "../../src/replay/proof/quiet-proof.ts";
import { type RollbackOrder, rollBack } from "../../src/replay/proof/roll-back.ts";
import { planOf, scale, sqlAction } from "../support/action-builder.ts";
import { simulatedClock } from "../support/simulated-clock.ts";
import { shopSpec, shopWorld } from "../support/simulated-shop.ts";
import { type SnapshotTrouble, simulatedSnapshots } from "../support/simulated-snapshots.ts";
import { fingerprintOf, simulatedState } from "../support/simulated-state.ts";
import { type SimulatedTwin, simulatedPair } from "../support/simulated-twin.ts";

const signal = new AbortController().signal;
const nothing = (): void => undefined;
const WORKER = scale("more-workers", { service: "worker", from: 1, to: 3 });
const STEPS: Recovery = [
  { id: "one-worker", step: { uses: "scale", with: { service: "worker", replicas: 1 } }, timeoutSeconds: 5 },
  { id: "two-apis", step: { uses: "scale", with: { service: "api", replicas: 2 } }, timeoutSeconds: 5 },
];

async function wayOut(why: RollbackOrder["why"], ways: { onFailure?: Recovery; onAbort?: Recovery }) {
  const world = shopWorld();
  const { shadow } = simulatedPair({ spec: shopSpec, world });
  await shadow.scale("worker", 3, signal);
  const intents: Intent[] = [];
  const outcome = await rollBack({ plan: ways, acted: [WORKER], why }, performanceOn(shadow, intents), signal);
  const replicas = (service: string): number | undefined => shadow.world.services.get(service)?.replicas;
  return { outcome, kinds: intents.map(({ kind }) => kind), worker: replicas("worker"), api: replicas("api") };
}

function performanceOn(shadow: SimulatedTwin, intents: Intent[]): Performance {
  const intent = { record: async (entry: Intent) => void intents.push(entry) };
  const watched = { onStep: nothing, onRecord: nothing };
  return { proof: "quiet", shadow, intent, clock: simulatedClock(), axisMs: () => 0, baseDir: "/", ...watched };
}

test("a plan that says nothing undoes what it did, whoever stops it", async () => {
  for (const why of ["planned", "failure", "abort"] as const) {
    expect(await wayOut(why, {})).toMatchObject({ kinds: ["undo", "undone"], worker: 1, api: 1 });
  }
});

test("a failure and an abort have ways of their own, and neither is taken when all went as planned", async () => {
  const ways = { onFailure: STEPS, onAbort: "stop" } as const;
  expect(await wayOut("failure", ways)).toMatchObject({ outcome: { how: "steps" }, worker: 1, api: 2 });
  expect(await wayOut("abort", ways)).toMatchObject({ outcome: { how: "stop" }, worker: 3, api: 1 });
  expect(await wayOut("planned", ways)).toMatchObject({ kinds: ["undo", "undone"], worker: 1, api: 1 });
});

test("a way out is on record, whole, before its first step, and its end after the last", async () => {
  const { kinds } = await wayOut("failure", { onFailure: STEPS });
  expect(kinds).toEqual(["recover", "undo", "undone", "undo", "undone", "recovered"]);
});

async function proveWithBadUndo(trouble: SnapshotTrouble) {
  const pair = simulatedPair({ spec: shopSpec, world: shopWorld() });
  const action = sqlAction("rename", "UPDATE products SET title = 'sofa' WHERE id = '1'", "UPDATE nowhere SET x = '1'");
  const proof = await proveQuietly({
    ...performanceOn(pair.shadow, []),
    plan: planOf(action),
    pair,
    state: simulatedState,
    baseline: fingerprintOf(pair.shadow.world),
    allowedChanges: ["**"],
    snapshot: await simulatedSnapshots(trouble).take({ twin: pair.shadow, stores: shopSpec.state, signal }),
    signal,
  });
  return { proof, title: pair.shadow.world.databases.get("db")?.tables.get("products")?.rows.get("1")?.["title"] };
}

test("where an undo fails on the quiet twin the snapshot is brought back, and what the undo left is still said", async () => {
  const { proof, title } = await proveWithBadUndo({});
  expect(title).toBe("chair");
  expect(proof.failed).toMatchObject({ actionId: "rename", during: "undo" });
  expect(proof.residue.map(({ path }) => path)).toEqual(["db/db/shop/rows/products/1/title"]);
  expect(proof.restored).toMatchObject({ residue: [], losses: [] });
});

test("a snapshot that can not be brought back is evidence against the plan, no error of ours", async () => {
  const { proof, title } = await proveWithBadUndo({ restore: "fails" });
  expect(title).toBe("sofa");
  expect(proof.restored?.failed).toContain("no such database");
});
