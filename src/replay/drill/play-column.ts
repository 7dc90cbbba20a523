import type { Intent, IntentLog } from "../../core/intent-log.ts";
import { invariant } from "../../core/invariant.ts";
import type { Difference } from "../../mirror/fingerprint.ts";
import type { Action } from "../../plan/plan.ts";
import type { Fault } from "../faults/fault-spec.ts";
import type { Measured } from "../faults/fault-tools.ts";
import { strikeFault } from "../faults/strike-fault.ts";
import { performAction } from "../proof/perform-action.ts";
import { finishRollback, type LeftBehind, type ResumedRollback } from "../proof/resume-rollback.ts";
import type { DrillCell } from "./drill-columns.ts";
import { guardTwin } from "./guard-twin.ts";
import {
  act,
  type Disturbed,
  disturbed,
  goBack,
  goBackUndisturbed,
  goBackWithin,
  interrupt,
  type Play,
  PrefixFailed,
  performanceOf,
  settle,
} from "./play.ts";
import { playDryRuns } from "./play-dry-runs.ts";
import { whatChanged } from "./what-changed.ts";

/** What a fault's cell measured of the fault. */
export interface FaultSeen {
  readonly landed: Measured;
  readonly lifted: Measured;
}

/** The harness waits so long for an agent that says nothing more; a cell need not wait as long as a run would. */
const AGENT_SILENCE_MS = 500;
/** A fault without an action is in force for so long. */
const ALONE_MS = 500;

/** Plays a cell up to and including its undo; whether that restored everything is asked afterwards. */
export async function playColumn(play: Play, cell: DrillCell, signal: AbortSignal): Promise<FaultSeen | undefined> {
  try {
    return await playWay(play, cell, signal);
  } catch (thrown) {
    if (!(thrown instanceof PrefixFailed)) throw thrown;
    play.broken = thrown.message;
    await goBack(play, "failure", signal);
    return undefined;
  }
}

async function playWay(play: Play, cell: DrillCell, signal: AbortSignal): Promise<FaultSeen | undefined> {
  const actions = play.stage.plan.actions.slice(0, cell.prefix);
  const last = actions.at(-1);
  const { column } = cell;
  if (column.kind === "fault") return await playFault(play, { actions, fault: column.fault }, signal);
  if (last === undefined) return void (await goBack(play, "abort", signal));
  switch (column.kind) {
    case "abort":
      await act(play, actions, signal);
      return void (await goBackUndisturbed(play, "abort", signal));
    case "dry-run":
      return void (await playDryRuns(play, actions, signal));
    case "undo":
      await act(play, actions, signal);
      return void (await goBackUndisturbed(play, "planned", signal));
    case "fails":
      await act(play, actions, signal);
      return void (await goBackUndisturbed(play, "failure", signal));
    case "mid-action":
    case "agent-dies":
      return void (await playInterrupted(play, actions, signal));
    case "twice":
      return void (await playTwice(play, { actions, last }, signal));
    case "agent-waits":
      await act(play, actions, signal);
      await play.stage.clock.sleep(AGENT_SILENCE_MS, signal);
      return void (await goBackUndisturbed(play, "abort", signal));
    case "harness-dies":
      return void (await playHarnessDies(play, actions, signal));
  }
}

async function playInterrupted(play: Play, actions: readonly Action[], signal: AbortSignal): Promise<void> {
  const went = await actInterrupted(play, actions, signal);
  // What has failed before it could be stopped is a failure, also for a run.
  const failed = went.kind === "ended" && !went.result.landed;
  await goBack(play, failed ? "failure" : "abort", signal);
}

/** Performs a prefix whose last action is stopped in its middle. */
async function actInterrupted(play: Play, actions: readonly Action[], signal: AbortSignal): Promise<Disturbed> {
  await act(play, actions.slice(0, -1), signal);
  const last = actions.at(-1);
  invariant(last !== undefined, "only something that has begun can be interrupted");
  const went = await interrupt(play, last, signal);
  tellDisturbed(play, last, went);
  if (went.kind === "ended") play.broken = `${last.id} was over before it could be stopped`;
  return went;
}

/** Repeating may be refused or do nothing; what it must not do is change something more. The same holds for the undo. */
async function playTwice(
  play: Play,
  { actions, last }: { readonly actions: readonly Action[]; readonly last: Action },
  signal: AbortSignal,
): Promise<void> {
  await act(play, actions, signal);
  const once = await play.stage.state.fingerprint(play.stage.pair.shadow, play.stage.pair.spec.state, { signal });
  const again = await performAction(last, performanceOf(play, signal), signal, () => undefined);
  const changed = await whatChanged(play.stage, once, { rows: "tables", signal });
  const how = again.landed ? "landed" : "was refused";
  if (changed.length > 0)
    play.findings.push(`${last.id} is not idempotent: performed again, it ${how} and changed ${pathsOf(changed)}`);
  else play.notes.push(`performed again, ${last.id} ${how} and changed nothing`);
  await goBackUndisturbed(play, "planned", signal);
  const undone = await play.stage.state.fingerprint(play.stage.pair.shadow, play.stage.pair.spec.state, { signal });
  await goBack(play, "planned", signal);
  const more = await whatChanged(play.stage, undone, { rows: "tables", signal });
  if (more.length > 0) play.findings.push(`the undo is not idempotent: performed again, it changed ${pathsOf(more)}`);
}

