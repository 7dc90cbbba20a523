import { expect } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import type { Intent } from "../../src/core/intent-log.ts";
import { type Fault, HARMLESS_FAULTS, type Moment } from "../support/simulated-faults.ts";
import type { SimulatedRun } from "../support/simulated-run.ts";

/** What must hold of every run in every world, however bad; `label` says which world to replay. */
export function expectSoundRun(run: SimulatedRun, label: string): void {
  const { stage, end, tornDown } = run;
  expect(stage.broken, `${label}: rules broken`).toEqual([]);
  expect([...stage.things], `${label}: left running`).toEqual([]);
  expect(run.sleeping, `${label}: left ticking`).toBe(0);
  expect(tornDown.times, `${label}: tear-downs`).toBeLessThanOrEqual(1);
  if (end.kind === "error") {
    expect(end.error, label).toBeInstanceOf(CanaryError);
    expect(stage.store.published, `${label}: published although there is no answer`).toEqual([]);
  } else {
    expect(stage.store.published, label).toEqual([end.report]);
    expectTimes(run, label);
    if (end.report.verdict.kind === "promote") expectEarned(run, label);
    // Who is held is told what this run could have shown, whatever it is held for.
    if (end.report.verdict.kind === "hold") expect(end.report.power ?? [], `${label}: power`).not.toEqual([]);
  }
  expectStopRecorded(run, label);
  if (mayUndo(run)) {
    expect(tornDown.shadowRestored, `${label}: torn down before it was undone`).toBe(true);
    expect(withoutUndo(stage.store.intents), `${label}: acted and never undone`).toEqual([]);
  }
}

/** A run that was stopped says how it was undone, once; no other run does. */
function expectStopRecorded({ stage, end }: SimulatedRun, label: string): void {
  const code = end.kind === "error" && end.error instanceof CanaryError ? end.error.code : undefined;
  const isStopped = code === "ABORTED_BY_HUMAN" || code === "DEADLINE_EXCEEDED";
  const isFull = stage.faults.some((fault) => fault.kind === "disk-full" && fault.writing === "report");
  expect(stage.store.aborts.length, `${label}: aborts`).toBe(isStopped && !isFull ? 1 : 0);
}

/** Every instant of a report lies within the run, whatever the wall clock did. */
function expectTimes({ end, tookMs }: SimulatedRun, label: string): void {
  if (end.kind === "error") return;
  const { timeline, actions, measuringShare } = end.report;
  const instantsMs = [...timeline.map((entry) => entry.atMs), ...actions.map((action) => action.startedMs)];
  const outside = instantsMs.filter((atMs) => !(Math.abs(atMs) <= tookMs));
  expect(outside, `${label}: instants outside the run`).toEqual([]);
  expect(measuringShare, label).toBeGreaterThanOrEqual(0);
  expect(measuringShare, label).toBeLessThanOrEqual(1);
}

/** How a run ended, in one word: its verdict, or the code of its error. */
export function endOf({ end }: SimulatedRun): string {
  if (end.kind === "report") return end.report.verdict.kind;
  return end.error instanceof CanaryError ? end.error.code : String(end.error);
}

/** What the run told people beside its phases, in order. */
export function notesOf(run: SimulatedRun): readonly string[] {
  return run.events.flatMap((event) => (event.kind === "note" ? [event.message] : []));
}

/** A promotion in a world that gave reason for none is the one thing that must never happen. */
function expectEarned({ stage, end }: SimulatedRun, label: string): void {
  const spoiling = stage.faults.filter((fault) => !HARMLESS_FAULTS.has(fault.kind) && !mayComeTooLate(fault));
  expect(spoiling, `${label}: promoted`).toEqual([]);
  if (end.kind === "error") return;
  const { quiet, rollback, slos } = end.report;
  expect(quiet.residue, label).toEqual([]);
  expect(quiet.failed, label).toBeUndefined();
  expect(quiet.actions.length, label).toBeGreaterThan(0);
  expect(rollback, label).toMatchObject({ kind: "run", residue: [], notRecovered: [] });
  expect(
    slos.map((slo) => slo.state),
    label,
  ).toEqual(slos.map(() => "pass"));
}

/** A plain end of everything: after the last thing that matters it does not matter. */
function mayComeTooLate(fault: Fault): boolean {
  switch (fault.kind) {
    case "aborted":
    case "engine-dies":
      return mayBeLate(fault.when);
    case "driver-dies":
      return mayBeLate(fault.when) || isBeforeTraffic(fault.when);
    case "disk-full":
      return fault.writing === "intent" && fault.from >= INTENTS_THAT_MATTER;
    default:
      return false;
  }
}

/** The start of the run, then act, landed, undo and undone in both proofs, for a plan of one action. */
const INTENTS_THAT_MATTER = 9;

function mayBeLate(moment: Moment): boolean {
  if (moment.kind === "phase") return ["barrier", "judge", "publish", "tear-down"].includes(moment.phase);
  return moment.kind === "call" ? moment.number > 100 : moment.atMs > 60_000;
}

/** There is no driver yet that could die. */
function isBeforeTraffic(moment: Moment): boolean {
  return moment.kind === "phase" && ["admit", "raise", "quiet-proof"].includes(moment.phase);
}

/** Whether nothing outside the run's power kept it from undoing what it did. */
function mayUndo({ stage, tornDown }: SimulatedRun): boolean {
  const undoFails = (["undo-does-not-land", "undo-leaves-residue", "undo-hangs", "twins-differ"] as const).some(
    (kind) => stage.fault(kind) !== undefined,
  );
  const noLog = stage.faults.some((fault) => fault.kind === "disk-full" && fault.writing === "intent");
  return tornDown.times === 1 && !stage.engineGone && !undoFails && !noLog;
}

/** Actions that were begun and not undone afterwards; one that never landed may have had nothing to undo. */
function withoutUndo(intents: readonly Intent[]): readonly string[] {
  return intents.flatMap((intent, at) => {
    if (intent.kind !== "act") return [];
    const later = intents.slice(at + 1);
    const came = later.some(
      (other) => "actionId" in other && other.actionId === intent.actionId && other.kind === "undone",
    );
    const landed = later.some((other) => other.kind === "landed" && other.actionId === intent.actionId && other.landed);
    return came || !landed ? [] : [intent.actionId];
  });
}
