import { abortCauseOf } from "../core/abort-cause.ts";
import { CanaryError, messageOf } from "../core/errors.ts";
import type { AbortProof, AbortRecord } from "../report/abort-record.ts";
import type { RunEffects } from "./run-effects.ts";
import type { RunJob } from "./run-job.ts";
import type { RunLog } from "./run-log.ts";

/**
 * Writes and tells how a run that a person or its deadline stopped was undone. A run that ended by an error, or before
 * anything could be done, is not stopped; trouble with the disk is told and hides nothing.
 */
export async function recordStop(options: {
  readonly job: RunJob;
  readonly effects: Pick<RunEffects, "store" | "observe">;
  readonly log: RunLog;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { job, effects, log, signal } = options;
  const by = signal.aborted ? abortCauseOf(signal.reason) : undefined;
  const mark = log.stopMark();
  if (by === undefined || mark === undefined) return;
  const record: AbortRecord = {
    schema: "canary.abort/v1",
    runId: job.runId,
    scenario: job.scenario.name,
    plan: { name: job.plan.name, sha256: job.plan.sha256 },
    by,
    abortedEpochMs: mark.atEpochMs,
    phase: mark.phase,
    exitCode: signal.reason instanceof CanaryError ? signal.reason.exitCode : 21,
    ...(log.stopProof() ?? NOTHING_DONE),
  };
  try {
    effects.observe({ kind: "aborted", record, file: await effects.store.saveAbort(record) });
  } catch (error) {
    log.note(`how the run was undone could not be written: ${messageOf(error)}`);
  }
}

const NOTHING_DONE: AbortProof = {
  proof: "none",
  begun: [],
  state: { kind: "untouched" },
  recovery: { kind: "not-measured", why: "nothing was done under load" },
};
