import { CanaryError, messageOf } from "../core/errors.ts";
import { decide } from "../judge/decide.ts";
import type { Fingerprint } from "../mirror/fingerprint.ts";
import { coarseDifference } from "../mirror/state/difference.ts";
import type { Role, TwinPair } from "../mirror/twin.ts";
import { type Admission, admit } from "../policy/admit.ts";
import type { QuietProof } from "../replay/proof/proofs.ts";
import { proveQuietly } from "../replay/proof/quiet-proof.ts";
import type { RunReport } from "../report/run-report.ts";
import { buildReport } from "./build-report.ts";
import { evidenceOf, hopelessFromTheStart } from "./evidence.ts";
import { powerBefore } from "./forecast-power.ts";
import type { LoadContext } from "./load-context.ts";
import type { LoadEvidence } from "./load-evidence.ts";
import { frozenFingerprints } from "./load-session.ts";
import { performance } from "./plan-phases.ts";
import { rehearseUnderLoad } from "./rehearse-under-load.ts";
import { plannedRestarts, type Restarts, restartedWords, watchRestarts } from "./restarts.ts";
import type { RunEffects } from "./run-effects.ts";
import type { RunJob } from "./run-job.ts";
import { type RunLog, startRunLog } from "./run-log.ts";
import { SensitivitySchema } from "./scenario.ts";
import { requestedOfStubs, stubCallsSoFar } from "./stub-effects.ts";

/**
 * Rehearses one plan: admit, raise, prove quietly, rehearse under load, judge, publish, tear down (DESIGN.md 3).
 * The answer is in the report; an error means there is no answer, and nothing was published.
 * @throws CanaryError POLICY_REFUSED | MIRROR_UNAVAILABLE | REPLAY_FAILED | DRIVER_BOTTLENECK | ABORTED_BY_HUMAN | DEADLINE_EXCEEDED
 */
export async function runCanary(job: RunJob, effects: RunEffects, signal: AbortSignal): Promise<RunReport> {
  const log = startRunLog(effects.clock, effects.observe);
  const admission = admitOrThrow(job, log);
  log.power(powerBefore(job));
  await effects.store.intent.record({
    kind: "run",
    runId: job.runId,
    planSha256: job.plan.sha256,
    scenario: job.scenario.name,
  });
  log.phase("raise");
  const pair = await effects.runtime.raise({
    spec: job.spec,
    runId: job.runId,
    isolation: job.scenario.isolation,
    cores: job.scenario.cores,
    onProgress: (step) => log.note(step),
    signal,
  });
  await using _removal = removalOf(pair, log);
  const reference = await equalOrThrow({ pair, effects, signal });
  const heard = stubCallsSoFar(pair);
  const restarts = watchRestarts(pair.shadow, plannedRestarts(job.plan));
  const quiet = await provePlanQuietly({ job, pair, effects, log, reference, restarts, signal });
  const stubOnlyEffects = requestedOfStubs(pair, heard);
  const asSeen = (): RunJob => ({ ...job, restarted: restarts.services() });
  const evidence = (load: Omit<LoadEvidence, "driver"> | undefined) => {
    const seen = asSeen();
    return evidenceOf({
      job: seen,
      admission,
      pair,
      quiet,
      hopeless: hopelessFromTheStart(seen),
      load,
      stubOnlyEffects,
    });
  };
  const hopeless = hopelessFromTheStart(asSeen());
  if (hopeless.length > 0) log.note("this rate can not decide every SLO in the time allowed; no traffic is sent");
  const load =
    settledByQuietProof(quiet) || hopeless.length > 0
      ? undefined
      : await rehearseUnderLoad({
          job: asSeen(),
          pair,
          effects,
          log,
          reference,
          quiet,
          restarts,
          ...sensitivityOf(job, (seen) => decide(evidence(seen)).kind === "promote"),
          signal,
        });

  log.phase("judge");
  const verdict = decide(evidence(load));
  const report = buildReport({ job: asSeen(), admission, pair, log, quiet, load, verdict, effects });
  log.phase("publish");
  signal.throwIfAborted();
  const reportDir = await effects.store.publish(report);
  log.tell({ kind: "verdict", verdict, reportDir });
  // The answer is out; a log that misses its last line must not take it back.
  await effects.store.intent
    .record({ kind: "end", outcome: verdict.kind })
    .catch((error: unknown) => log.note(`the end of the run could not be recorded: ${messageOf(error)}`));
  log.phase("tear-down");
  return report;
}

