import type { CaseResult } from "../../policy/engine/cases.ts";
import type { PolicyExplanation } from "../../policy/engine/explain-decision.ts";
import type { PolicyDecision, PolicyIdentity } from "../../policy/engine/question.ts";
import { plainText } from "../plain-text.ts";

/** What a table of cases showed, for a terminal: every finding, and how many cases there were. */
export function policyTestLines(tested: {
  readonly policy: PolicyIdentity;
  readonly cases: readonly CaseResult[];
}): readonly string[] {
  const bad = tested.cases.filter(({ findings }) => findings.length > 0);
  const lines = [
    policyLine(tested.policy),
    ...bad.flatMap(({ name, findings }) => [`not as expected: ${name}`, ...findings.map((one) => `  - ${one}`)]),
    `${tested.cases.length - bad.length} of ${tested.cases.length} cases are as expected`,
  ];
  return lines.map(harmless);
}

/** Why a policy answers as it does, for a terminal; everything an agent wrote is made harmless. */
export function policyExplainLines(
  explained: PolicyExplanation & { readonly plan: { readonly name: string; readonly sha256: string } },
): readonly string[] {
  const { admission, gate, plan } = explained;
  const { declared, classified, effective } = admission.tier;
  const lines = [
    `plan ${plan.name} (sha256 ${plan.sha256.slice(0, 12)}), tier ${effective}: it declares ${declared}, what it does is ${classified}`,
    policyLine(gate.policy),
    ...admission.actions.map(({ id, step }) => `  ${id} is tier ${step.tier}: ${step.decidedBy}`),
    "",
    "Before a rehearsal",
    ...decisionLines(admission.decision),
    ...(admission.kind === "refused" ? admission.problems.filter(isOfWords(admission)).map((one) => `  - ${one}`) : []),
    "",
    "At the gate",
    ...explained.assuming.map((one) => `  assuming ${one}`),
    ...decisionLines(gate),
    ...obligationLines(gate),
    "",
    "What would change the gate's answer",
    ...explained.wouldChange.map(({ what, takesAway }) => `  - ${what}: takes away ${takesAway.join(", ")}`),
    explained.stands.length === 0
      ? `  ${gate.allow ? "nothing is needed" : "all of it together lets the plan through"}`
      : `  even then refused by ${explained.stands.join(", ")}: the plan or the policy must change`,
  ];
  return lines.map(harmless);
}

/** Objections from the plan's words, which are no rules of the policy. */
function isOfWords({ decision }: PolicyExplanation["admission"]): (problem: string) => boolean {
  return (problem) => !decision.reasons.some(({ message }) => problem.startsWith(message));
}

function policyLine({ name, engine, sha256 }: PolicyIdentity): string {
  return `policy ${name} (${engine}), sha256 ${sha256}`;
}

function decisionLines({ allow, reasons, decidedBy }: PolicyDecision): readonly string[] {
  if (allow) return [`  allowed by ${decidedBy.join(", ")}`];
  return [
    "  refused",
    ...reasons.flatMap(({ rule, message, remedy }) => [`  - ${rule}: ${message}`, `      remedy: ${remedy}`]),
  ];
}

function obligationLines({ obligations }: PolicyDecision): readonly string[] {
  const { approvals, preauthorisedBy, escalations, monitoring } = obligations;
  const needed = (["verdict", "dryRun", "rollback", "snapshot", "window"] as const).filter((name) => obligations[name]);
  return [
    `  needs ${approvals.k} approvals (${approvals.strong} strong)${needed.length === 0 ? "" : `, ${needed.join(", ")}`}`,
    ...(preauthorisedBy === undefined ? [] : [`  authorised beforehand by ${preauthorisedBy}`]),
    ...(monitoring.length === 0 ? [] : [`  meanwhile ${monitoring.join(", ")}`]),
    ...escalations.map(({ queue, why }) => `  a human of ${queue} must look: ${why}`),
  ];
}

function harmless(line: string): string {
  return plainText(line, "keep").replaceAll("\n", " ");
}
