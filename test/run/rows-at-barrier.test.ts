import { expect, test } from "vitest";
import { type ActorWrites, noWrites, type WriteReading } from "../../src/mirror/write-log.ts";
import { lookAtRows } from "../../src/run/rows-at-barrier.ts";
import { planOf, sqlAction } from "../support/action-builder.ts";
import { shopSpec, shopWorld } from "../support/simulated-shop.ts";
import { fingerprintOf, simulatedState } from "../support/simulated-state.ts";
import { simulatedPair } from "../support/simulated-twin.ts";

const JOBS = "db/db/shop/rows/jobs";

/** One action whose undo touched the row of job 1, which then holds this status on the shadow. */
async function looked(status: string) {
  const pair = simulatedPair({ spec: shopSpec, world: shopWorld() });
  const reference = fingerprintOf(pair.control.world);
  const jobs = pair.shadow.world.databases.get("db")?.tables.get("jobs");
  const row = jobs?.rows.get("1") ?? {};
  jobs?.rows.set("1", { ...row, status });
  const wrote = (phase: ActorWrites["phase"]): ActorWrites => ({
    actionId: "finish",
    phase,
    times: 1,
    role: "a role",
    tables: [{ ...noWrites(JOBS), updated: 1 }],
    rows: [{ path: `${JOBS}/1`, kind: "updated", columns: ["status"] }],
    rowsLeftOut: 0,
  });
  const reading: WriteReading = { kind: "read", actors: [wrote("act"), wrote("undo")], application: [], unlogged: [] };
  const plan = planOf(sqlAction("finish", "UPDATE jobs SET status = 'done'", "UPDATE jobs SET id = id"));
  const told = { kind: "told", actions: [], application: { rows: 0, tables: [] }, unreturned: [], doubts: [] } as const;
  return await lookAtRows(
    told,
    {
      job: { plan },
      pair,
      reference: { control: reference, shadow: reference },
      directEffects: [`${JOBS}/1/status`],
      effects: { state: simulatedState },
      signal: new AbortController().signal,
    },
    {
      load: new Map([["db", reading]]),
      noise: undefined,
      fingerprints: { control: fingerprintOf(pair.control.world), shadow: fingerprintOf(pair.shadow.world) },
    },
  );
}

test("a row that an undo touched without putting it back is named, by its value on both twins", async () => {
  expect((await looked("done")).unreturned).toEqual([
    { table: JOBS, rows: 1, examples: [`${JOBS}/1`], actionId: "finish", differs: true },
  ]);
});

test("a row that is as on the control is not", async () => {
  expect(await looked("queued")).toMatchObject({ unreturned: [], doubts: [] });
});
