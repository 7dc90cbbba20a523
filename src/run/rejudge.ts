import type { Keyring } from "../attest/keyring.ts";
import { decide } from "../judge/decide.ts";
import { type Explanation, explain } from "../judge/explain.ts";
import { lateOf } from "../judge/explain-time.ts";
import { environmentGates } from "../judge/gates.ts";
import type { HarmAlarm } from "../judge/harm-alarm.ts";
import { playedDesign } from "../judge/judge-limits.ts";
import { judgeRounds } from "../judge/judge-rounds.ts";
import { judgeSlos, type LookInput } from "../judge/judge-slos.ts";
import type { PowerForecast } from "../judge/power-forecast.ts";
import type { ResponseJudgement } from "../judge/response-changes.ts";
import type { Reason, SloJudgement, Verdict } from "../judge/verdict.ts";
import type { WatchRecords } from "../judge/watch/watch-records.ts";
import { untoldConsequences } from "../judge/write-reasons.ts";
import { calibrationInUse } from "./calibration-in-use.ts";
import { callsJudged } from "./call-evidence.ts";
import { acceptedTerms, hopelessFromTheStart, judgedSlos } from "./evidence.ts";
import { powerAgain } from "./forecast-power.ts";
import { longestInForce } from "./in-force.ts";
import { type ChangedTerm, changedScenario, changedTerms, type JudgeChanges, phasesUnder } from "./judge-changes.ts";
import { type OpenedRun, openStoredRun } from "./open-stored-run.ts";
import { baselineOf, windowsBeforeThePlan } from "./phase-windows.ts";
import { sensitivityAgain } from "./rejudge-sensitivity.ts";
import { resolvedSlos } from "./resolved-slos.ts";
import { againstByResponses, missingInResponses, responsesJudged } from "./response-evidence.ts";
import { replacesProcesses } from "./restarts.ts";
import { observedWindow, plannedDesign } from "./round-evidence.ts";
import { readSeal, type Seal } from "./stored-seal.ts";
import { budgetsSpent, rareLossesOf, rareRoutesOf, workReasons } from "./work-evidence.ts";

/** What the stored measurements of a run say when they are judged again. */
export interface Rejudged {
  readonly planName: string;
  readonly verdict: Verdict;
  readonly slos: readonly SloJudgement[];
  readonly explanation: Explanation;
  /** What a run of these terms could be expected to show, from the baseline where there was one. */
  readonly power: readonly PowerForecast[];
  /** What the sampled answers say; absent where none were compared. */
  readonly responses?: ResponseJudgement;
}

/** A run judged again under other terms, beside what it answered itself. */
export interface WhatIf extends Rejudged {
  /** Whether the files are those that the run's verdict was signed over, and who signed it. */
  readonly seal: Seal;
  readonly changes: readonly ChangedTerm[];
  /** What the same judge says under the run's own terms: the rest of the difference from `stored` is the judge's rules. */
  readonly ownTerms: Pick<Rejudged, "verdict" | "slos">;
  readonly stored: Pick<OpenedRun["stored"], "verdict" | "slos">;
}

/**
 * Doubts of the same kind: what only a stub saw, what was not performed under load, and a human whom the policy of then
 * asked for; policy is not asked again, since the one in use today may be another.
 */
const WITNESSED_DOUBTS: ReadonlySet<string> = new Set(["REQUESTED_NOT_PROVEN", "NO_OP", "HUMAN_NEEDED"]);
/** Reasons that were seen while the twins lived and cannot be measured again; they stand as they were. */
const WITNESSED: ReadonlySet<string> = new Set([
  "INVARIANT_BROKEN",
  "ACTION_FAILED",
  "TRIGGER_BREACHED",
  "SAFEGUARD_BROKEN",
  "OBJECTIVE_NOT_MET",
]);

/**
 * Judges a stored run again, as it was or under other terms: SLOs, gates and budgets from its recording; effects and
 * rollback as they were witnessed. Nothing is signed.
 * @param trusted - public keys that the signature of the run's verdict is checked with; with none it stays unchecked
 * @throws CanaryError RECORDING_INVALID when the folder is no finished run, a file is damaged or not what was signed; USAGE
 *   for changes that can not be read or do not fit the run
 */
export async function rejudge(
  runDir: string,
  changes: JudgeChanges = { set: [], slo: [] },
  trusted: Keyring = { keys: [] },
): Promise<WhatIf> {
  const run = await openStoredRun(runDir);
  const seal = await readSeal(runDir, trusted);
  const scenario = changedScenario(run, changes);
  const phases = phasesUnder(run.stored.traffic.phases, run.scenario.judge, scenario.judge);
  const terms = changedTerms(run.scenario, scenario);
  const unchanged = judgeRecording({ ...run, phases: run.stored.traffic.phases, alarm: witnessedAlarm(run) });
  return {
    ...(terms.length === 0 ? unchanged : judgeRecording({ ...run, scenario, phases, alarm: undefined })),
    seal,
    changes: terms,
    ownTerms: { verdict: unchanged.verdict, slos: unchanged.slos },
    stored: { verdict: run.stored.verdict, slos: run.stored.slos },
  };
}

interface Recording extends OpenedRun {
  readonly phases: OpenedRun["stored"]["traffic"]["phases"];
  /** The alarm that stopped the run, if one did; it saw requests that never came back, which no recording holds. */
  readonly alarm: HarmAlarm | undefined;
}

/** An alarm in a report has stopped the run only where the timeline says so; else it was found in the recording. */
function witnessedAlarm({ stored }: OpenedRun): HarmAlarm | undefined {
  return stored.timeline.some((entry) => entry.kind === "alarm") ? stored.alarm : undefined;
}

