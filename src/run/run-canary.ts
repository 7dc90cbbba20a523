import { abortCauseOf } from "../core/abort-cause.ts";
import { CanaryError, messageOf } from "../core/errors.ts";
import { decide } from "../judge/decide.ts";
import type { Fingerprint } from "../mirror/fingerprint.ts";
import type { Role, TwinPair } from "../mirror/twin.ts";
import { stubCallsSoFar } from "../replay/proof/stub-effects.ts";
import type { RunReport } from "../report/run-report.ts";
import { admitJob } from "./admit-job.ts";
import { buildReport } from "./build-report.ts";
import { evidenceOf, hopelessFromTheStart } from "./evidence.ts";
import { powerBefore } from "./forecast-power.ts";
import { filesOfControl, undosOf } from "./left-behind.ts";
import type { LoadContext } from "./load-context.ts";
import type { LoadEvidence } from "./load-evidence.ts";
import { frozenFingerprints } from "./load-session.ts";
import { provePlanQuietly, settledByQuietProof } from "./prove-plan-quietly.ts";
import { recordStop } from "./record-stop.ts";
import { rehearseUnderLoad } from "./rehearse-under-load.ts";
import { plannedRestarts, watchRestarts } from "./restarts.ts";
import type { RunEffects } from "./run-effects.ts";
import type { RunJob } from "./run-job.ts";
import { type RunLog, startRunLog } from "./run-log.ts";
import { needsSnapshots, takeSnapshots } from "./run-snapshots.ts";
import { SensitivitySchema } from "./scenario.ts";
import { requestedOfStubs } from "./stub-effects.ts";
import { unequalTwins } from "./unequal-twins.ts";
import { watchWrites } from "./write-watch.ts";

/**
 * Rehearses one plan: admit, raise, prove quietly, rehearse under load, judge, publish, tear down (DESIGN.md 3).
 * The answer is in the report; an error means there is no answer, and nothing was published.
 * @throws CanaryError POLICY_REFUSED | MIRROR_UNAVAILABLE | SNAPSHOT_UNVERIFIED | REPLAY_FAILED | DRIVER_BOTTLENECK | ABORTED_BY_HUMAN | DEADLINE_EXCEEDED
 */
export async function runCanary(job: RunJob, effects: RunEffects, signal: AbortSignal): Promise<RunReport> {
  const log = startRunLog(effects.clock, effects.observe);
  const markStop = (): void => log.markStop(abortCauseOf(signal.reason));
  if (signal.aborted) markStop();
  signal.addEventListener("abort", markStop, { once: true });
  try {
    return await rehearseOnce({ job, effects, log, signal });
  } catch (error) {
    await recordStop({ job, effects, log, signal });
    throw error;
  } finally {
    signal.removeEventListener("abort", markStop);
  }
}

async function rehearseOnce({ job, effects, log, signal }: Rehearsing): Promise<RunReport> {
  log.phase("admit");
  const admission = await admitJob(job, effects);
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
    ...(effects.store.folder === undefined ? {} : { folder: effects.store.folder }),
    onProgress: (step) => log.note(step),
    signal,
  });
  await using _removal = removalOf(pair, log);
  // Before anything is frozen: opening it waits for whatever is under way.
  await using quietLog = await watchWrites({ job, twin: pair.shadow, signal });
  const snapshots = needsSnapshots(job, admission.tier.effective)
    ? await takeSnapshots({ job, pair, effects, log, signal })
    : undefined;
  const kept = snapshots === undefined ? {} : { snapshots };
  const reference = await equalOrThrow({ pair, effects, signal });
  await effects.store.keepForResume({
    ...undosOf(job),
    reference: reference.shadow,
    controlReference: filesOfControl(reference.control),
    consequences: [],
    directEffects: [],
  });
  const heard = stubCallsSoFar(pair);
  const restarts = watchRestarts(pair.shadow, plannedRestarts(job.plan));
  await quietLog.renew(signal);
  const { directEffects, ...quiet } = await provePlanQuietly({
    job,
    admission,
    pair,
    effects,
    log,
    reference,
    restarts,
    ...kept,
    signal,
  });
  const quietWrites = await quietLog.read(signal);
  await quietLog[Symbol.asyncDispose]();
  const stubOnlyEffects = requestedOfStubs(pair, heard, job.scenario.acceptStubs);
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
      ...kept,
    });
  };
  const hopeless = hopelessFromTheStart(asSeen());
  if (hopeless.length > 0) log.note("this rate can not decide every SLO in the time allowed; no traffic is sent");
  const load =
    settledByQuietProof(quiet, job) || hopeless.length > 0
      ? undefined
      : await rehearseUnderLoad({
          job: asSeen(),
          pair,
          effects,
          log,
          reference,
          quiet,
          directEffects,
          quietWrites,
          restarts,
          ...kept,
          ...sensitivityOf(job, (seen) => decide(evidence(seen)).kind === "promote"),
          signal,
        });

  log.phase("judge");
  const verdict = decide(evidence(load));
  const report = buildReport({ job: asSeen(), admission, pair, log, quiet, load, verdict, effects, ...kept });
  log.phase("publish");
  signal.throwIfAborted();
  const reportDir = await effects.store.publish(report);
  const { responses } = report;
  log.tell({ kind: "verdict", verdict, reportDir, ...(responses === undefined ? {} : { responses }) });
  // The answer is out; a log that misses its last line must not take it back.
  await effects.store.intent
    .record({ kind: "end", outcome: verdict.kind })
    .catch((error: unknown) => log.note(`the end of the run could not be recorded: ${messageOf(error)}`));
  log.phase("tear-down");
  return report;
}

interface Rehearsing {
  readonly job: RunJob;
  readonly effects: RunEffects;
  readonly log: RunLog;
  readonly signal: AbortSignal;
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

/** Twins that are not equal before anything happened cannot show what a plan changed. */
async function equalOrThrow(options: {
  readonly pair: TwinPair;
  readonly effects: Pick<RunEffects, "state">;
  readonly signal: AbortSignal;
}): Promise<Readonly<Record<Role, Fingerprint>>> {
  const fingerprints = await frozenFingerprints(options);
  const differences = unequalTwins(fingerprints);
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
