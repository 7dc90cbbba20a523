import { expect, test } from "vitest";
import type { Action } from "../../src/plan/plan.ts";
import type { DrillColumn } from "../../src/replay/drill/drill-columns.ts";
import { playCell } from "../../src/replay/drill/play-cell.ts";
import { scale } from "../support/action-builder.ts";
import { type DrillStageParts, drillStage } from "../support/drill-stage-builder.ts";
import { NEVER, simulatedClock } from "../support/simulated-clock.ts";

const MORE = scale("more", { service: "worker", from: 1, to: 3 });
/** Changes nothing, and its undo is always refused: the state is restored all the same. */
const REFUSED: Action = {
  ...MORE,
  id: "look",
  step: { uses: "exec", with: { service: "api", argv: ["true"], expectExitCode: 0 } },
  rollback: { uses: "exec", with: { service: "api", argv: ["false"], expectExitCode: 0 } },
};
const exec = async (_service: string, argv: readonly string[]) => ({
  exitCode: argv[0] === "false" ? 1 : 0,
  stdout: "",
  stderr: "",
});
const WELL = { healthy: true, said: "200" };

/** Plays one action in the way of one column. */
async function played(column: DrillColumn["kind"] & string, parts: Partial<DrillStageParts> = {}) {
  const { stage } = drillStage({ action: MORE, clock: simulatedClock(), health: WELL, ...parts });
  return await playCell(stage, { prefix: 1, column: { kind: column } as DrillColumn }, NEVER);
}

/** Fails at once, before anybody could stop it. */
const FAILING: Action = {
  ...REFUSED,
  step: { uses: "exec", with: { service: "api", argv: ["false"], expectExitCode: 0 } },
};

test.each(["mid-action", "agent-dies"] as const)(
  "%s of an action that was over before it could be stopped says nothing, though all is as before",
  async (kind) => {
    const cell = await played(kind, { action: FAILING, shadow: { exec }, learnedMs: 60_000 });
    expect(cell).toMatchObject({
      result: "error",
      differences: [],
      reason: "look was over before it could be stopped",
    });
  },
);

test("an action that is over within half of its time is undone, and stopped when it is on its way", async () => {
  expect((await played("mid-action", { learnedMs: 20 })).result).toBe("clean");
  const cell = await played("mid-action", { learnedMs: 60_000 });
  expect(cell.result).toBe("clean");
  expect(cell.notes).toEqual([
    "more was over within half of its time, so it was undone and stopped as soon as it was on its way",
    expect.stringMatching(/^more was stopped \d+ ms after it had begun/),
  ]);
});

test.each(["abort", "undo", "fails", "agent-waits", "twice"] as const)(
  "in %s, where nothing disturbs, an undo that does not land is a finding",
  async (kind) => {
    expect(await played(kind, { action: REFUSED, shadow: { exec } })).toMatchObject({
      result: "finding",
      reason: "the undo of look did not land though nothing disturbed it: false exited with 1, expected 0",
    });
  },
);

test("the undo of an action that was stopped in its middle may be refused: what counts is the state", async () => {
  const cell = await played("mid-action", { action: REFUSED, shadow: { exec } });
  expect(cell).toMatchObject({ result: "clean", reason: expect.stringContaining("though the undo of look did not") });
});

test("a cell after which nobody could be asked how it is is a finding", async () => {
  const cell = await played("abort", { health: undefined });
  expect(cell).toMatchObject({ result: "finding", reason: "state restored, but nothing was asked whether it is well" });
});