function judgeRecording(run: Recording): Rejudged {
  const { scenario, plan, stored, store, phases, alarm } = run;
  const watched = watchedAgain(run);
  const slos = judgeAgain(run);
  const witnessed = stored.verdict.reasons.filter(({ code }) => WITNESSED.has(code));
  const planted = sensitivityAgain(stored.sensitivity, lookOf(run));
  const acted = phases.acting !== undefined;
  const verdict = decide({
    // A plan that never acted under load has no SLOs after it, whatever its baseline shows.
    slos: acted ? judgedSlos({ slos, watched, ...(alarm === undefined ? {} : { alarm }) }) : [],
    gates: gatesAgain(run, slos),
    quiet: stored.quiet,
    rollback: stored.rollback,
    ...longestInForce(sessionOf(run)),
    against: [
      ...witnessed,
      ...(slos.length === 0 ? [] : workReasons({ scenario, plan }, sessionOf(run), alarm)),
      ...againstByResponses(run, sessionOf(run)),
      ...callsJudged(run, stored).against,
    ],
    replayFailures: [],
    triggers: [],
    tier: stored.plan.tier.effective,
    snapshotVerified: stored.snapshot !== undefined,
    ...acceptedTerms({ scenario }),
    stubOnlyEffects: [],
    ...rareRoutesOf(run, sessionOf(run)),
    consequences: stored.consequences,
    ...(planted === undefined ? {} : { sensitivity: planted }),
    ...(stored.writes === undefined ? {} : { writes: stored.writes }),
  });
  const responses = responsesJudged(run, sessionOf(run));
  const answers = responses === undefined ? {} : { responses };
  const cores = stored.mirror.facts.cores.kind;
  const explanation = explain({
    verdict,
    slos,
    phases,
    cores,
    limits: scenario.judge,
    late: lateOf(store, phases, stored.traffic.rounds),
    during: budgetsSpent({ scenario, plan }, sessionOf(run)),
    ...rareRoutesOf(run, sessionOf(run)),
    ...(stored.traffic.rounds === undefined ? {} : { rounds: stored.traffic.rounds.length }),
    ...answers,
    ...(run.profile === undefined ? {} : { profile: run.profile.profile }),
  });
  return { planName: plan.name, verdict, slos, explanation, power: powerAgain(run), ...answers };
}

/** What a guard stopped was not observed, and cannot be again; what it saw stands in the reasons. */
function watchedAgain({ stored }: OpenedRun): WatchRecords {
  const { stoppedBy } = stored;
  return { triggers: [], safeguards: [], ...(stoppedBy === undefined ? {} : { stoppedBy }) };
}

/** A run without judged SLOs never acted under load; another look at its recording does not change that. */
function judgeAgain(run: Recording): readonly SloJudgement[] {
  if (run.stored.slos.length === 0) return [];
  const { rounds } = run.stored.traffic;
  const { design } = run.scenario.judge;
  const look = lookOf(run);
  return rounds === undefined || design.kind !== "switchback"
    ? judgeSlos(look)
    : judgeRounds({ ...look, rounds, design: playedDesign(design, look.limits, look.restarted) });
}

function sessionOf({ store, phases, stored, responses }: Recording): Parameters<typeof workReasons>[1] {
  const { rounds } = stored.traffic;
  return {
    store,
    phases,
    ...(rounds === undefined ? {} : { rounds }),
    ...(responses === undefined ? {} : { responses }),
  };
}

function lookOf(run: Recording): LookInput {
  const { scenario, plan, store, phases } = run;
  const before = windowsBeforeThePlan(run);
  return {
    store,
    slos: resolvedSlos({ scenario, plan }),
    limits: scenario.judge,
    restarted: replacesProcesses(run),
    ...calibrationInUse(run),
    windows: { ...before, after: phases.observing ?? before.after },
  };
}

function gatesAgain(run: Recording, judged: readonly SloJudgement[]): readonly Reason[] {
  const { scenario, plan, stored, store, phases } = run;
  const known: readonly Reason[] = [
    ...hopelessFromTheStart(run),
    ...stored.verdict.reasons.filter(({ code }) => WITNESSED_DOUBTS.has(code)),
  ];
  if (judged.length === 0) return known;
  const { acting, recovery } = phases;
  const baseline = baselineOf(run);
  // What was cut short was not observed.
  const isWhole = run.alarm === undefined && stored.stoppedBy === undefined;
  const observing = isWhole ? observedWindow(sessionOf(run)) : undefined;
  const { rounds } = stored.traffic;
  const look = { store, slos: resolvedSlos({ scenario, plan }), limits: scenario.judge };
  const { ratePerSecond } = scenario.traffic;
  const restarted = replacesProcesses(run);
  const windows = {
    baseline,
    ...(observing === undefined ? {} : { after: observing }),
    ...(recovery === undefined ? {} : { recovery }),
  };
  return [
    ...known,
    ...(acting === undefined
      ? plannedDesign({ ...look, ...calibrationInUse(run), restarted, baseline, ratePerSecond })
      : []),
    ...missingInResponses(run, sessionOf(run)),
    ...untoldConsequences(plan.actions, stored.consequences),
    ...callsJudged(run, stored).missing,
    ...rareLossesOf(run, sessionOf(run)),
    ...environmentGates({
      ...look,
      restarted,
      ...calibrationInUse(run),
      cores: stored.mirror.facts.cores.kind,
      windows,
      ...(rounds === undefined ? {} : { rounds }),
    }),
  ];
}
