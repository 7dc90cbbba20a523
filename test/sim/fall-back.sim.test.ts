import { expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import type { RunReport } from "../../src/report/run-report.ts";
import type { Fault } from "../support/simulated-faults.ts";
import { simulateRun } from "../support/simulated-run.ts";

const TIMEOUT_MS = 120_000;
const BAD_UNDO: readonly Fault[] = [{ kind: "undo-does-not-land", proof: "load" }];

async function reportOf(options: Partial<Parameters<typeof simulateRun>[0]>): Promise<RunReport> {
  const run = await simulateRun({ seed: 6, plan: "change-data", ...options });
  expect(run.stage.broken).toEqual([]);
  if (run.end.kind === "error") throw run.end.error;
  return run.end.report;
}

const codes = ({ verdict }: RunReport): readonly string[] => verdict.reasons.map(({ code }) => code);

test(
  "a tier 3 plan whose undo works is promoted with its verified snapshot, and says what a restore would have lost",
  async () => {
    const report = await reportOf({});
    expect(report.verdict.kind).toBe("promote");
    expect(report.snapshot).toMatchObject({ stores: [{ service: "db" }] });
    const { rollback } = report;
    expect(rollback).toMatchObject({ kind: "run", residue: [], recoveryMs: expect.any(Number) });
    expect(rollback.kind === "run" && rollback.wouldLose?.map(({ path }) => path)).toContain("db/db/shop/rows/orders");
    expect(report.verdict.reasons.map(({ message }) => message).join()).toContain("would have taken back");
  },
  TIMEOUT_MS,
);

test(
  "where its undo fails under load the snapshot is brought back, which the operator has to accept",
  async () => {
    const refused = await reportOf({ faults: BAD_UNDO });
    expect(refused.verdict.kind).toBe("reject");
    expect(codes(refused)).toContain("UNDO_NOT_PROVEN");
    expect(refused.rollback).toMatchObject({ restored: { residue: [] } });

    const accepted = await reportOf({
      faults: BAD_UNDO,
      scenario: { rollback: { restoreMayLose: { rows: 100_000, keys: 100 } } },
    });
    expect([accepted.verdict.kind, codes(accepted)[0]]).toEqual(["promote", "ALL_SHOWN"]);
    expect(accepted.verdict.reasons.map(({ message }) => message).join()).toContain("Proven was a restore");

    const tooMuch = await reportOf({ faults: BAD_UNDO, scenario: { rollback: { restoreMayLose: {} } } });
    expect([tooMuch.verdict.kind, codes(tooMuch)]).toEqual(["reject", ["RESTORE_LOSES_WRITES"]]);
  },
  TIMEOUT_MS,
);

test(
  "an undo that leaves something on the quiet twin is no undo under load either: the restore is run there, and its losses count",
  async () => {
    const faults: readonly Fault[] = [{ kind: "undo-leaves-residue", proof: "quiet" }];
    const rollback = (rows: number) => ({ rollback: { restoreMayLose: { rows, keys: 100 } } });
    const accepted = await reportOf({ faults, scenario: rollback(100_000) });
    expect([accepted.verdict.kind, codes(accepted)[0]]).toEqual(["promote", "ALL_SHOWN"]);
    expect(accepted.rollback).toMatchObject({ restored: { residue: [], losses: expect.any(Array) } });
    const tooMuch = await reportOf({ faults, scenario: rollback(0) });
    expect([tooMuch.verdict.kind, codes(tooMuch)]).toEqual(["reject", ["RESTORE_LOSES_WRITES"]]);
  },
  TIMEOUT_MS,
);

test("a restore that forgets something, or fails, excuses nothing", async () => {
  const scenario = { rollback: { restoreMayLose: { rows: 100_000, keys: 100 } } };
  const failing = await reportOf({ faults: BAD_UNDO, scenario, snapshots: { restore: "fails" } });
  expect(failing.verdict.kind).toBe("reject");
  expect(codes(failing)).toContain("UNDO_NOT_PROVEN");
}, 120_000);

test("a snapshot that does not verify ends the run before anything acts, with exit code 23", async () => {
  const { end, stage } = await simulateRun({ seed: 6, plan: "change-data", snapshots: { unverified: true } });
  expect(end.kind === "error" && end.error instanceof CanaryError && end.error.exitCode).toBe(23);
  expect(stage.store.intents.map(({ kind }) => kind)).toEqual(["run"]);
});

test("a plan of a lower tier takes no snapshot unless its scenario asks", async () => {
  expect((await reportOf({ plan: "scale-one" })).snapshot).toBeUndefined();
  const asked = await reportOf({ plan: "scale-one", scenario: { rollback: { snapshot: "always" } } });
  expect(asked.snapshot).toBeDefined();
}, 120_000);
