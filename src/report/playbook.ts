import type { Playbook } from "../core/escalation-queue.ts";
import { undoWords } from "./policy-words.ts";
import type { RunReport } from "./run-report.ts";
import { sloWords } from "./slo-words.ts";
import { adviceFor, reasonSentence } from "./verdict-words.ts";
import { wayBackSentences } from "./way-back-words.ts";

function sloSentence(slo: RunReport["slos"][number]): string {
  const { name, stateWord, measured, interval, accepted } = sloWords(slo);
  return `${name}: ${stateWord}; ${measured} (${interval}), accepted ${accepted}`;
}

/** Where nobody says who decides. */
const QUEUE = "operators";

/**
 * The queue of those who decide about a run: the one that its scenario names, else the one in which its policy asks for a human.
 * @param named - `escalation.queue` of the scenario
 */
export function queueOf({ policyDecision }: Pick<RunReport, "policyDecision">, named: string | undefined): string {
  return named ?? policyDecision?.obligations.escalations[0]?.queue ?? QUEUE;
}

/**
 * The playbook of a run that a person has to decide: what, why, the way back, the evidence and what was seen. Made of the report, so
 * that nothing is in it that the report does not show.
 */
export function playbookOf(
  report: RunReport,
  about: { readonly id: string; readonly queue: string; readonly at: string; readonly folder: string },
): Playbook {
  const { plan, verdict, policy = [] } = report;
  return {
    schema: "canary.playbook/v1",
    id: about.id,
    queue: about.queue,
    at: about.at,
    because: verdict.reasons.map((reason) => ({ code: reason.code, message: reasonSentence(reason) })),
    plan: {
      name: plan.name,
      sha256: plan.sha256,
      agent: `${plan.agent.id} ${plan.agent.version}`,
      environment: report.environment.id,
      intent: plan.intent,
      confidence: plan.confidence,
      tier: plan.tier.effective,
    },
    actions: plan.actions.map(({ id, what, why }) => {
      const assessed = policy.find((one) => one.id === id);
      return {
        id,
        what,
        why,
        does: assessed?.step.because ?? "(not assessed)",
        rollback: assessed === undefined ? "(not assessed)" : undoWords(assessed.undo),
      };
    }),
    evidence: plan.evidence,
    diagnostics: [
      ...report.slos.map(sloSentence),
      ...wayBackSentences(report),
      ...report.mirror.fidelity.map((missing) => `The mirror does not show: ${missing}.`),
    ],
    remedies: adviceFor(verdict),
    run: { runId: report.runId, folder: about.folder },
  };
}
