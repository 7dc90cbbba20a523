import { describe, expect, test } from "vitest";
import type { Fault } from "../support/simulated-faults.ts";
import type { SimulatedPlanName } from "../support/simulated-job.ts";
import { type SimulatedRun, simulateRun } from "../support/simulated-run.ts";
import { endOf, expectSoundRun, notesOf } from "./sound-run.ts";

const DESIGN = { kind: "switchback", rounds: 12, secondsOn: 10, secondsOff: 10, settleSeconds: 2 };

async function inRounds(plan: SimulatedPlanName, ...faults: readonly Fault[]): Promise<SimulatedRun> {
  const run = await simulateRun({ seed: 5, plan, faults, judge: { design: DESIGN } });
  expectSoundRun(run, JSON.stringify(faults));
  return run;
}

function reportOf(run: SimulatedRun) {
  if (run.end.kind === "report") return run.end.report;
  throw run.end.error;
}

describe("a plan that is rehearsed in rounds", () => {
  test("is promoted when it costs nothing, its undo proven and timed in every round", async () => {
    const run = await inRounds("scale-two");
    const { verdict, slos, rollback, traffic } = reportOf(run);
    expect(verdict.kind, JSON.stringify(verdict.reasons)).toBe("promote");
    const rounds = traffic.rounds ?? [];
    expect(rounds.length).toBeGreaterThanOrEqual(8);
    expect(slos.map((slo) => slo.blocks.after)).toEqual(slos.map(() => rounds.length));
    expect(rollback).toMatchObject({ kind: "run", residue: [] });
    expect(rollback.kind === "run" ? rollback.roundsUndoMs?.length : 0).toBe(rounds.length);
    for (const { before, acting, on, undoing, after } of rounds) {
      const instants = [before.fromMs, before.toMs, acting.fromMs, on.fromMs, on.toMs, undoing.fromMs, after.fromMs];
      expect(instants).toEqual(instants.toSorted((a, b) => a - b));
      expect(on.toMs - on.fromMs).toBe(10_000);
      for (const { fromMs, toMs } of [before, on, after]) expect([fromMs % 1000, toMs % 1000]).toEqual([0, 0]);
    }
    expect(new Set(rounds.map(({ before }) => before.toMs - before.fromMs)).size).toBeGreaterThan(1);
  });

  test("needs no profile when it replaces processes: the bias of each restart is drawn anew in every round", async () => {
    const { verdict, slos } = reportOf(await inRounds("change-settings"));
    expect(slos.map((slo) => slo.state)).toEqual(slos.map(() => "pass"));
    // Of tier 3: the second sentence says what stands behind its undo.
    expect(verdict.reasons.map((reason) => reason.code)).toEqual(["ALL_SHOWN", "ALL_SHOWN"]);
  });

  test("leaves out what any run leaves out after a restart, after each act and each undo", async () => {
    const leftOutMs = async (plan: SimulatedPlanName): Promise<readonly [number, number]> => {
      const rounds = reportOf(await inRounds(plan)).traffic.rounds ?? [];
      expect(rounds.length).toBeGreaterThanOrEqual(8);
      return [
        Math.min(...rounds.map(({ acting, on }) => on.fromMs - acting.toMs)),
        Math.min(...rounds.map(({ undoing, after }) => after.fromMs - undoing.toMs)),
      ];
    };
    // The simulated scenario asks for 4 s after a restart, the design for 2 s.
    for (const ms of await leftOutMs("change-settings")) expect(ms).toBeGreaterThanOrEqual(4000);
    for (const ms of await leftOutMs("scale-two")) expect(ms).toBeLessThan(4000);
  });

  test("is stopped in its first round by gross harm, and undone", async () => {
    const run = await inRounds("scale-two", { kind: "plan-breaks", share: 0.2 });
    const { verdict, traffic, alarm } = reportOf(run);
    expect(verdict).toMatchObject({ kind: "reject", reasons: [{ code: "HARM_ALARM" }, ...verdict.reasons.slice(1)] });
    expect(traffic.rounds ?? []).toEqual([]);
    expect(alarm).toBeDefined();
  });

  test("goes on and says why while late seconds alone would hold it, and is held when they never end", async () => {
    const quiet = await inRounds("scale-two");
    const run = await inRounds("scale-two", { kind: "driver-late-with-plan", afterMs: 5000, forMs: 600 });
    const { verdict, slos, traffic } = reportOf(run);
    expect(slos.map((slo) => slo.state)).toEqual(slos.map(() => "pass"));
    expect(verdict).toMatchObject({ kind: "hold", reasons: [{ code: "ENVIRONMENT_UNSTABLE" }] });
    expect(traffic.rounds?.length).toBe(DESIGN.rounds);
    expect(reportOf(quiet).traffic.rounds?.length).toBeLessThan(DESIGN.rounds);
    expect(notesOf(run)).toContainEqual(expect.stringMatching(/^every SLO holds, yet: The load generator was late in/));
  });

  test("is rejected when its undo does not land in the first round", async () => {
    const { verdict, traffic } = reportOf(await inRounds("scale-one", { kind: "undo-does-not-land", proof: "load" }));
    expect(verdict).toMatchObject({
      kind: "reject",
      reasons: [{ code: "UNDO_NOT_PROVEN" }, ...verdict.reasons.slice(1)],
    });
    expect(traffic.rounds ?? []).toEqual([]);
  });

  test("is rejected when an action does not land under load", async () => {
    const { verdict } = reportOf(await inRounds("scale-one", { kind: "act-does-not-land", proof: "load" }));
    expect(verdict.kind).toBe("reject");
  });

  test("is undone once when a person stops it in a round", async () => {
    const run = await inRounds("scale-two", {
      kind: "aborted",
      by: "human",
      when: { kind: "phase", phase: "observe", afterMs: 4000 },
    });
    expect(endOf(run)).toBe("ABORTED_BY_HUMAN");
    const undone = run.stage.store.intents
      .filter((intent) => intent.kind === "undone")
      .map((intent) => intent.actionId);
    expect(undone.slice(-2)).toEqual(["more-api", "more-workers"]);
    expect(undone).toHaveLength(4);
  });
});
