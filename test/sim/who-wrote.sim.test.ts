import { describe, expect, test } from "vitest";
import type { WriteProvenance } from "../../src/replay/proof/write-provenance.ts";
import type { Fault } from "../support/simulated-faults.ts";
import { type SimulatedRun, simulateRun } from "../support/simulated-run.ts";
import { expectSoundRun } from "./sound-run.ts";

async function reportOf(options: Parameters<typeof simulateRun>[0]) {
  const run: SimulatedRun = await simulateRun(options);
  expectSoundRun(run, JSON.stringify(options.faults ?? []));
  if (run.end.kind === "report") return run.end.report;
  throw run.end.error;
}

function told(writes: WriteProvenance | undefined): Extract<WriteProvenance, { kind: "told" }> {
  if (writes?.kind === "told") return writes;
  throw new Error(`not told: ${JSON.stringify(writes)}`);
}

const sql = (...faults: readonly Fault[]) => reportOf({ seed: 3, plan: "change-data", faults });

describe("a plan with SQL, rehearsed while an application writes", () => {
  test("is told from the application, act and undo, and nothing of it is held against it", async () => {
    const { writes, verdict } = await sql();
    const { actions, application, doubts } = told(writes);
    expect(actions.map(({ actionId, phase, rows, times, outside }) => [actionId, phase, rows, times, outside])).toEqual(
      [
        ["set-flag", "act", 1, 1, []],
        ["set-flag", "undo", 1, 1, []],
      ],
    );
    expect(application.tables.map(({ table }) => table)).toContain("db/db/shop/rows/orders");
    expect(doubts).toEqual([]);
    expect(verdict.kind).toBe("promote");
    expect(verdict.reasons[1]?.message).toMatch(
      /^Under load action set-flag wrote 1 row \(flags 1\), the undo of set-flag wrote 1 row \(flags 1\); the application wrote the rest \(\d+ rows\)\.$/,
    );
  });

  test("is counted over all rounds of a switchback", async () => {
    const design = { kind: "switchback", rounds: 8, secondsOn: 10, secondsOff: 10, settleSeconds: 2 };
    const { writes, traffic } = await reportOf({ seed: 5, plan: "change-data", judge: { design } });
    const rounds = traffic.rounds?.length ?? 0;
    expect(rounds).toBeGreaterThan(2);
    expect(told(writes).actions.map(({ times, rows }) => [times, rows])).toEqual([
      [rounds, rounds],
      [rounds, rounds],
    ]);
  });

  test("is rejected for a row that it reached only under load, though everything was put back", async () => {
    const { verdict, rollback } = await sql({ kind: "sql-writes-more", proof: "load" });
    expect(rollback).toMatchObject({ residue: [] });
    expect(verdict.kind).toBe("reject");
    expect(verdict.reasons.filter(({ code }) => code === "UNDECLARED_EFFECT")).toMatchObject([
      { subject: "set-flag", message: expect.stringContaining("(db/db/shop/rows/orders/order-0)") },
      { subject: "set-flag", message: expect.stringContaining("the undo of set-flag wrote") },
    ]);
  });

  test("is held where the database keeps no log, with the reason", async () => {
    const { verdict, writes } = await sql({ kind: "no-write-log" });
    expect(writes).toEqual({ kind: "unavailable", why: "db on the quiet twin: the server keeps no logical log" });
    expect(verdict).toMatchObject({ kind: "hold" });
    expect(verdict.reasons.map(({ code }) => code)).toContain("WRITES_NOT_ATTRIBUTED");
  });
});

test("a plan without SQL has nothing of it in its report", async () => {
  const { writes, verdict } = await reportOf({ seed: 3, plan: "scale-one" });
  expect(writes).toBeUndefined();
  expect(verdict.kind).toBe("promote");
});
