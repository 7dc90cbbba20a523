import { expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import { unfinishedRollback } from "../../src/core/intent-log.ts";
import type { DrillReport } from "../../src/report/drill/drill-report.ts";
import { simulateDrill } from "../support/simulated-drill.ts";
import { drawFaults } from "../support/simulated-faults.ts";
import { SIMULATED_PLANS } from "../support/simulated-job.ts";

/** A drill is some forty cells: each of these worlds is as much as forty runs. */
const WORLDS_PER_PLAN = 14;
const TIMEOUT_MS = 120_000;

function reportOf(drill: Awaited<ReturnType<typeof simulateDrill>>): DrillReport {
  if (drill.end.kind === "error") throw drill.end.error;
  return drill.end.report;
}

test.each(SIMULATED_PLANS)(
  "every cell of %s is clean in a sound world, and nothing is raised a second time",
  async (plan) => {
    for (let seed = 0; seed < 2; seed++) {
      const drill = await simulateDrill({ seed, plan });
      const report = reportOf(drill);
      const bad = report.cells.filter(({ result }) => result !== "clean");
      expect(bad.map(({ column, prefix, reason }) => `${seed} ${column}/${prefix}: ${reason}`)).toEqual([]);
      expect(report.outcome).toBe("clean");
      expect(report.cells).toHaveLength(6 * report.plan.actions.length + 2 + 8 * (report.plan.actions.length + 1));
      expect(drill.stage.broken).toEqual([]);
      expect(drill.tornDown).toEqual({ times: 1, shadowRestored: true });
    }
  },
  TIMEOUT_MS,
);

test.each(SIMULATED_PLANS.map((plan, index) => ({ plan, firstSeed: index * WORLDS_PER_PLAN })))(
  "in broken worlds no drill of $plan is clean that left something, and nothing is left running",
  async ({ plan, firstSeed }) => {
    const ends = new Set<string>();
    for (let seed = firstSeed; seed < firstSeed + WORLDS_PER_PLAN; seed++) {
      const faults = drawFaults(seed);
      const drill = await simulateDrill({ seed, plan, faults });
      const where = `seed ${seed} (${JSON.stringify(faults)})`;
      expect(drill.stage.broken, where).toEqual([]);
      expect(drill.stage.engineGone ? 0 : drill.stage.things.size, where).toBe(0);
      if (drill.end.kind === "error") {
        expect(drill.end.error, where).toBeInstanceOf(CanaryError);
        expect(drill.published, where).toEqual([]);
        ends.add(drill.end.error instanceof CanaryError ? drill.end.error.code : "bug");
        continue;
      }
      // Only an abort leaves a statement behind that knows no signal, in twins that are removed with it.
      expect(drill.sleeping, where).toBe(0);
      ends.add(drill.end.report.outcome);
      const tampered = faults.some(
        (fault) =>
          ["undo-leaves-residue", "undo-does-not-land", "undo-hangs", "act-does-not-land", "act-hangs"].includes(
            fault.kind,
          ) &&
          "proof" in fault &&
          fault.proof === "quiet",
      );
      if (tampered) expect(drill.end.report.outcome, where).not.toBe("clean");
      if (drill.end.report.outcome === "clean") expect(drill.tornDown.shadowRestored, where).toBe(true);
    }
    // Worlds that all end alike would prove little.
    expect(ends.size).toBeGreaterThanOrEqual(3);
  },
  TIMEOUT_MS,
);

test("an undo that leaves something is named with what it left, and the next cell starts from the reference again", async () => {
  const drill = await simulateDrill({
    seed: 1,
    plan: "scale-one",
    faults: [{ kind: "undo-leaves-residue", proof: "quiet" }],
  });
  const report = reportOf(drill);
  expect(report.outcome).toBe("not-restored");
  const cell = report.cells.find(({ column, prefix }) => column === "abort" && prefix === 1);
  expect(cell).toMatchObject({ result: "not-restored", reason: "left behind: added redis/cache/left" });
  expect(cell?.reset.way).toBe("snapshot");
  // The other stores hold what they held: their applications need not lose a connection.
  expect(new Set(drill.restored.map(String))).toEqual(new Set(["cache"]));
  expect(drill.tornDown.times).toBe(1);
  expect(report.cells.filter(({ prefix }) => prefix === 0).every(({ result }) => result === "clean")).toBe(true);
});

const step = (id: string, service: string, replicas: number) => ({
  id,
  step: { uses: "scale", with: { service, replicas } },
});
const RESTORING = [step("one-worker", "worker", 1), step("one-api", "api", 1)];

/** Drills the plan of two scalings, and tells the ways back of each kind of column with what came of them. */
async function waysOf(laidOverPlan: object) {
  const drill = await simulateDrill({ seed: 7, plan: "scale-two", laidOverPlan });
  const report = reportOf(drill);
  const kinds = new Map(report.columns.map(({ id, kind }) => [id, kind]));
  const cells = report.cells.filter(({ prefix }) => prefix > 0);
  const seen = (kind: string) =>
    [
      ...new Set(
        cells
          .filter(({ column }) => kinds.get(column) === kind)
          .map(({ wayBack, result }) => `${wayBack?.why} ${wayBack?.how} ${result}`),
      ),
    ].sort();
  return { report, seen, drill };
}

test("a plan that says nothing is undone by its undos in every cell, as after an abort, a failure or as planned", async () => {
  const { report, seen } = await waysOf({});
  expect(seen("abort")).toEqual(["abort undos clean"]);
  expect(seen("mid-action")).toEqual(["abort undos clean"]);
  expect(seen("twice")).toEqual(["planned undos clean"]);
  expect(seen("fault")).toEqual(["failure undos clean"]);
  expect(seen("undo")).toEqual([]);
  expect(seen("fails")).toEqual([]);
  expect(report.cells.filter(({ prefix }) => prefix === 0).every(({ wayBack }) => wayBack === undefined)).toBe(true);
});

test("a plan's own ways out are gone where a run would go them, and its undos are proven beside them", async () => {
  const { report, seen } = await waysOf({ onAbort: RESTORING, onFailure: RESTORING });
  for (const kind of ["abort", "mid-action", "agent-waits", "agent-dies"])
    expect(seen(kind)).toEqual(["abort steps clean"]);
  for (const kind of ["fails", "fault"]) expect(seen(kind)).toEqual(["failure steps clean"]);
  expect(seen("undo")).toEqual(["planned undos clean"]);
  const reasons = report.cells.filter(({ column, prefix }) => column === "fails" && prefix > 0);
  expect(new Set(reasons.map(({ reason }) => reason))).toEqual(
    new Set(["restored exactly by the plan's own onFailure, everything well"]),
  );
});

test("a harness that dies is followed by one that takes hold of the twins and finishes, each time", async () => {
  const { report, seen, drill } = await waysOf({});
  expect(seen("harness-dies")).toEqual(["resumed undos clean"]);
  const cells = report.cells.filter(({ column }) => column === "harness-dies");
  expect(drill.deaths).toEqual(Array.from({ length: 2 * cells.length }, () => "/simulated"));
  for (const { notes, prefix } of cells) {
    const undone = ["more-workers", "more-api"].slice(0, prefix).toReversed().join(", ");
    expect(notes).toContain(`after the second death the log named ${prefix} of ${prefix} actions to undo`);
    expect(notes).toContain(`the third harness undid ${undone} and found the state as before`);
  }
  // What is on record of one cell is finished with it: the next harness must not undo it again.
  expect(unfinishedRollback(drill.stage.store.intents)).toBeUndefined();
});

test("what an undo left is finished with the reset of its cell, so that nobody undoes it again", async () => {
  const faults = [{ kind: "undo-does-not-land", proof: "quiet" }] as const;
  const drill = await simulateDrill({ seed: 9, plan: "scale-one", faults });
  expect(reportOf(drill).outcome).toBe("not-restored");
  expect(unfinishedRollback(drill.stage.store.intents)).toBeUndefined();
});

test("a way out that forgets an action is named with what it left, and only where it is gone", async () => {
  const { report, seen } = await waysOf({ onFailure: [step("one-worker", "worker", 1)] });
  expect(seen("abort")).toEqual(["abort undos clean"]);
  expect(seen("fails")).toEqual(["failure steps clean", "failure steps not-restored"]);
  const cell = report.cells.find(({ column, prefix }) => column === "fails" && prefix === 2);
  expect(cell?.reason).toBe("left behind by the plan's own onFailure: changed service/api/replicas (1 to 2)");
});

test("a plan that says stop leaves everything as it stood, and its cells say that", async () => {
  const { report, seen } = await waysOf({ onAbort: "stop" });
  expect(seen("abort")).toEqual(["abort stop not-restored"]);
  expect(seen("fault")).toEqual(["failure undos clean"]);
  const cell = report.cells.find(({ column, prefix }) => column === "abort" && prefix === 1);
  expect(cell?.reason).toBe("left as it stood, because the plan says stop: changed service/worker/replicas (1 to 3)");
  expect(report.outcome).toBe("not-restored");
});

test("what is at its target already is neither performed nor undone, as in a run", async () => {
  const { report } = await waysOf({
    actions: [
      {
        id: "one-worker-already",
        what: "keep it",
        why: "it may be less",
        requires: ["containers:scale@shop"],
        changes: ["service/worker/replicas"],
        uses: "scale",
        with: { service: "worker", replicas: 1 },
        rollback: { uses: "scale", with: { service: "worker", replicas: 2 } },
      },
    ],
  });
  const cell = report.cells.find(({ column, prefix }) => column === "abort" && prefix === 1);
  expect(cell?.notes).toContain("one-worker-already was at its target already and was not performed");
  expect(cell?.wayBack).toBeUndefined();
  expect(cell?.result).toBe("clean");
});

test("a prefix that does not land undisturbed is taken back as after a failure, and its cell stays unknown", async () => {
  const drill = await simulateDrill({
    seed: 8,
    plan: "scale-one",
    faults: [{ kind: "act-does-not-land", proof: "quiet" }],
  });
  const cell = reportOf(drill).cells.find(({ column, prefix }) => column === "abort" && prefix === 1);
  expect(cell).toMatchObject({ result: "error", wayBack: { why: "failure", how: "undos" }, differences: [] });
  expect(cell?.reason).toMatch(/^more-workers does not land even undisturbed/);
});

test("the whole plan is tried action by action before each acts, once, and that nothing came of it was looked at", async () => {
  const report = reportOf(await simulateDrill({ seed: 10, plan: "change-data" }));
  const [cell, ...more] = report.cells.filter(({ column }) => column === "dry-run");
  expect(more).toEqual([]);
  expect(cell).toMatchObject({ prefix: 3, result: "clean", wayBack: { why: "planned", how: "undos" } });
  const tried = cell?.notes.filter((note) => note.startsWith("tried first, "));
  expect(tried).toEqual([
    expect.stringMatching(
      /^tried first, set-flag passed and nothing was changed by it: 1 statement ran in a transaction/,
    ),
    "tried first, more-workers passed and nothing was changed by it: worker is there, with 1 replicas",
  ]);
});

test("a dry run that leaves something is a finding, its action does not act, and what it left is named", async () => {
  const report = reportOf(await simulateDrill({ seed: 10, plan: "change-data", trialsLeave: true }));
  const cell = report.cells.find(({ column }) => column === "dry-run");
  expect(cell).toMatchObject({ result: "not-restored", reason: "left behind: added redis/cache/left-by-trial" });
  expect(cell?.notes).toContain("tried first, set-flag failed: it changed redis/cache/left-by-trial (1 in all)");
  expect(cell?.actMs).toBe(0);
});

test("where a snapshot brings nothing back, the twins are raised anew", async () => {
  const drill = await simulateDrill({
    seed: 1,
    plan: "scale-one",
    faults: [{ kind: "undo-leaves-residue", proof: "quiet" }],
    snapshotsFail: true,
  });
  const ways = reportOf(drill).cells.map(({ reset }) => reset.way);
  expect(new Set(ways)).toEqual(new Set(["none", "raised-anew"]));
  expect(drill.restored.slice(0, 2)).toEqual([["cache"], "all"]);
  expect(drill.tornDown.times).toBe(1 + ways.filter((way) => way === "raised-anew").length);
});

test("a fault that does not land makes its cells errors, never clean ones", async () => {
  const drill = await simulateDrill({
    seed: 2,
    plan: "scale-one",
    prepare: (board) => {
      board.dead = true;
    },
  });
  const report = reportOf(drill);
  const kinds = new Map(report.columns.map(({ id, kind }) => [id, kind]));
  const struck = report.cells.filter(({ column }) => kinds.get(column) === "fault");
  expect(struck.length).toBeGreaterThan(0);
  expect(new Set(struck.map(({ result }) => result))).toEqual(new Set(["error"]));
  expect(report.outcome).toBe("findings");
});

test("a fault on a way that no connection ever took is an error", async () => {
  const drill = await simulateDrill({
    seed: 3,
    plan: "scale-one",
    prepare: (board) => {
      board.unused = true;
    },
  });
  const slow = reportOf(drill).cells.filter(({ column }) => column.startsWith("api>"));
  expect(new Set(slow.map(({ reason }) => reason))).toEqual(
    new Set(["the fault did not land: no connection of api ever took this way: the fault could not reach it"]),
  );
});

test("a service whose connections do not survive is a finding, is restarted, and the cell says so", async () => {
  const drill = await simulateDrill({
    seed: 4,
    plan: "scale-one",
    onEvent: (event, board) => {
      if (event.kind === "cell" && event.title === "abort" && event.cell.prefix === 0) board.unwell.add("api");
    },
  });
  const report = reportOf(drill);
  const cell = report.cells.find(({ column, prefix }) => column === "abort" && prefix === 1);
  expect(cell).toMatchObject({ result: "finding", reset: { way: "restarted", restarted: ["api"] } });
  expect(report.outcome).toBe("findings");
  expect(report.cells.filter(({ result }) => result !== "clean")).toHaveLength(1);
});

test("a person's abort ends the drill with no answer, and the twins are removed", async () => {
  const drill = await simulateDrill({
    seed: 5,
    onEvent: (event, _board, abort) => {
      if (event.kind === "cell" && event.number === 9) abort();
    },
  });
  expect(drill.end).toMatchObject({ kind: "error", error: { code: "ABORTED_BY_HUMAN" } });
  expect(drill.published).toEqual([]);
  expect(drill.stage.things.size).toBe(0);
});

test("the same seed makes the same report, byte by byte", async () => {
  const [first, second] = [await simulateDrill({ seed: 6 }), await simulateDrill({ seed: 6 })];
  expect(JSON.stringify(reportOf(second))).toBe(JSON.stringify(reportOf(first)));
});
