import type { Evidence } from "../judge/decide.ts";
import { duration } from "../judge/forecast.ts";
import { environmentGates } from "../judge/gates.ts";
import { hopelessRounds } from "../judge/planned-rounds.ts";
import { sampleRules } from "../judge/sample-rules.ts";
import type { Reason } from "../judge/verdict.ts";
import { breachedTriggers, safeguardReasons } from "../judge/watch/watch-records.ts";
import { untoldConsequences } from "../judge/write-reasons.ts";
import type { TwinPair } from "../mirror/twin.ts";
import type { Admission } from "../policy/admit.ts";
import type { QuietProof } from "../replay/proof/proofs.ts";
import type { Window } from "../replay/recording.ts";
import { calibrationInUse } from "./calibration-in-use.ts";
import { callsJudged } from "./call-evidence.ts";
import { hopelessByProfile, rateOf } from "./forecast-power.ts";
import { longestInForce } from "./in-force.ts";
import type { LoadEvidence } from "./load-evidence.ts";
import { resolvedSlos } from "./resolved-slos.ts";
import { againstByResponses, missingInResponses, unshownByAnswers } from "./response-evidence.ts";
import { replacesProcesses } from "./restarts.ts";
import { observedWindow } from "./round-evidence.ts";
import type { RunJob } from "./run-job.ts";
import type { RunSnapshots } from "./run-snapshots.ts";
import { rareLossesOf, rareRoutesOf, workReasons } from "./work-evidence.ts";

/**
 * SLOs that the fixed sample rules alone put out of reach at this rate, whatever the noise, or whose calibrated bias is
 * larger than their margin: known before any traffic, so nobody has to wait for it.
 */
export function hopelessFromTheStart(job: Parameters<typeof hopelessByProfile>[0]): readonly Reason[] {
  const { judge: limits, traffic } = job.scenario;
  const { profile } = calibrationInUse(job);
  const byRules = resolvedSlos(job).flatMap((resolved): readonly Reason[] => {
    const { name, measure } = resolved.slo;
    const ratePerSecond = rateOf(measure, traffic);
    const { design } = limits;
    if (design.kind === "switchback") return hopelessRounds(resolved, ratePerSecond, { design, limits });
    const calibration = profile?.slos[name];
    const asked = { limits, ratePerSecond, ...(calibration === undefined ? {} : { calibration }) };
    const { outOfReach } = sampleRules(resolved, asked);
    if (outOfReach === undefined) return [];
    const rate = Number(ratePerSecond.toPrecision(3));
    const message =
      `${name} can not be decided in this run: at ${rate} requests a second ${outOfReach} ` +
      `(${duration(limits.baselineSecondsMax)} before and ${duration(limits.observeSecondsMax)} after the plan are allowed).`;
    return [{ code: "UNDERPOWERED", subject: name, message }];
  });
  // The rounds of a switchback need no profile: a bias that a restart draws anew is drawn again in each of them.
  return byRules.length > 0 || limits.design.kind === "switchback" ? byRules : hopelessByProfile(job);
}

/** All that the judge decides from; what a phase did not reach is missing here, and what is missing never helps. */
export function evidenceOf(options: {
  readonly job: RunJob;
  readonly admission: Extract<Admission, { kind: "admitted" }>;
  readonly pair: TwinPair;
  readonly quiet: QuietProof;
  /** What was known before any traffic to be out of reach (`hopelessFromTheStart`). */
  readonly hopeless: readonly Reason[];
  readonly load: Omit<LoadEvidence, "driver"> | undefined;
  /** Absent where this run takes none. */
  readonly snapshots?: RunSnapshots;
  /** What the plan asked of stubs on the quiet twin (`requestedOfStubs`). */
  readonly stubOnlyEffects: readonly string[];
}): Evidence {
  const { job, admission, pair, quiet, load, stubOnlyEffects } = options;
  const human = admission.humanNeeded.map(
    (message): Reason => ({ code: "HUMAN_NEEDED", message: `A human must agree: ${message}.` }),
  );
  return {
    // A plan that never acted under load has no SLOs after it; why it did not act is what there is to say.
    slos: load?.session.phases.acting === undefined ? [] : judgedSlos(load),
    gates: [
      ...human,
      ...options.hopeless,
      ...(load === undefined
        ? []
        : [
            ...load.underpowered,
            ...notPerformed(load),
            ...gatesOf(job, pair, load),
            ...rareLossesOf(job, load.session),
            ...missingInResponses(job, load.session),
            ...unshownByAnswers(job, quiet, load.session),
            ...untoldConsequences(job.plan.actions, load.consequences),
            ...callsJudged(job, load).missing,
          ]),
    ],
    quiet,
    rollback: load?.rollback ?? { kind: "not-run", why: "the quiet proof settled the answer" },
    ...(load === undefined ? {} : longestInForce(load.session)),
    against:
      load === undefined
        ? []
        : [
            ...load.brokenInvariants,
            ...brokenSafeguards(load),
            ...workReasons(job, load.session, load.alarm),
            ...againstByResponses(job, load.session),
            ...callsJudged(job, load).against,
          ],
    replayFailures: replayFailures(load),
    triggers: load?.watched === undefined ? [] : breachedTriggers(load.watched, endedEarly(load)),
    tier: admission.tier.effective,
    // One that does not verify has ended the run already.
    snapshotVerified: options.snapshots !== undefined,
    ...acceptedTerms(job),
    stubOnlyEffects,
    ...(load === undefined ? {} : rareRoutesOf(job, load.session)),
    ...(load === undefined ? {} : { consequences: load.consequences }),
    ...(load?.sensitivity === undefined ? {} : { sensitivity: load.sensitivity }),
    ...(load?.writes === undefined ? {} : { writes: load.writes }),
  };
}

