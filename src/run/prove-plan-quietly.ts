import type { Fingerprint } from "../mirror/fingerprint.ts";
import type { Role, TwinPair } from "../mirror/twin.ts";
import type { Admission } from "../policy/admit.ts";
import { leavesNoTrace } from "../policy/traceless.ts";
import type { QuietProof } from "../replay/proof/proofs.ts";
import { proveQuietly, type QuietResult } from "../replay/proof/quiet-proof.ts";
import { powerBefore } from "./forecast-power.ts";
import { performance } from "./plan-phases.ts";
import { type Restarts, restartedWords } from "./restarts.ts";
import type { RunEffects } from "./run-effects.ts";
import type { RunJob } from "./run-job.ts";
import type { RunLog } from "./run-log.ts";
import type { RunSnapshots } from "./run-snapshots.ts";

/** Performs the plan on the quiet shadow and undoes it, with everything that a run adds to the proof itself. */
export async function provePlanQuietly(options: {
  readonly job: RunJob;
  readonly admission: Admission;
  readonly pair: TwinPair;
  readonly effects: RunEffects;
  readonly log: RunLog;
  readonly reference: Readonly<Record<Role, Fingerprint>>;
  readonly restarts: Restarts;
  readonly snapshots?: RunSnapshots;
  readonly signal: AbortSignal;
}): Promise<QuietResult> {
  const { job, admission, pair, effects, log, reference, restarts, snapshots, signal } = options;
  log.phase("quiet-proof");
  await restarts.remember(signal);
  return await proveQuietly({
    ...performance({ proof: "quiet", job, pair, effects, log }),
    plan: job.plan,
    pair,
    state: effects.state,
    baseline: reference.shadow,
    controlBaseline: reference.control,
    allowedChanges: job.scenario.mayChange,
    onStopped: log.stopped,
    ...(snapshots === undefined ? {} : { snapshot: snapshots.shadow }),
    dryRuns: new Map(admission.actions.map(({ id, step }) => [id, step.dryRun])),
    traceless: tracelessActions(job, admission),
    onActed: async () => {
      const fresh = await restarts.witness(signal);
      if (fresh.length === 0) return;
      log.note(restartedWords(fresh));
      log.power(powerBefore({ ...job, restarted: restarts.services() }));
    },
    signal,
  });
}

/** Actions that have nothing to show in the state, by what policy read in their words. */
function tracelessActions({ plan }: RunJob, { actions }: Admission): ReadonlySet<string> {
  const deeds = new Map(actions.map(({ id, step }) => [id, step.deed]));
  return new Set(
    plan.actions
      .filter(({ id, step }) => {
        const deed = deeds.get(id);
        return deed !== undefined && leavesNoTrace(step, deed);
      })
      .map(({ id }) => id),
  );
}

/**
 * What the quiet twin already shows to be wrong needs no load; minutes of traffic would not change the answer. An undo that
 * fails is wrong, unless the operator accepts a restore in its place and that brought everything back.
 */
export function settledByQuietProof(quiet: QuietProof, { scenario }: RunJob): boolean {
  const { failed, residue, restored } = quiet;
  const accepted = scenario.rollback.restoreMayLose !== undefined;
  const broughtBack = accepted && restored?.residue.length === 0 && restored.failed === undefined;
  return (
    (failed !== undefined && failed.during !== "undo") ||
    (!broughtBack && (failed !== undefined || residue.length > 0)) ||
    quiet.actions.some(
      ({ undeclared, absent, noOp, withoutEffect }) =>
        undeclared.length > 0 || absent.length > 0 || noOp || withoutEffect === "at-all",
    )
  );
}
