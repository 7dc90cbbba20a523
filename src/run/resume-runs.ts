import { open, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { CanaryError, messageOf } from "../core/errors.ts";
import { type IntentLog, inBoth } from "../core/intent-log.ts";
import type { StateAccess } from "../mirror/state/state-access.ts";
import type { KeptRun } from "../mirror/twins/kept-runs.ts";
import { deadRunsToFinish } from "../mirror/twins/kept-runs-of-engine.ts";
import { reattach } from "../mirror/twins/reattach.ts";
import type { Performance } from "../replay/proof/perform-action.ts";
import { type ResumedRollback, type ResumeState, resumeRollback } from "../replay/proof/resume-rollback.ts";
import { openIntentLog, RUN_FILES, writeWhole } from "./file-run-store.ts";

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
  for (const run of dead) {
    signal.throwIfAborted();
    const result = await underLock(run.folder, () => resumeOne(run, effects, signal));
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
    const kept = await readResumeState(run.folder);
    await using journal = await openIntentLog(path.join(run.folder, RUN_FILES.intent), run.intents.length);
    const intent = inBoth(effects.ledgerIntents?.(run.unfinished), journal);
    const to = performanceFor(run, pair.shadow, { intent, clock, say: effects.say });
    const rollback = await resumeRollback({ unfinished: run.unfinished, pair, to, state: effects.state, kept }, box);
    await intent.record({ kind: "end", outcome: "rollback-resumed" });
    return { ...about, resumedAt: new Date(clock.epochMs()).toISOString(), kind: "finished", rollback };
  } catch (error) {
    signal.throwIfAborted();
    const why = messageOf(error);
    return { ...about, resumedAt: new Date(clock.epochMs()).toISOString(), kind: "failed", why };
  }
}

function performanceFor(
  run: KeptRun,
  shadow: Performance["shadow"],
  by: Pick<Performance, "intent" | "clock"> & Pick<ResumeEffects, "say">,
): Performance {
  return {
    proof: run.unfinished.proof,
    shadow,
    intent: by.intent,
    clock: by.clock,
    axisMs: () => 0,
    baseDir: run.folder,
    onStep: ({ actionId, state, message }) => by.say(`  ${actionId} ${state}: ${message}`),
    onRecord: () => undefined,
  };
}

/** Our own file: only its outline is checked, because everything in it is compared and nothing of it is carried out. */
const ResumeStateSchema = z.looseObject({
  reference: z.looseObject({ resources: z.looseObject({}), tables: z.looseObject({}), keys: z.looseObject({}) }),
  consequences: z.array(z.string()),
  directEffects: z.array(z.string()),
});

async function readResumeState(folder: string): Promise<ResumeState> {
  const file = path.join(folder, RUN_FILES.reference);
  const value: unknown = JSON.parse(await readFile(file, "utf8"));
  if (isResumeState(value)) return value;
  throw new CanaryError({
    code: "REPLAY_FAILED",
    message: `${file} does not hold the state before the plan`,
    hint: "The state after the rollback can not be compared.",
  });
}

function isResumeState(value: unknown): value is ResumeState {
  return ResumeStateSchema.safeParse(value).success;
}

/** Two commands that start at once must not undo at once; a lock whose holder died is taken over. */
async function underLock<T>(folder: string, work: () => Promise<T>): Promise<T | undefined> {
  const file = path.join(folder, "resume.lock");
  const handle = await open(file, "wx").catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    await handle.close();
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}
