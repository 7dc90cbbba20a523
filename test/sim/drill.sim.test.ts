import { expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
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
      expect(report.cells).toHaveLength(6 * report.plan.actions.length + 1 + 8 * (report.plan.actions.length + 1));
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
  expect(drill.tornDown.times).toBe(1);
  expect(report.cells.filter(({ prefix }) => prefix === 0).every(({ result }) => result === "clean")).toBe(true);
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