/** The process ends here; nothing that it would have done after this happens. */
class HarnessDied extends Error {
  override readonly name = "HarnessDied";
}

/**
 * Two deaths: one inside the last action, one between the first undo and its record. Each time the next harness finds what
 * is on disk, takes hold of the twins, and finishes, all by the code of a real one.
 */
async function playHarnessDies(play: Play, actions: readonly Action[], signal: AbortSignal): Promise<void> {
  await actInterrupted(play, actions, signal);
  // What the engine was asked to do goes on without the one who asked.
  await settle(play, signal);
  const left = await play.stage.nextHarness(signal);
  if (left === undefined) return void play.notes.push("the log named nothing to undo");
  const dying: LeftBehind = { ...left, intent: { record: (entry) => recordUnlessUndone(left.intent, entry) } };
  await finish(play, dying, signal).catch((thrown: unknown) => {
    if (!(thrown instanceof HarnessDied)) throw thrown;
  });
  const again = await play.stage.nextHarness(signal);
  const count = again?.unfinished.undo.length ?? 0;
  play.notes.push(`after the second death the log named ${count} of ${actions.length} actions to undo`);
  if (again === undefined) return;
  const { undone, failed, undoMs, residue } = await finish(play, again, signal);
  play.undoMs += undoMs;
  play.wayBack = { why: "resumed", how: "undos" };
  const state = residue.length === 0 ? "as before" : `not as before in ${residue.length} places`;
  play.notes.push(`the third harness undid ${undone.join(", ") || "nothing"} and found the state ${state}`);
  if (failed !== undefined) play.notes.push(`the undo of ${failed.actionId} did not land: ${failed.message}`);
}

async function recordUnlessUndone(log: IntentLog, entry: Intent): Promise<void> {
  if (entry.kind === "undone") throw new HarnessDied("between an undo and its record");
  await log.record(entry);
}

async function finish(play: Play, left: LeftBehind, signal: AbortSignal): Promise<ResumedRollback> {
  const { pair, state, clock, mint, onStep } = play.stage;
  const shadow = guardTwin(pair.shadow, { signal, inFlight: play.inFlight });
  return await finishRollback(left, { pair: { ...pair, shadow }, state, clock, mint, onStep }, signal);
}

async function playFault(
  play: Play,
  { actions, fault }: { readonly actions: readonly Action[]; readonly fault: Fault },
  signal: AbortSignal,
): Promise<FaultSeen> {
  const { stage } = play;
  await act(play, actions.slice(0, -1), signal);
  const { faults, pair, clock } = stage;
  const struck = await strikeFault(fault, { faults, shadow: pair.shadow, spec: pair.spec, clock }, signal);
  try {
    if (struck.landed.holds) await actUnderFault(play, actions.at(-1), signal);
  } catch (thrown) {
    // The next cell must not inherit it. A person's abort removes the whole twin.
    if (!signal.aborted) await struck.lift(signal);
    throw thrown;
  }
  const landed = await struck.met(signal);
  const lifted = await struck.lift(signal);
  await goBack(play, "failure", signal);
  return { landed, lifted };
}

async function actUnderFault(play: Play, last: Action | undefined, signal: AbortSignal): Promise<void> {
  const { clock, spec } = play.stage;
  const holdMs = spec.holdSeconds * 1000;
  if (last === undefined) return await clock.sleep(ALONE_MS, signal);
  const went = await disturbed(play, last, { stop: new AbortController(), signal, afterMs: holdMs });
  tellDisturbed(play, last, went);
  // What hung under the fault would hang again.
  if (went.kind === "stopped") return void play.notes.push("the undo waited for the fault to be lifted");
  await settle(play, signal);
  const landed = await goBackWithin(play, "failure", { withinMs: holdMs, signal });
  play.notes.push(landed ? "undone while the fault was in force" : "not to be undone before the fault was lifted");
}

function tellDisturbed(play: Play, action: Action, went: Disturbed): void {
  const wholeMs = play.stage.learnedMs.get(action.id);
  if (went.kind === "stopped") {
    const of = wholeMs === undefined || wholeMs < went.afterMs ? "" : ` of about ${Math.round(wholeMs)} ms`;
    play.notes.push(`${action.id} was stopped ${Math.round(went.afterMs)} ms after it had begun${of}`);
  } else if (went.kind === "ended") {
    play.notes.push(
      `${action.id} ${went.result.landed ? "landed all the same" : `did not land: ${went.result.message}`}`,
    );
  }
}

function pathsOf(differences: readonly Difference[]): string {
  const shown = differences.slice(0, 3).map(({ path }) => path);
  const more = differences.length - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
