import type { ActionAssessment } from "../../policy/assess-plan.ts";
import type { PlanCheck } from "../../policy/check-plan.ts";
import { plainText } from "../plain-text.ts";
import { dryRunWords, targetWords, undoWords } from "../policy-words.ts";

/** What policy says of a plan, for a terminal; everything an agent wrote is made harmless. */
export function planCheckLines({ plan, admission, notes }: PlanCheck): readonly string[] {
  const { declared, classified, effective } = admission.tier;
  const place = plan.target.namespace === undefined ? "" : `, namespace ${plan.target.namespace}`;
  const lines = [
    `plan ${plan.name} of ${plan.agent.id} ${plan.agent.version}, for ${plan.target.environment}${place}`,
    `tier ${effective}: it declares ${declared}, what it does is ${classified}`,
    ...admission.actions.flatMap((action) => [
      "",
      ...actionLines(action, plan.actions.find(({ id }) => id === action.id)?.changes ?? []),
    ]),
    "",
    ...answerLines(admission),
    ...notes.map((note) => `  note: ${note}`),
  ];
  return lines.map((line) => plainText(line, "keep").replaceAll("\n", " "));
}

function actionLines({ id, step, undo }: ActionAssessment, changes: readonly string[]): readonly string[] {
  const row = (name: string, text: string): string => `  ${name.padEnd(9)} ${text}`;
  const named = targetWords(step);
  return [
    `${id}  ${step.uses}  tier ${step.tier} (${step.decidedBy})`,
    row("does", step.because),
    row("way back", `${step.reversibility}; ${undoWords(undo)}`),
    row("dry run", dryRunWords(step.dryRun)),
    row("declares", changes.length === 0 ? "nothing" : changes.join(", ")),
    ...(named.length === 0 ? [] : [row("names", named.join(", "))]),
  ];
}

function answerLines(admission: PlanCheck["admission"]): readonly string[] {
  if (admission.kind === "refused")
    return ["Refused before anything is raised:", ...admission.problems.map((problem) => `  - ${problem}`)];
  return [
    "Nothing stands against a rehearsal.",
    ...admission.humanNeeded.map((why) => `  A promotion needs a human: ${why}.`),
  ];
}
