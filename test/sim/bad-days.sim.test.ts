import { expect, test } from "vitest";
import { PHASES, type Phase } from "../../src/report/run-event.ts";
import type { Fault } from "../support/simulated-faults.ts";
import { type SimulatedRun, simulateRun } from "../support/simulated-run.ts";
import { endOf, expectSoundRun, notesOf } from "./sound-run.ts";

const SEED = 4;
/** Undoing two actions, ending the driver and removing the twins takes this long at most, ms. */
const PROMPT_MS = 10_000;
/** In these the answer does not depend on a twin any more. */
const AFTER_THE_TWINS: readonly Phase[] = ["judge", "publish", "tear-down"];
const BEFORE_TRAFFIC: readonly Phase[] = ["admit", "raise", "quiet-proof"];
const WITH_TRAFFIC = PHASES.filter((phase) => ![...BEFORE_TRAFFIC, ...AFTER_THE_TWINS].includes(phase));
/** Phases that take more than a moment. */
const LASTING = PHASES.filter((phase) => !["admit", "barrier", ...AFTER_THE_TWINS].includes(phase));
const UNDER_LOAD: readonly Phase[] = ["replay", "settle", "observe", "rollback"];

async function onADayWith(...faults: readonly Fault[]): Promise<SimulatedRun> {
  const run = await simulateRun({ seed: SEED, plan: "scale-two", faults });
  expectSoundRun(run, JSON.stringify(faults));
  return run;
}

function inPhase(phase: Phase, afterMs = 0): Extract<Fault, { kind: "aborted" }>["when"] {
  return { kind: "phase", phase, afterMs };
}

/** When the run entered a phase, ms. */
function enteredMs(run: SimulatedRun, phase: Phase): number {
  const event = run.events.find((one) => one.kind === "phase" && one.phase === phase);
  return event?.kind === "phase" ? event.atEpochMs - Date.UTC(2026, 0, 1) : Number.NaN;
}

function undoneUnderLoad(run: SimulatedRun): readonly string[] {
  const { intents } = run.stage.store;
  const quiet = intents.findIndex((intent) => intent.kind === "undone" && intent.actionId === "more-workers");
  return intents.slice(quiet + 1).flatMap((intent) => (intent.kind === "undone" ? [intent.actionId] : []));
}

test.each(PHASES.filter((phase) => phase !== "tear-down"))(
  "a person who aborts during %s gets it, promptly",
  async (phase) => {
    const run = await onADayWith({ kind: "aborted", by: "human", when: inPhase(phase) });
    expect(endOf(run)).toBe("ABORTED_BY_HUMAN");
    expect(run.tookMs - enteredMs(run, phase)).toBeLessThan(PROMPT_MS);
  },
);

test.each(LASTING)("a person who aborts a little into %s gets it too", async (phase) => {
  const run = await onADayWith({ kind: "aborted", by: "human", when: inPhase(phase, 700) });
  expect(endOf(run)).toBe("ABORTED_BY_HUMAN");
});

test("an abort that comes when the verdict is out changes nothing", async () => {
  const run = await onADayWith({ kind: "aborted", by: "human", when: inPhase("tear-down") });
  expect(endOf(run)).toBe("promote");
});

test.each(["settle", "observe"] as const)(
  "an abort during %s undoes all actions under load, last one first",
  async (phase) => {
    const run = await onADayWith({ kind: "aborted", by: "human", when: inPhase(phase, 500) });
    expect(undoneUnderLoad(run)).toEqual(["more-api", "more-workers"]);
  },
);

test("an abort in the middle of an action undoes the half that was done", async () => {
  const run = await onADayWith(
    { kind: "act-hangs", proof: "load" },
    { kind: "aborted", by: "human", when: inPhase("replay", 5000) },
  );
  expect(endOf(run)).toBe("ABORTED_BY_HUMAN");
  expect(undoneUnderLoad(run)).toEqual(["more-workers"]);
});

test("an undo that hangs after an abort is given up in the end, and the reason stays the abort", async () => {
  const faults = [
    { kind: "undo-hangs", proof: "load" },
    { kind: "aborted", by: "human", when: inPhase("observe", 500) },
  ] as const;
  const run = await simulateRun({ seed: SEED, plan: "change-data", faults });
  expectSoundRun(run, "undo hangs");
  expect(endOf(run)).toBe("ABORTED_BY_HUMAN");
  // What the plan promised (60 s) and half a minute, not each undo's own time-box twice.
  expect(run.tookMs - enteredMs(run, "observe")).toBeLessThan(100_000);
});

test("an engine that dies while an abort is being undone does not hide the abort", async () => {
  const run = await onADayWith(
    { kind: "aborted", by: "human", when: inPhase("observe", 500) },
    { kind: "engine-dies", when: inPhase("observe", 900) },
  );
  expect(endOf(run)).toBe("ABORTED_BY_HUMAN");
});

