import fc from "fast-check";
import { expect, test } from "vitest";
import { unfinishedRollback } from "../../src/core/intent-log.ts";
import { anyCase, expected, type ModelCase, scriptOf, soundCase } from "../support/rollback-model.ts";
import { harness, nextHarness, reallyLeft, resourcesOf, rollbackStage } from "../support/rollback-stage.ts";

/** Some seconds on a quiet machine. */
const TIMEOUT_MS = 120_000;

async function playsAsExpected(one: ModelCase): Promise<void> {
  const stage = rollbackStage(scriptOf(one));
  const wanted = expected(one);
  const end = await harness(stage);
  expect(stage.broken).toEqual([]);
  expect(end.kind).toBe(wanted.stopped ? "stopped" : "proof");
  expect(reallyLeft(stage)).toEqual(wanted.restored ? [] : wanted.residue);
  if (end.kind === "stopped") {
    const { state, undo } = end.stopped ?? {};
    expect(state?.kind).toBe(wanted.residue.length === 0 ? "as-before" : "differs");
    expect(state?.kind === "differs" ? resourcesOf(state.residue) : []).toEqual(wanted.residue);
    expect(undo?.failed !== undefined).toBe(wanted.undoFailed);
    return;
  }
  const { proof } = end;
  expect(resourcesOf(proof.residue)).toEqual(wanted.residue);
  expect(proof.failed?.during).toBe(wanted.failedDuring);
  expect(proof.restored !== undefined).toBe(wanted.restored);
  expect(proof.restored?.residue ?? []).toEqual([]);
  expect(proof.actions.map(({ noOp }) => noOp)).toEqual(wanted.noOps);
}

test(
  "whatever plan, whatever goes wrong: the state after is the state before, or the proof says exactly what is left",
  async () => {
    await fc.assert(fc.asyncProperty(anyCase, playsAsExpected), { numRuns: 400 });
  },
  TIMEOUT_MS,
);

test(
  "of a plan that can be undone nothing is left, wherever its harness is killed, and where the next one is",
  async () => {
    const killedAt = fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 40 }));
    await fc.assert(
      fc.asyncProperty(soundCase, killedAt, async (one, [once, again]) => {
        const stage = rollbackStage(scriptOf(one));
        stage.arm(once);
        await Promise.race([harness(stage), stage.killed()]);
        stage.arm(again);
        await Promise.race([nextHarness(stage), stage.killed()]);
        stage.arm(0);
        const left = unfinishedRollback(stage.intents);
        const resumed = await nextHarness(stage);
        // A way out of the plan's own that was begun is gone again from its start, and no other.
        if (left?.recover !== undefined) expect(resumed?.undone.every((id) => id.startsWith("back-"))).toBe(true);
        expect(resumed?.residue ?? []).toEqual([]);
        expect(reallyLeft(stage)).toEqual([]);
        expect(stage.broken).toEqual([]);
      }),
      { numRuns: 400 },
    );
  },
  TIMEOUT_MS,
);
