import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import type { AbortRecord } from "../../src/report/abort-record.ts";
import { isShownUndone } from "../../src/report/abort-words.ts";
import { PHASES } from "../../src/report/run-event.ts";
import type { Fault, Moment } from "../support/simulated-faults.ts";
import { type SimulatedRun, simulateRun } from "../support/simulated-run.ts";
import { endOf, expectSoundRun } from "./sound-run.ts";

async function stoppedRun(when: Moment, faults: readonly Fault[] = [], seed = 4): Promise<SimulatedRun> {
  const stop: Fault = { kind: "aborted", by: "human", when };
  const run = await simulateRun({ seed, plan: "scale-two", faults: [stop, ...faults] });
  expectSoundRun(run, `seed ${seed} ${JSON.stringify([when, ...faults])}`);
  return run;
}

function recordOf({ stage }: SimulatedRun): AbortRecord {
  const [record] = stage.store.aborts;
  if (record === undefined) throw new Error("nothing was recorded");
  return record;
}

const during = (phase: (typeof PHASES)[number], afterMs = 1000): Moment => ({ kind: "phase", phase, afterMs });

describe("a run that is stopped", () => {
  test.each(["settle", "observe"] as const)(
    "during %s is undone, compared at a barrier, and says so",
    async (phase) => {
      const run = await stoppedRun(during(phase));
      expect(endOf(run)).toBe("ABORTED_BY_HUMAN");
      expect(recordOf(run)).toMatchObject({
        schema: "canary.abort/v1",
        exitCode: 21,
        phase,
        proof: "load",
        begun: ["more-workers", "more-api"],
        undo: { undone: ["more-api", "more-workers"] },
        state: { kind: "as-before" },
        recovery: { kind: "seen", errorShare: { control: expect.any(Number) } },
      });
      expect(recordOf(run).undo).not.toHaveProperty("failed");
      expect(run.events.at(-1)).toMatchObject({ kind: "aborted" });
    },
  );
  test("in the middle of an action undoes the half that was done", async () => {
    const run = await stoppedRun(during("replay"), [{ kind: "act-hangs", proof: "load" }]);
    expect(recordOf(run)).toMatchObject({ begun: ["more-workers"], state: { kind: "as-before" } });
  });
  test("after its undo is compared all the same, with nothing left to undo", async () => {
    const record = recordOf(await stoppedRun(during("recover")));
    expect(record).toMatchObject({ begun: ["more-workers", "more-api"], state: { kind: "as-before" } });
    expect(record).not.toHaveProperty("undo");
  });
  test("in the middle of its undo is undone to the end", async () => {
    const record = recordOf(await stoppedRun(during("rollback", 200)));
    expect(record).toMatchObject({ undo: { undone: ["more-api", "more-workers"] }, state: { kind: "as-before" } });
  });
  test("at the last barrier is compared at a barrier of its own", async () => {
    const record = recordOf(await stoppedRun(during("barrier", 0)));
    expect(record).toMatchObject({ phase: "barrier", state: { kind: "as-before" } });
  });
  test("on the quiet twin is undone and compared exactly", async () => {
    const record = recordOf(await stoppedRun(during("quiet-proof", 500)));
    expect(record).toMatchObject({ proof: "quiet", undo: { undone: ["more-workers"] }, state: { kind: "as-before" } });
  });
  test("before anything was done has nothing to undo, and says that", async () => {
    const record = recordOf(await stoppedRun(during("raise")));
    expect(record).toMatchObject({ proof: "none", begun: [], state: { kind: "untouched" } });
  });
  test("whose undo leaves something behind says what", async () => {
    const run = await stoppedRun(during("observe"), [{ kind: "undo-leaves-residue", proof: "load" }]);
    const { state } = recordOf(run);
    expect(state).toMatchObject({ kind: "differs", residue: [{ path: "redis/cache/left" }] });
    expect(isShownUndone(recordOf(run))).toBe(false);
  });
  test("whose undo does not land says so and claims nothing", async () => {
    const run = await stoppedRun(during("observe"), [{ kind: "undo-does-not-land", proof: "load" }]);
    expect(recordOf(run)).toMatchObject({ undo: { failed: expect.any(String) }, state: { kind: "differs" } });
  });
  test("while a trigger is being undone is undone to the end, and stays a stop", async () => {
    const run = await stoppedRun(during("rollback", 0), [{ kind: "plan-breaks", share: 0.4 }]);
    expect(endOf(run)).toBe("ABORTED_BY_HUMAN");
    expect(recordOf(run)).toMatchObject({ state: { kind: "as-before" } });
  });
});

test("stopped at sixty random instants a run never leaves an action in force without saying so", async () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const random = seededRandom(seed + 9000);
    const phase = PHASES[Math.floor(random() * PHASES.length)] ?? "observe";
    const moment =
      random() < 0.5
        ? during(phase, Math.floor(random() * 3000))
        : { kind: "call" as const, number: 1 + Math.floor(random() * 160) };
    const run = await stoppedRun(moment, [], seed);
    if (endOf(run) !== "ABORTED_BY_HUMAN") continue;
    const record = recordOf(run);
    const label = `seed ${seed} ${JSON.stringify([moment, record])}`;
    expect(run.tornDown.times === 0 || run.tornDown.shadowRestored, label).toBe(true);
    expect(isShownUndone(record), label).toBe(true);
    seen.add(`${record.proof} ${record.state.kind}`);
  }
  expect([...seen].sort()).toEqual(["load as-before", "none untouched", "quiet as-before"]);
}, 240_000);
