import { isOfMissingRounds } from "../judge/missing-rounds.ts";
import type { Reason, ReasonCode, Verdict } from "../judge/verdict.ts";

/** What each answer means, for someone who has never seen one. */
export const VERDICT_WORDS: Readonly<
  Record<Verdict["kind"], { readonly title: string; readonly meaning: string; readonly mark: string }>
> = {
  promote: {
    title: "PROMOTE",
    meaning: "Everything that was promised was shown, and the plan was undone again.",
    mark: "✓",
  },
  hold: {
    title: "HOLD",
    meaning: "Not enough evidence, neither for nor against. The plan may not go ahead on this run.",
    mark: "‖",
  },
  reject: { title: "REJECT", meaning: "There is evidence against the plan. It must not go ahead.", mark: "✗" },
};

/** What a person does about a reason; one sentence each. */
const ADVICE: Readonly<Record<ReasonCode, string>> = {
  HARM_ALARM:
    "The plan did gross harm within seconds and was stopped: look at the moment in the report's timeline, and make the change gentler.",
  SLO_OUTSIDE_RANGE: "Change the plan so that it keeps the limit, or correct what it promises, and rehearse again.",
  EXCESS_ERRORS: "Make the change gentler (smaller steps, longer pauses) so that fewer requests fail while it acts.",
  EXCESS_STALLS: "Make the change gentler (smaller steps, longer pauses) so that fewer requests wait while it acts.",
  INVARIANT_BROKEN: "Find which action broke the rule of the system and remove or repair it.",
  UNDECLARED_EFFECT:
    "Declare the effect under its changes if it is meant, or remove what causes it (even a health check that writes).",
  RESPONSE_CHANGED:
    "Declare what the plan changes in answers (`response/<route>/…` in its changes) and have the operator allow it, or remove what causes it.",
  ABSENT_EFFECT: "The action did not do what it says: repair the action or correct `changes`.",
  UNDO_NOT_PROVEN: "Repair the rollback until it leaves no difference; see the list of what was left.",
  UNDO_TOO_SLOW: "Make the rollback faster, or promise a time that it can keep.",
  WORK_SHRANK: "Find out why less work was served; fewer requests must never look like an improvement.",
  ACTION_FAILED: "Read the action's output in the report and repair the action.",
  TRIGGER_BREACHED: "A safety trigger stopped the plan; look at the moment it fired in the report's timeline.",
  SAFEGUARD_BROKEN:
    "Something that must hold did not: see when in the report, and change the plan so that it keeps it.",
  OBJECTIVE_NOT_MET: "The plan did not reach what it is for; find out why before it is tried on anything real.",
  NOT_RECOVERED: "After the undo the service stayed worse; find what the rollback does not put back.",
  RESTORE_LOSES_WRITES:
    "Repair the plan's own undo; a restore loses what others write meanwhile, unless the scenario accepts that (`restoreMayLose`).",
  UNDERPOWERED:
    "Run longer or with more traffic, or ask for a wider margin; where that would take too long, noise is what limits: use a quieter machine.",
  NO_OP: "The target was already reached before the plan ran; there is nothing to rehearse.",
  NO_DATA:
    "If the run got as far as traffic, check that it reaches the route and that the metric exists; no data never passes.",
  ASYMMETRIC_LOSS: "One twin lost measurements the other kept; look at its logs and run again.",
  TWINS_DIFFER: "The twins were not equal before the plan; see what differs and run again.",
  ENVIRONMENT_UNSTABLE: "The machine was too restless to measure; run again on a quieter one.",
  BIAS_UNCALIBRATED: "Learn how much a restart alone moves a twin: canary calibrate <scenario>, then run again.",
  CONTROL_DISTURBED: "The plan slowed the untouched twin too; give each twin its own cores and run again.",
  REQUESTED_NOT_PROVEN:
    "Only a stub saw this effect; the operator's policy must accept that stub or mirror the real thing.",
  SNAPSHOT_MISSING: "This run has no verified snapshot, which its tier needs: rehearse the plan again.",
  HUMAN_NEEDED: "A person has to look at this plan before it may go ahead; it is in the named queue.",
  SENSITIVITY_NOT_SHOWN:
    "The judge was blind to a harm of known size: look at what was planted in the report before trusting this scenario.",
  WRITES_NOT_ATTRIBUTED:
    "Let the harness set the database's `wal_level`, give it a user that may make roles and read the log, and run SQL that neither ends transactions nor writes unlogged tables.",
  ALL_SHOWN: "Hand the signed verdict to the gate before it expires.",
};

/** Reasons that only say "this was not reached" where a run is held before it. */
const ADVICE_WHEN_HELD: Readonly<Partial<Record<ReasonCode, string>>> = {
  UNDO_NOT_PROVEN: "Remove the other reasons first; the undo is tried in a run that gets that far.",
};

const ADVICE_ON_MISSING_ROUNDS =
  "Where the load generator was late, lower the rate or use a quieter machine; where requests or readings are missing, make the rounds' `secondsOn` and `secondsOff` longer; then run again.";

/** Advice for the reasons of a verdict, without repetitions, in their order. */
export function adviceFor(verdict: Verdict): readonly string[] {
  const special = verdict.kind === "hold" ? ADVICE_WHEN_HELD : {};
  const advice = (reason: Reason): string =>
    isOfMissingRounds(reason) ? ADVICE_ON_MISSING_ROUNDS : (special[reason.code] ?? ADVICE[reason.code]);
  return [...new Set(verdict.reasons.map(advice))];
}

/** The reason as a sentence that names its subject once. */
export function reasonSentence(reason: Reason): string {
  const { subject, message } = reason;
  return subject === undefined || message.includes(subject) ? message : `${subject}: ${message}`;
}

/** File name of the signed verdict beside the reports. */
export const BUNDLE_FILE = "verdict.sigstore.json";

/** The command that checks the signed verdict in a report directory. */
export function verifyCommand(reportDir: string): string {
  return `canary verdict verify ${reportDir.replace(/\/$/, "")}/${BUNDLE_FILE}`;
}
