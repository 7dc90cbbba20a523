import type { Plan } from "../plan/plan.ts";
import { type Admission, type Asking, admit } from "./admit.ts";
import type { Operator } from "./assess-plan.ts";

/** What policy says of a plan by itself or in a scenario, before anything is raised. */
export interface PlanCheck {
  readonly plan: Pick<Plan, "name" | "sha256" | "agent" | "target" | "confidence"> & {
    readonly actions: readonly { readonly id: string; readonly changes: readonly string[] }[];
  };
  readonly admission: Admission;
  /** What was not looked at, and what will not be tried first; in sentences. */
  readonly notes: readonly string[];
}

/** Checks a plan by its words. @param operator - absent: no scenario is known, so production's floors hold */
export async function checkPlan(plan: Plan, operator: Operator | undefined, asking: Asking): Promise<PlanCheck> {
  const admission = await admit(plan, operator ?? {}, asking);
  const untried = admission.actions.flatMap(({ id, step }) =>
    step.tier >= 3 && step.dryRun.kind === "none"
      ? [`Action ${id} is of tier ${step.tier} and can not be tried first: ${step.dryRun.why}.`]
      : [],
  );
  const remarks = admission.actions.flatMap(({ id, step, undo }) => [
    ...step.remarks.map((remark) => `Action ${id} ${remark}.`),
    ...(undo.kind === "given" ? undo.step.remarks.map((remark) => `The rollback of action ${id} ${remark}.`) : []),
  ]);
  const { name, sha256, agent, target, confidence } = plan;
  return {
    plan: {
      name,
      sha256,
      agent,
      target,
      confidence,
      actions: plan.actions.map(({ id, changes }) => ({ id, changes })),
    },
    admission,
    notes: [...(operator === undefined ? [NO_SCENARIO] : []), ...untried, ...remarks],
  };
}

const NO_SCENARIO =
  "Without a scenario, production's floors were taken, and neither the services of the mirror nor what its operator lets plans change were looked at.";
