import path from "node:path";
import type { MintToken } from "../core/action-token.ts";
import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import { type IntentLog, inBoth } from "../core/intent-log.ts";
import type { StateAccess } from "../mirror/state/state-access.ts";
import type { KeptRun } from "../mirror/twins/kept-runs.ts";
import { deadRunsToFinish } from "../mirror/twins/kept-runs-of-engine.ts";
import { readOwner } from "../mirror/twins/owner.ts";
import { reattach } from "../mirror/twins/reattach.ts";
import type { StepEvent } from "../replay/proof/perform-action.ts";
import { finishRollback, type ResumedRollback } from "../replay/proof/resume-rollback.ts";
import { openIntentLog, writeWhole } from "./durable-folder.ts";
import { RUN_FILES } from "./file-run-store.ts";
import { leftBehind } from "./left-behind.ts";
import { underResumeLock } from "./resume-lock.ts";

/** How one rollback that a killed harness left unfinished was finished, or why it could not be. */
export type ResumedRun = {
  readonly schema: "canary.rollback-resumed/v1";
  readonly runId: string;
  readonly scenario: string;
  readonly planSha256: string;
  readonly folder: string;
  readonly resumedAt: string;
} & (
  | { readonly kind: "finished"; readonly rollback: ResumedRollback }
  | { readonly kind: "failed"; readonly why: string }
);

/** What finishing needs of the outside world. */
export interface ResumeEffects {
  readonly clock: Clock;
  readonly state: StateAccess;
  readonly ownerPid: number;
  readonly dockerHost?: string;
  /** Takes every intent before the run's journal does: the ledger. */
  readonly ledgerIntents?: (run: { readonly runId: string; readonly planSha256: string }) => IntentLog;
  readonly say: (line: string) => void;
  /** Mints the tokens of requests that undo something. */
  readonly mint?: MintToken;
}

/** A rollback that takes longer than this is not finished any more; its twins are removed as they are. */
const RESUME_TIMEOUT_MS = 5 * 60_000;

/**
 * Finishes the rollback of every dead run whose twins were kept for it: undos from its intent log, last act first, then the
 * state against the one it kept. The result is in `rollback-resumed.json` of its folder; its twins are removed after.
 * @throws signal.reason when aborted; CanaryError MIRROR_UNAVAILABLE when no engine answers
 */
export async function resumeDeadRuns(effects: ResumeEffects, signal: AbortSignal): Promise<readonly ResumedRun[]> {
  const resumed: ResumedRun[] = [];
  const dead = await deadRunsToFinish({
    nowEpochMs: effects.clock.epochMs(),
    ...(effects.dockerHost === undefined ? {} : { dockerHost: effects.dockerHost }),
  });
  const owner = await readOwner(effects.ownerPid);
  for (const run of dead) {
    signal.throwIfAborted();
    const result = await underResumeLock(run.folder, owner, () => resumeOne(run, effects, signal));
    if (result === undefined) continue;
    resumed.push(result);
    await writeWhole(path.join(run.folder, RUN_FILES.resumed), `${JSON.stringify(result, null, 2)}\n`);
  }
  return resumed;
}

/** One line for people. */
export function resumedWords(run: ResumedRun): string {
  const where = path.join(run.folder, RUN_FILES.resumed);
  if (run.kind === "failed") return `the rollback of run ${run.runId} could not be finished: ${run.why} (${where})`;
  const { undone, failed, residue } = run.rollback;
  const what = undone.length === 0 ? "nothing" : undone.join(", ");
  const stuck = failed === undefined ? "" : `; undoing ${failed.actionId} failed: ${failed.message}`;
  const state = residue.length === 0 ? "the state is as before" : `${residue.length} resources are not as before`;
  return `finished the rollback of run ${run.runId}, whose harness was killed: undid ${what}${stuck}; ${state} (${where})`;
}

async function resumeOne(run: KeptRun, effects: ResumeEffects, signal: AbortSignal): Promise<ResumedRun> {
  const { clock, ownerPid, dockerHost } = effects;
  const { runId, scenario, planSha256 } = run.unfinished;
  const about = { schema: "canary.rollback-resumed/v1", runId, scenario, planSha256, folder: run.folder } as const;
  effects.say(`finishing the rollback of run ${runId}, whose harness was killed`);
  const box = AbortSignal.any([signal, AbortSignal.timeout(RESUME_TIMEOUT_MS)]);
  try {
    await using pair = await reattach({
      folder: run.folder,
      clock,
      ownerPid,
      signal: box,
      ...(dockerHost === undefined ? {} : { dockerHost }),
    });
    await using journal = await openIntentLog(path.join(run.folder, RUN_FILES.intent), run.intents.length);
    const intent = inBoth(effects.ledgerIntents?.(run.unfinished), journal);
    const left = await leftBehind(run, intent);
    const onStep = ({ actionId, state, message }: StepEvent): void => effects.say(`  ${actionId} ${state}: ${message}`);
    const rollback = await finishRollback(left, { pair, state: effects.state, clock, mint: effects.mint, onStep }, box);
    return { ...about, resumedAt: new Date(clock.epochMs()).toISOString(), kind: "finished", rollback };
  } catch (error) {
    signal.throwIfAborted();
    const why = messageOf(error);
    return { ...about, resumedAt: new Date(clock.epochMs()).toISOString(), kind: "failed", why };
  }
}