test.each(["baseline", "observe", "recover"] as const)(
  "a deadline that passes during %s is an error of its own",
  async (phase) => {
    const run = await onADayWith({ kind: "aborted", by: "deadline", when: inPhase(phase, 1000) });
    expect(endOf(run)).toBe("DEADLINE_EXCEEDED");
    expect(run.tookMs - enteredMs(run, phase)).toBeLessThan(PROMPT_MS);
  },
);

test.each(PHASES.filter((phase) => !AFTER_THE_TWINS.includes(phase)))(
  "an engine that dies during %s leaves no verdict",
  async (phase) => {
    const run = await onADayWith({ kind: "engine-dies", when: inPhase(phase) });
    expect(endOf(run)).toBe("MIRROR_UNAVAILABLE");
  },
);

test.each(WITH_TRAFFIC)(
  "an engine that dies during %s is noticed within seconds, not at the end of the phase",
  async (phase) => {
    const run = await onADayWith({ kind: "engine-dies", when: inPhase(phase) });
    expect(run.tookMs - enteredMs(run, phase)).toBeLessThan(PROMPT_MS);
  },
);

test.each(AFTER_THE_TWINS)("an engine that dies during %s cannot take the answer back", async (phase) => {
  const run = await onADayWith({ kind: "engine-dies", when: inPhase(phase) });
  expect(endOf(run)).toBe("promote");
  expect(notesOf(run)).toContainEqual(expect.stringContaining("the twins could not be removed"));
});

test.each(WITH_TRAFFIC)("a traffic driver that dies during %s ends the run within seconds", async (phase) => {
  const run = await onADayWith({ kind: "driver-dies", when: inPhase(phase) });
  expect(endOf(run)).toBe("REPLAY_FAILED");
  expect(run.tookMs - enteredMs(run, phase)).toBeLessThan(PROMPT_MS);
});

test.each(UNDER_LOAD)(
  "a traffic driver that dies a little into %s leaves nothing of the plan behind",
  async (phase) => {
    const run = await onADayWith({ kind: "driver-dies", when: inPhase(phase, 1500) });
    expect(endOf(run)).toBe("REPLAY_FAILED");
    expect(run.tornDown.shadowRestored).toBe(true);
  },
);

test.each(Array.from({ length: 12 }, (_, step) => step))(
  "raising that fails at step %i is an error and nothing was acted",
  async (atStep) => {
    const run = await onADayWith({ kind: "raise-fails", atStep });
    expect(endOf(run)).toBe("MIRROR_UNAVAILABLE");
    expect(run.stage.store.intents.map((intent) => intent.kind)).toEqual(["run"]);
  },
);

test("a plan that its operator does not allow is refused before anything is raised", async () => {
  const run = await onADayWith({ kind: "plan-not-allowed" });
  expect(endOf(run)).toBe("POLICY_REFUSED");
  expect(run.tookMs).toBe(0);
});

test("twins that are not equal are no twins", async () => {
  expect(endOf(await onADayWith({ kind: "twins-differ" }))).toBe("MIRROR_UNAVAILABLE");
});

test("a load generator that was the bottleneck leaves no verdict", async () => {
  expect(endOf(await onADayWith({ kind: "driver-bottleneck" }))).toBe("DRIVER_BOTTLENECK");
});

test("a machine that was busy for some seconds with the plan in force is observed longer, not held", async () => {
  const quiet = await onADayWith();
  const run = await onADayWith({ kind: "driver-late-with-plan", afterMs: 15_000, forMs: 6000 });
  expect(notesOf(run)).toContainEqual(expect.stringMatching(/^every SLO holds, yet: The load generator was late in/));
  expect(endOf(run)).toBe("promote");
  expect(run.tookMs).toBeGreaterThan(quiet.tookMs);
});

test("what late seconds prolonged ends when they are clearly mended, not at the first dip of their share", async () => {
  const quiet = await onADayWith();
  const faults: readonly Fault[] = [{ kind: "driver-late-with-plan", afterMs: 10_000, forMs: 8000 }];
  const run = await simulateRun({ seed: SEED, plan: "scale-two", faults, judge: { observeSecondsMax: 600 } });
  expectSoundRun(run, "prolonged");
  expect(endOf(run)).toBe("promote");
  // 8 s are a tenth of 80 s, and a twentieth of 160 s.
  expect(run.tookMs - quiet.tookMs).toBeGreaterThan(100_000);
  expect(run.tookMs - quiet.tookMs).toBeLessThan(200_000);
});

test("busy seconds too many for the time there is hold a plan whose SLOs are all inside", async () => {
  const run = await onADayWith({ kind: "driver-late-with-plan", afterMs: 10_000, forMs: 8000 });
  const late = {
    code: "ENVIRONMENT_UNSTABLE",
    message: expect.stringContaining("The load generator was late in 13.3%"),
  };
  expect(run.end).toMatchObject({ report: { verdict: { kind: "hold", reasons: [late] } } });
});

