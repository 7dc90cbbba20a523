import type { QuietProof, Reason, RollbackProof, SloJudgement, Verdict } from "../../judge/verdict.ts";
import type { Difference } from "../../mirror/fingerprint.ts";
import { countOf, describeDuration, utcWithoutZone } from "../amounts.ts";
import { duringWords } from "../during-words.ts";
import { describeDifference } from "../effect-words.ts";
import { withPlainText } from "../plain-text.ts";
import type { RunReport } from "../run-report.ts";
import { sloWords } from "../slo-words.ts";
import { reasonSentence, VERDICT_WORDS } from "../verdict-words.ts";
import { failure, notSeen, type Outcome, PASSED, type Suite, type TestCase } from "./junit-case.ts";
import { guardSuite, workSuite } from "./junit-guards.ts";
import { responseSuite } from "./junit-responses.ts";
import { writesSuite } from "./junit-writes.ts";

/** How hold is told to CI servers: as a skipped test, or as a failure under `--strict`. */
export interface JunitOptions {
  readonly holdAs: "skipped" | "failure";
}

const DIFFERENCES_SHOWN_MAX = 50;

/** JUnit XML that Jenkins, GitLab and GitHub readers take (FORMATS.md 11.1): reject fails, hold is skipped. */
export function junitXml(written: RunReport, options: JunitOptions = { holdAs: "skipped" }): string {
  const report = withPlainText(written);
  const suites = [
    verdictSuite(report),
    sloSuite(report),
    ...duringSuite(report),
    ...guardSuite(report),
    ...workSuite(report),
    effectSuite(report),
    ...responseSuite(report),
    ...writesSuite(report),
    rollbackSuite(report),
  ].map((suite) => ({ ...suite, cases: suite.cases.map((test) => strictly(test, options)) }));
  const all = suites.flatMap((suite) => suite.cases);
  const body = suites.map((suite) => suiteXml(suite, report)).join("\n");
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="canary" ${counts(all)}>\n${body}\n</testsuites>\n`;
}

function strictly(test: TestCase, { holdAs }: JunitOptions): TestCase {
  if (test.outcome.kind !== "skipped" || holdAs === "skipped") return test;
  return { ...test, outcome: { ...test.outcome, kind: "failure" } };
}

function verdictSuite({ verdict, startedEpochMs, finishedEpochMs }: RunReport): Suite {
  const seconds = (finishedEpochMs - startedEpochMs) / 1000;
  return { name: "verdict", cases: [{ name: "verdict", seconds, outcome: verdictOutcome(verdict) }] };
}

function verdictOutcome(verdict: Verdict): Outcome {
  if (verdict.kind === "promote") return PASSED;
  const [first] = verdict.reasons;
  const details = verdict.reasons.map((reason: Reason) => `${reason.code}: ${reasonSentence(reason)}`).join("\n");
  const message = `${VERDICT_WORDS[verdict.kind].title}: ${reasonSentence(first)}`;
  return { kind: verdict.kind === "reject" ? "failure" : "skipped", type: first.code, message, details };
}

function sloSuite({ slos, traffic }: RunReport): Suite {
  const window = traffic.phases.observing;
  const seconds = window === undefined ? 0 : (window.toMs - window.fromMs) / 1000;
  return { name: "slo", cases: slos.map((slo) => ({ name: slo.name, seconds, outcome: sloOutcome(slo) })) };
}

function sloOutcome(slo: SloJudgement): Outcome {
  if (slo.state === "pass") return PASSED;
  const words = sloWords(slo);
  const message = `${words.stateWord}: measured ${words.measured} (${words.interval}), accepted ${words.accepted}`;
  const levels = `control ${words.controlLevels}, shadow ${words.shadowLevels}`;
  const details = [message, levels, slo.note].filter((line) => line !== "").join("\n");
  if (slo.state === "fail") return { kind: "failure", type: "SLO_OUTSIDE_RANGE", message, details };
  return { kind: "skipped", type: slo.state === "open" ? "UNDERPOWERED" : "NO_DATA", message, details };
}

/** The seconds in which the plan acted and settled; nothing of a plan that never did under load. */
function duringSuite(report: RunReport): readonly Suite[] {
  const words = duringWords(report);
  if (words === undefined) return [];
  const { alarm, budgets } = words;
  const stopped = alarm === undefined ? PASSED : failure("HARM_ALARM", "gross harm stopped the plan", alarm);
  const spent = budgets.map(({ about, counted, spent: used, allowed, by, kept }): TestCase => {
    const details = `${used} ${counted}, ${allowed} allowed by ${by}`;
    const code = counted === "failed requests" ? "EXCESS_ERRORS" : "EXCESS_STALLS";
    return { name: `${about}: ${counted}`, seconds: 0, outcome: kept ? PASSED : failure(code, "over budget", details) };
  });
  return [
    {
      name: "during",
      cases: [{ name: "harm alarm", seconds: report.alarm?.afterSeconds ?? 0, outcome: stopped }, ...spent],
    },
  ];
}

function effectSuite({ quiet, actions, plan }: RunReport): Suite {
  const seconds = (id: string): number =>
    (actions.find((record) => record.id === id && record.proof === "quiet" && record.phase === "act")?.durationMs ??
      0) / 1000;
  const cases = plan.actions.map(({ id }) => ({ name: id, seconds: seconds(id), outcome: effectOutcome(id, quiet) }));
  return { name: "effects", cases };
}

function effectOutcome(id: string, quiet: QuietProof): Outcome {
  if (quiet.failed?.actionId === id && quiet.failed.during !== "undo") {
    return failure("ACTION_FAILED", "the action failed on the quiet twin", quiet.failed.message);
  }
  const proof = quiet.actions.find((action) => action.id === id);
  if (proof === undefined) return notSeen("the action was not reached on the quiet twin");
  if (proof.undeclared.length > 0) {
    return failure(
      "UNDECLARED_EFFECT",
      `${countOf(proof.undeclared.length, "effect")} not declared`,
      differences(proof.undeclared),
    );
  }
  if (proof.absent.length > 0) {
    return failure(
      "ABSENT_EFFECT",
      `${countOf(proof.absent.length, "declared effect")} did not happen`,
      proof.absent.join("\n"),
    );
  }
  if (!proof.noOp && proof.withoutEffect !== "at-all") return PASSED;
  const message = proof.noOp ? "already at its target before it acted" : "landed, and nothing of what it did was seen";
  return { kind: "skipped", type: "NO_OP", message, details: message };
}

function rollbackSuite({ quiet, rollback, verdict }: RunReport): Suite {
  // A restore that the operator accepts in place of an undo is no failure; the verdict's reasons say whether it is.
  const held = verdict.reasons.some(({ code }) => code === "UNDO_NOT_PROVEN" || code === "RESTORE_LOSES_WRITES");
  return {
    name: "rollback",
    cases: [
      {
        name: "quiet-undo-leaves-nothing",
        seconds: 0,
        outcome: quiet.restored !== undefined && !held ? PASSED : quietUndo(quiet),
      },
      {
        name: "undo-under-load",
        seconds: rollback.kind === "run" ? rollback.undoMs / 1000 : 0,
        outcome: undoUnderLoad(held ? rollback : withoutExcused(rollback)),
      },
    ],
  };
}

function withoutExcused(rollback: RollbackProof): RollbackProof {
  if (rollback.kind === "not-run" || rollback.restored === undefined) return rollback;
  const { failed: _, ...rest } = rollback;
  return rest;
}

function quietUndo({ actions, failed, residue }: QuietProof): Outcome {
  if (failed?.during === "undo") return failure("UNDO_NOT_PROVEN", `undoing ${failed.actionId} failed`, failed.message);
  if (residue.length === 0) return actions.length > 0 ? PASSED : notSeen("no action reached the quiet twin");
  return failure("UNDO_NOT_PROVEN", `${countOf(residue.length, "resource")} not put back`, differences(residue));
}

function undoUnderLoad(rollback: RollbackProof): Outcome {
  if (rollback.kind === "not-run") {
    return { kind: "skipped", type: "UNDO_NOT_PROVEN", message: `not run: ${rollback.why}`, details: rollback.why };
  }
  const { failed, residue, notRecovered, undoMs, withinMs } = rollback;
  if (failed !== undefined) return failure("UNDO_NOT_PROVEN", `undoing ${failed.actionId} failed`, failed.message);
  if (residue.length > 0) {
    return failure("UNDO_NOT_PROVEN", `${countOf(residue.length, "resource")} not put back`, differences(residue));
  }
  if (notRecovered.length > 0) {
    return failure(
      "NOT_RECOVERED",
      `${countOf(notRecovered.length, "SLO")} stayed outside the accepted range`,
      notRecovered.join("\n"),
    );
  }
  if (undoMs <= withinMs) return PASSED;
  const message = `took ${describeDuration(undoMs)}, promised ${describeDuration(withinMs)}`;
  return failure("UNDO_TOO_SLOW", message, message);
}

function differences(list: readonly Difference[]): string {
  const lines = list.slice(0, DIFFERENCES_SHOWN_MAX).map(describeDifference);
  const more = list.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}

function suiteXml(suite: Suite, report: RunReport): string {
  const stamp = `timestamp="${utcWithoutZone(report.startedEpochMs)}" hostname="canary"`;
  const properties = [
    ...(report.profile === undefined
      ? []
      : [["calibration", `${report.profile.name} sha256:${report.profile.sha256}`]]),
    ["plan", `sha256:${report.plan.sha256}`],
    ["run", report.runId],
    ["environment", report.environment.id],
    ["seed", String(report.traffic.seed)],
  ].map(([name, value]) => `      <property name="${name}" value="${escapeXml(value ?? "")}"/>`);
  const cases = unique(suite.cases).map((test) => caseXml(suite.name, test, report.scenario.file));
  return [
    `  <testsuite name="${suite.name}" ${counts(suite.cases)} ${stamp}>`,
    `    <properties>\n${properties.join("\n")}\n    </properties>`,
    ...cases,
    "  </testsuite>",
  ].join("\n");
}

function caseXml(suite: string, { name, seconds, outcome }: TestCase, file: string): string {
  const attributes = `classname="canary.${suite}" name="${escapeXml(name)}" file="${escapeXml(file)}" time="${inSeconds(seconds)}"`;
  if (outcome.kind === "passed") return `    <testcase ${attributes}/>`;
  const { kind, type, message, details } = outcome;
  const typed = kind === "failure" ? ` type="${type}"` : "";
  return [
    `    <testcase ${attributes}>`,
    `      <${kind} message="${escapeXml(message)}"${typed}>${escapeXml(details)}</${kind}>`,
    "    </testcase>",
  ].join("\n");
}

/** GitLab drops a second test of the same name silently, so a repetition gets a number. */
function unique(cases: readonly TestCase[]): readonly TestCase[] {
  return cases.map((test, i) => {
    const earlier = cases.slice(0, i).filter((other) => other.name === test.name).length;
    return earlier === 0 ? test : { ...test, name: `${test.name} (${earlier + 1})` };
  });
}

function counts(cases: readonly TestCase[]): string {
  const count = (kind: Outcome["kind"]): number => cases.filter((test) => test.outcome.kind === kind).length;
  const seconds = cases.reduce((sum, test) => sum + test.seconds, 0);
  return `tests="${cases.length}" failures="${count("failure")}" errors="0" skipped="${count("skipped")}" time="${inSeconds(seconds)}"`;
}

function inSeconds(seconds: number): string {
  return Math.max(0, seconds).toFixed(3);
}

/** Markup of text that is already plain (`withPlainText` leaves nothing that XML 1.0 forbids). */
function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&apos;");
}