/** An alarm or a guard ends the run before its SLOs are decided: that they are not is no further doubt. */
export function judgedSlos(load: Pick<LoadEvidence, "alarm" | "slos" | "watched">): LoadEvidence["slos"] {
  return wasStopped(load) ? load.slos.filter((slo) => slo.state === "fail") : load.slos;
}

function wasStopped({ alarm, watched }: Pick<LoadEvidence, "alarm" | "watched">): boolean {
  return alarm !== undefined || watched?.stoppedBy !== undefined;
}

/** What was never checked is broken, unless the plan ended before its time came. */
function brokenSafeguards(load: Omit<LoadEvidence, "driver">): readonly Reason[] {
  if (load.watched === undefined) return [];
  return safeguardReasons(load.watched, endedEarly(load));
}

/** Whether the plan ended before everything that watches it had its time. */
function endedEarly({ alarm, replay }: Pick<LoadEvidence, "alarm" | "replay">): boolean {
  return alarm !== undefined || replay?.end.kind !== "done";
}

/** What the operator accepts, as the judge asks for it: what a restore may lose, and places that nobody could look at. */
export function acceptedTerms({
  scenario,
}: Pick<RunJob, "scenario">): Pick<Evidence, "restoreMayLose" | "acceptUnseen"> {
  const { restoreMayLose } = scenario.rollback;
  return { acceptUnseen: scenario.acceptUnseen, ...(restoreMayLose === undefined ? {} : { restoreMayLose }) };
}

/** An action that was at its target already under load did nothing there: neither its cost nor its undo was rehearsed. */
function notPerformed({ replay }: Pick<LoadEvidence, "replay">): readonly Reason[] {
  return (replay?.noOps ?? []).map((actionId): Reason => {
    const message = `Action ${actionId} found its target already as it wants it under load, so what it costs was not rehearsed.`;
    return { code: "NO_OP", subject: actionId, message };
  });
}

function gatesOf(
  job: RunJob,
  pair: TwinPair,
  load: Pick<LoadEvidence, "session" | "alarm" | "watched">,
): readonly Reason[] {
  const { baseline, recovery } = load.session.phases;
  // What was cut short was not observed: that little was seen of it is no doubt about the environment.
  const observing = wasStopped(load) ? undefined : observedWindow(load.session);
  const { rounds = [] } = load.session;
  return environmentGates({
    store: load.session.store,
    slos: resolvedSlos(job),
    limits: job.scenario.judge,
    restarted: replacesProcesses(job),
    ...calibrationInUse(job),
    cores: pair.facts.cores.kind,
    windows: {
      baseline: baseline ?? EMPTY,
      ...(observing === undefined ? {} : { after: observing }),
      ...(recovery === undefined ? {} : { recovery }),
    },
    ...(rounds.length === 0 ? {} : { rounds }),
  });
}

function replayFailures(load: Pick<LoadEvidence, "replay"> | undefined): Evidence["replayFailures"] {
  const end = load?.replay?.end;
  return end?.kind === "failed" ? [{ actionId: end.actionId, message: end.message }] : [];
}

const EMPTY: Window = { fromMs: 0, toMs: 0 };
