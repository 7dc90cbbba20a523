import type { Difference } from "../mirror/fingerprint.ts";
import type { QuietProof, RollbackProof } from "../replay/proof/proofs.ts";
import type { WriteProvenance } from "../replay/proof/write-provenance.ts";
import { quietReasons, rollbackReasons } from "./proof-reasons.ts";
import { type RareRoutes, rareText } from "./rare-routes.ts";
import { lossWords, type RestoreLimits } from "./restore-reasons.ts";
import { caughtSentence, type SensitivityProof, sensitivityReasons } from "./sensitivity.ts";
import type { Reason, ReasonCode, SloJudgement, Verdict } from "./verdict.ts";
import { writeReasons, writtenSentence } from "./write-reasons.ts";

/** Everything a verdict rests on. What is absent was not shown, and what was not shown is not promoted. */
export interface Evidence {
  /** Of the final look; every SLO of the scenario. */
  readonly slos: readonly SloJudgement[];
  /** Holds found elsewhere: `environmentGates`, `plannedPower`, a human who must look. */
  readonly gates: readonly Reason[];
  /** Undefined when the run ended before it. */
  readonly quiet: QuietProof | undefined;
  readonly rollback: RollbackProof;
  /** Longest stretch for which the plan stayed applied: what takes longer to show was not rehearsed. */
  readonly longestInForceSeconds?: number;
  /**
   * Rejections found elsewhere: `workShrank`, `budgetReasons`, the harm alarm, changed answers, broken invariants and
   * safeguards.
   */
  readonly against: readonly Reason[];
  /** Actions that did not land under load, and triggers that were breached. */
  readonly replayFailures: readonly { readonly actionId: string; readonly message: string }[];
  readonly triggers: readonly { readonly name: string; readonly message: string }[];
  /** Effective trust tier of the plan. */
  readonly tier: number;
  readonly snapshotVerified: boolean;
  /** What the operator lets a restore lose where it takes the place of an undo; absent: none does. */
  readonly restoreMayLose?: RestoreLimits;
  /** Patterns of places that the operator accepts unseen; none where absent. */
  readonly acceptUnseen?: readonly string[];
  /** Effects that only a stub saw and that the operator's policy does not accept. */
  readonly stubOnlyEffects: readonly string[];
  /** What differed at the last barrier as the plan declares, in data that traffic writes; none where absent. */
  readonly consequences?: readonly Difference[];
  /** Present when harm of known size was planted to see whether it would be noticed. */
  readonly sensitivity?: SensitivityProof;
  /** Routes that were not shown by themselves; absent where every one was. */
  readonly rare?: RareRoutes;
  /** Who wrote what under load; absent where no SQL acted. */
  readonly writes?: WriteProvenance;
}

/** Most important first; what stands earlier explains what stands later. */
export const REASON_ORDER: readonly ReasonCode[] = [
  "UNDO_NOT_PROVEN",
  "UNDECLARED_EFFECT",
  "ABSENT_EFFECT",
  "RESPONSE_CHANGED",
  "INVARIANT_BROKEN",
  "SAFEGUARD_BROKEN",
  "ACTION_FAILED",
  "TRIGGER_BREACHED",
  "HARM_ALARM",
  "WORK_SHRANK",
  "SLO_OUTSIDE_RANGE",
  "EXCESS_ERRORS",
  "EXCESS_STALLS",
  "RESTORE_LOSES_WRITES",
  "NOT_RECOVERED",
  "UNDO_TOO_SLOW",
  "OBJECTIVE_NOT_MET",
  "NO_OP",
  "NO_DATA",
  "UNDERPOWERED",
  "ASYMMETRIC_LOSS",
  "TWINS_DIFFER",
  "ENVIRONMENT_UNSTABLE",
  "CONTROL_DISTURBED",
  "BIAS_UNCALIBRATED",
  "REQUESTED_NOT_PROVEN",
  "SNAPSHOT_MISSING",
  "HUMAN_NEEDED",
  "WRITES_NOT_ATTRIBUTED",
  "SENSITIVITY_NOT_SHOWN",
  "ALL_SHOWN",
];

/**
 * The verdict: any evidence against rejects; anything missing holds; promote is what remains, and only when every
 * proof was run and every SLO was inside its range at the same look (DESIGN.md 3, precedence).
 */
export function decide(evidence: Evidence): Verdict {
  const { restoreMayLose: accepted, acceptUnseen, rollback: underLoad } = evidence;
  const instead = { accepted, acceptUnseen, rollback: underLoad };
  const quiet = quietReasons(evidence.quiet, instead);
  const rollback = rollbackReasons(evidence.rollback, evidence.restoreMayLose);
  const writes = writeReasons(evidence.writes);
  const [worst, ...others] = ranked([
    ...quiet.against,
    ...rollback.against,
    ...writes.against,
    ...rejections(evidence),
  ]);
  const explained = [...quiet.missing, ...writes.missing, ...holds(evidence)];
  const doubts = explained.length === 0 && evidence.slos.length === 0 ? [NOTHING_JUDGED] : explained;
  // A rollback that was not run under load is the consequence of whatever ended the run before it; it stands alone
  // only when nothing else explains it.
  const missing = ranked(worst === undefined && doubts.length === 0 ? rollback.missing : doubts);
  if (worst !== undefined) return { kind: "reject", reasons: [worst, ...others, ...missing] };
  const [first, ...rest] = missing;
  if (first !== undefined) return { kind: "hold", reasons: [first, ...rest] };
  const { longestInForceSeconds: seconds } = evidence;
  const stretch = seconds === undefined ? "" : ` with the plan in force for ${Math.floor(seconds)} s at a stretch`;
  const shown =
    evidence.slos.length === 1
      ? `The SLO lay inside its range${stretch}`
      : `All ${evidence.slos.length} SLOs lay inside their ranges at once${stretch}`;
  const message =
    `${shown}, every effect was declared, and the state was proven to come back, quietly and under load` +
    `${butFor(evidence.consequences ?? [])}; no lasting harm to the SLOs was seen after the undo.`;
  const caught = evidence.sensitivity === undefined ? undefined : caughtSentence(evidence.sensitivity);
  const rare = evidence.rare === undefined ? undefined : rareText(evidence.rare);
  const more = [writtenSentence(evidence.writes), caught, wayBack(evidence), rare].filter(
    (sentence) => sentence !== undefined,
  );
  return { kind: "promote", reasons: [{ code: "ALL_SHOWN", message }, ...more.map(allShown)] };
}

