import { expect, test } from "vitest";
import type { Phase } from "../../src/report/run-event.ts";
import type { Fault } from "../support/simulated-faults.ts";
import { type SimulatedRun, simulateRun } from "../support/simulated-run.ts";
import { endOf, expectSoundRun } from "./sound-run.ts";

const STOPPED_WITHIN_MS = 20_000;

async function harmedRun(faults: readonly Fault[], seed = 4): Promise<SimulatedRun> {
  const run = await simulateRun({ seed, plan: "scale-two", faults });
  expectSoundRun(run, JSON.stringify(faults));
  return run;
}

function enteredMs(run: SimulatedRun, phase: Phase): number {
  const event = run.events.find((one) => one.kind === "phase" && one.phase === phase);
  return event?.kind === "phase" ? event.atEpochMs - Date.UTC(2026, 0, 1) : Number.NaN;
}

function reasonsOf(run: SimulatedRun): readonly string[] {
  return run.end.kind === "report" ? run.end.report.verdict.reasons.map((reason) => reason.code) : [];
}

/** What was done and undone under load, in order. */
function underLoad(run: SimulatedRun): readonly string[] {
  const { intents } = run.stage.store;
  const quiet = intents.findIndex((intent) => intent.kind === "undone" && intent.actionId === "more-workers");
  return intents
    .slice(quiet + 1)
    .flatMap((intent) =>
      intent.kind === "act" || intent.kind === "undone" ? [`${intent.kind} ${intent.actionId}`] : [],
    );
}

const HARMS: readonly Fault[] = [
  { kind: "plan-slows", share: 0.5 },
  { kind: "plan-breaks", share: 0.3 },
  { kind: "plan-stalls" },
];

test.each(HARMS)("$kind: the plan is stopped and undone within twenty seconds of its first act", async (fault) => {
  const run = await harmedRun([fault]);
  expect(endOf(run)).toBe("reject");
  expect(reasonsOf(run)[0]).toBe("HARM_ALARM");
  expect(enteredMs(run, "rollback") - enteredMs(run, "replay")).toBeLessThan(STOPPED_WITHIN_MS);
  expect(underLoad(run)).toEqual(["act more-workers", "act more-api", "undone more-api", "undone more-workers"]);
});

test("an alarm is said when it comes, and the report carries it with its numbers and marks it in the timeline", async () => {
  const run = await harmedRun([{ kind: "plan-slows", share: 0.8 }]);
  const told = run.events.findIndex((event) => event.kind === "alarm");
  const undo = run.events.findIndex((event) => event.kind === "phase" && event.phase === "rollback");
  expect(told).toBeGreaterThan(0);
  expect(told).toBeLessThan(undo);
  if (run.end.kind === "error") throw run.end.error;
  const { alarm, timeline, verdict } = run.end.report;
  // The route that shows it best is named; the median of one route's few blocks is good to a tenth.
  expect(alarm).toMatchObject({ kind: "latency", scope: expect.not.stringContaining("all routes") });
  expect(Math.abs((alarm?.excess ?? Number.NaN) - 0.8)).toBeLessThan(0.1);
  expect(timeline.filter((entry) => entry.kind === "alarm")).toHaveLength(1);
  expect(verdict.reasons[0]?.message).toMatch(
    /median of .* ms on the shadow and .* ms on the control \(\+\d+(\.\d+)?%\)/,
  );
});

test("the undo is proven after an alarm as after any other run", async () => {
  const run = await harmedRun([{ kind: "plan-breaks", share: 0.3 }]);
  expect(run.end).toMatchObject({
    kind: "report",
    report: { rollback: { kind: "run", residue: [], notRecovered: [] } },
  });
});

test("harm in the middle of an action stops it, the next one is never begun, and the half that was done is undone", async () => {
  const run = await harmedRun([
    { kind: "act-hangs", proof: "load" },
    { kind: "plan-breaks", share: 0.5 },
  ]);
  expect(endOf(run)).toBe("reject");
  expect(reasonsOf(run)[0]).toBe("HARM_ALARM");
  expect(underLoad(run)).toEqual(["act more-workers", "undone more-workers"]);
});

test("a person who aborts while an alarm is being undone gets it, and the undo still happens", async () => {
  const run = await harmedRun([
    { kind: "plan-stalls" },
    { kind: "aborted", by: "human", when: { kind: "phase", phase: "rollback", afterMs: 0 } },
  ]);
  expect(endOf(run)).toBe("ABORTED_BY_HUMAN");
  expect(underLoad(run).slice(-2)).toEqual(["undone more-api", "undone more-workers"]);
});

test("an undo that does not land after an alarm is told beside it", async () => {
  const run = await harmedRun([{ kind: "plan-stalls" }, { kind: "undo-does-not-land", proof: "load" }]);
  expect(endOf(run)).toBe("reject");
  expect(reasonsOf(run)).toEqual(expect.arrayContaining(["HARM_ALARM", "UNDO_NOT_PROVEN"]));
});

test("in forty harmless worlds there is no alarm", async () => {
  for (let seed = 100; seed < 140; seed++) {
    const run = await simulateRun({ seed, plan: "scale-two", faults: [] });
    expect(
      run.events.filter((event) => event.kind === "alarm"),
      `seed ${seed}`,
    ).toEqual([]);
    expect(reasonsOf(run), `seed ${seed}`).not.toContain("HARM_ALARM");
  }
});