test.each(["intent", "manifest", "report"] as const)(
  "a disk that is full when the %s is written leaves no verdict",
  async (writing) => {
    const run = await onADayWith({ kind: "disk-full", writing, from: writing === "intent" ? 3 : 0 });
    expect(endOf(run)).toBe("REPLAY_FAILED");
  },
);

test("a log that misses its last line does not take the answer back", async () => {
  const run = await onADayWith({ kind: "disk-full", writing: "intent", from: 17 });
  expect(endOf(run)).toBe("promote");
  expect(notesOf(run)).toContainEqual(expect.stringContaining("the end of the run could not be recorded"));
});

test("twins that cannot be removed are said and swept later, and do not take the answer back", async () => {
  const run = await onADayWith({ kind: "teardown-fails" });
  expect(endOf(run)).toBe("promote");
  expect(notesOf(run)).toContainEqual(expect.stringContaining("the twins could not be removed"));
});

test("a wall clock that jumps moves stamps and nothing else", async () => {
  const calm = await onADayWith();
  for (const byMs of [-3_600_000, 86_400_000]) {
    const jumping = await onADayWith({ kind: "wall-clock-jumps", everyMs: 7000, byMs });
    expect(measured(jumping)).toEqual(measured(calm));
  }
});

const EVIDENCE: readonly { readonly fault: Fault; readonly verdict: string; readonly code: string }[] = [
  { fault: { kind: "act-does-not-land", proof: "quiet" }, verdict: "reject", code: "ACTION_FAILED" },
  { fault: { kind: "act-does-not-land", proof: "load" }, verdict: "reject", code: "ACTION_FAILED" },
  { fault: { kind: "act-hangs", proof: "quiet" }, verdict: "reject", code: "ACTION_FAILED" },
  { fault: { kind: "act-hangs", proof: "load" }, verdict: "reject", code: "ACTION_FAILED" },
  { fault: { kind: "undo-does-not-land", proof: "quiet" }, verdict: "reject", code: "UNDO_NOT_PROVEN" },
  { fault: { kind: "undo-does-not-land", proof: "load" }, verdict: "reject", code: "UNDO_NOT_PROVEN" },
  { fault: { kind: "undo-hangs", proof: "load" }, verdict: "reject", code: "UNDO_NOT_PROVEN" },
  { fault: { kind: "undo-leaves-residue", proof: "quiet" }, verdict: "reject", code: "UNDO_NOT_PROVEN" },
  { fault: { kind: "undo-leaves-residue", proof: "load" }, verdict: "reject", code: "UNDO_NOT_PROVEN" },
  { fault: { kind: "undeclared-effect" }, verdict: "reject", code: "UNDECLARED_EFFECT" },
  { fault: { kind: "absent-effect" }, verdict: "reject", code: "ABSENT_EFFECT" },
  { fault: { kind: "invariant-breaks" }, verdict: "reject", code: "INVARIANT_BROKEN" },
  { fault: { kind: "plan-breaks-invariant" }, verdict: "reject", code: "INVARIANT_BROKEN" },
  { fault: { kind: "plan-calls-stub" }, verdict: "hold", code: "REQUESTED_NOT_PROVEN" },
  { fault: { kind: "plan-slows", share: 0.36 }, verdict: "reject", code: "SLO_OUTSIDE_RANGE" },
  { fault: { kind: "plan-slows", share: 0.5 }, verdict: "reject", code: "HARM_ALARM" },
  { fault: { kind: "plan-breaks", share: 0.035 }, verdict: "reject", code: "WORK_SHRANK" },
  { fault: { kind: "plan-breaks", share: 0.2 }, verdict: "reject", code: "HARM_ALARM" },
  { fault: { kind: "plan-stalls" }, verdict: "reject", code: "HARM_ALARM" },
  { fault: { kind: "already-at-target" }, verdict: "hold", code: "NO_OP" },
  { fault: { kind: "shadow-loses-requests", share: 0.3 }, verdict: "hold", code: "ASYMMETRIC_LOSS" },
  { fault: { kind: "telemetry-silent", role: "shadow" }, verdict: "hold", code: "UNDERPOWERED" },
  { fault: { kind: "telemetry-silent", role: "control" }, verdict: "hold", code: "UNDERPOWERED" },
];

test.each(EVIDENCE)("$fault is evidence: $verdict, $code", async ({ fault, verdict, code }) => {
  const run = await onADayWith(fault);
  expect(endOf(run)).toBe(verdict);
  expect(run.end.kind === "report" ? run.end.report.verdict.reasons.map((reason) => reason.code) : []).toContain(code);
});

function measured(run: SimulatedRun): unknown {
  if (run.end.kind === "error") return run.end.error;
  const { startedEpochMs: _started, finishedEpochMs: _finished, ...rest } = run.end.report;
  return rest;
}