/**
 * Removes the twins, whatever went before. Trouble in it is told and no more: it must neither hide why the run ended nor
 * take back an answer that is out already.
 */
function removalOf(pair: TwinPair, log: RunLog): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      try {
        await pair[Symbol.asyncDispose]();
      } catch (error) {
        log.note(`the twins could not be removed, the next start removes what is left: ${messageOf(error)}`);
      }
    },
  };
}

/** Whether harm is to be planted before the verdict is signed: asked for by the operator's scenario or on the command line. */
function sensitivityOf(
  { scenario, proveSensitivity }: RunJob,
  wouldPromote: NonNullable<LoadContext["sensitivity"]>["wouldPromote"],
): Pick<LoadContext, "sensitivity"> {
  const asked = scenario.sensitivity ?? (proveSensitivity === true ? SensitivitySchema.parse({}) : undefined);
  return asked === undefined ? {} : { sensitivity: { ...asked, wouldPromote } };
}

function admitOrThrow(job: RunJob, log: RunLog): Extract<Admission, { kind: "admitted" }> {
  log.phase("admit");
  const admission = admit(job.plan, job.scenario);
  if (admission.kind === "admitted") return admission;
  throw new CanaryError({
    code: "POLICY_REFUSED",
    message: `policy refuses plan ${job.plan.name} (tier ${admission.tier.effective}) before anything is raised`,
    hint: admission.problems.map((problem) => `- ${problem}`).join("\n"),
  });
}

/** Twins that are not equal before anything happened cannot show what a plan changed. */
async function equalOrThrow(options: {
  readonly pair: TwinPair;
  readonly effects: Pick<RunEffects, "state">;
  readonly signal: AbortSignal;
}): Promise<Readonly<Record<Role, Fingerprint>>> {
  const fingerprints = await frozenFingerprints(options);
  const differences = coarseDifference(fingerprints.control, fingerprints.shadow);
  if (differences.length === 0) return fingerprints;
  throw new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: `the twins are not equal: ${differences.length} resources differ before anything happened`,
    hint: `Make the mirror's seed deterministic. First differences:\n${differences
      .slice(0, 10)
      .map(({ path, kind }) => `  ${kind} ${path}`)
      .join("\n")}`,
  });
}

async function provePlanQuietly(options: {
  readonly job: RunJob;
  readonly pair: TwinPair;
  readonly effects: RunEffects;
  readonly log: RunLog;
  readonly reference: Readonly<Record<Role, Fingerprint>>;
  readonly restarts: Restarts;
  readonly signal: AbortSignal;
}): Promise<QuietProof> {
  const { job, pair, effects, log, reference, restarts, signal } = options;
  log.phase("quiet-proof");
  await restarts.remember(signal);
  return await proveQuietly({
    ...performance({ proof: "quiet", job, pair, effects, log }),
    plan: job.plan,
    pair,
    state: effects.state,
    baseline: reference.shadow,
    allowedChanges: job.scenario.mayChange,
    onActed: async () => {
      const fresh = await restarts.witness(signal);
      if (fresh.length === 0) return;
      log.note(restartedWords(fresh));
      log.power(powerBefore({ ...job, restarted: restarts.services() }));
    },
    signal,
  });
}

/** What the quiet twin already shows to be wrong needs no load; minutes of traffic would not change the answer. */
function settledByQuietProof(quiet: QuietProof): boolean {
  return (
    quiet.failed !== undefined ||
    quiet.residue.length > 0 ||
    quiet.actions.some((action) => action.undeclared.length > 0 || action.absent.length > 0 || action.noOp)
  );
}