/** What a declaration excused is not proven to come back, so the sentence must not say so. */
function butFor(consequences: readonly Difference[]): string {
  const declared = consequences.filter(({ path }) => !path.startsWith("log/"));
  if (declared.length === 0) return "";
  const named = declared.slice(0, CONSEQUENCES_NAMED_MAX).map(({ path }) => path);
  const more = declared.length > named.length ? ` and ${declared.length - named.length} more` : "";
  return ` but for declared consequences in ${named.join(", ")}${more}`;
}

const CONSEQUENCES_NAMED_MAX = 3;

function allShown(message: string): Reason {
  return { code: "ALL_SHOWN", message };
}

/** Which way back was proven where there was a snapshot, and what a restore loses. */
function wayBack({ rollback, snapshotVerified }: Evidence): string | undefined {
  if (rollback.kind !== "run" || !snapshotVerified) return undefined;
  if (rollback.restored !== undefined) {
    const lost = lossWords(rollback.restored.losses);
    return `Proven was a restore of the snapshot, not the plan's own undo, which failed; it took back ${lost} that others had written since.`;
  }
  const lost =
    rollback.wouldLose === undefined
      ? ""
      : `, which would have taken back ${lossWords(rollback.wouldLose)} that others had written since`;
  return `Proven was the plan's own undo; the verified snapshot was not needed${lost}.`;
}

const NOTHING_JUDGED: Reason = {
  code: "NO_DATA",
  message: "No SLO was judged, so nothing is known of what the plan costs.",
};

/** Order of caution, for laws: promote 0 < hold 1 < reject 2. */
export function cautionRank(verdict: Verdict): number {
  return { promote: 0, hold: 1, reject: 2 }[verdict.kind];
}

function rejections(evidence: Evidence): readonly Reason[] {
  return [
    ...evidence.slos.filter((slo) => slo.state === "fail").map((slo) => sloReason(slo, "SLO_OUTSIDE_RANGE")),
    ...evidence.against,
    ...evidence.replayFailures.map(({ actionId, message }): Reason => {
      return { code: "ACTION_FAILED", subject: actionId, message: `Action ${actionId} failed under load: ${message}` };
    }),
    ...evidence.triggers.map(({ name, message }): Reason => {
      return { code: "TRIGGER_BREACHED", subject: name, message: `Trigger ${name} was breached: ${message}.` };
    }),
  ];
}

function holds(evidence: Evidence): readonly Reason[] {
  const { slos, tier, snapshotVerified, stubOnlyEffects } = evidence;
  const unsettled = [
    ...slos.filter((slo) => slo.state === "open").map((slo) => sloReason(slo, "UNDERPOWERED")),
    ...slos.filter((slo) => slo.state === "no-data").map((slo) => sloReason(slo, "NO_DATA")),
  ];
  // Where the forecast already says of an SLO why it can not be decided, its empty interval adds nothing.
  const isForecast = ({ code, subject }: Reason): boolean =>
    evidence.gates.some((gate) => gate.code === code && gate.subject === subject && subject !== undefined);
  const unseen = evidence.sensitivity === undefined ? [] : sensitivityReasons(evidence.sensitivity);
  const reasons: Reason[] = [
    ...forecastOnce(evidence.gates),
    ...unsettled.filter((reason) => !isForecast(reason)),
    ...unseen,
  ];
  if (tier >= 3 && !snapshotVerified) {
    const message = `A tier ${tier} plan needs a snapshot that was restored and compared; there is none.`;
    reasons.push({ code: "SNAPSHOT_MISSING", message });
  }
  if (tier >= 4) {
    const message = "A tier 4 plan is executed by a human; a rehearsal can not promote it.";
    reasons.push({ code: "HUMAN_NEEDED", message });
  }
  for (const effect of stubOnlyEffects) {
    const message = `${effect} was only asked of a stub: requested, not proven.`;
    reasons.push({ code: "REQUESTED_NOT_PROVEN", subject: effect, message });
  }
  return reasons;
}

/**
 * One forecast for each SLO. The sample rules come before the baseline, and are the stricter of the two: they put an SLO out
 * of reach whatever its noise.
 */
function forecastOnce(gates: readonly Reason[]): readonly Reason[] {
  return gates.filter(({ code, subject }, i) => {
    if (code !== "UNDERPOWERED" || subject === undefined) return true;
    return gates.findIndex((other) => other.code === code && other.subject === subject) === i;
  });
}

function sloReason(slo: SloJudgement, code: ReasonCode): Reason {
  return slo.because ?? { code, subject: slo.name, message: `${slo.name}: ${slo.note}` };
}

/** Sorted by importance, each sentence once. */
function ranked(reasons: readonly Reason[]): readonly Reason[] {
  const once = reasons.filter((reason, i) => reasons.findIndex((other) => other.message === reason.message) === i);
  return once.toSorted((a, b) => REASON_ORDER.indexOf(a.code) - REASON_ORDER.indexOf(b.code));
}
