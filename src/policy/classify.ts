import type { ActionStep } from "../plan/action.ts";
import type { Plan } from "../plan/plan.ts";

/** DESIGN.md 5: 0 read-only, 1 assist, 2 safe write, 3 production write, 4 destructive. */
export type Tier = 0 | 1 | 2 | 3 | 4;

/**
 * The lowest tier an action of this kind can have, whatever its author says.
 * SQL and programs can do anything, so they are production writes until something proves them harmless.
 */
export function tierFloor(step: ActionStep): Tier {
  switch (step.uses) {
    case "http":
      return step.with.method === "GET" ? 0 : 2;
    case "grpc":
      return 2;
    case "scale":
      // Zero replicas is the removal of a service that can be put back.
      return step.with.replicas === 0 ? 3 : 2;
    case "sql":
    case "exec":
    case "update":
      return 3;
  }
}

/** Whether the action writes, so that it needs scopes, declared effects and a rollback. */
export function writes(step: ActionStep): boolean {
  return tierFloor(step) > 0;
}

/**
 * The tier of a plan: the highest of what it declares and what its actions are. Their rollbacks count alike: they are
 * carried out as well, and SQL under `rollback` can do no less than SQL under `with`.
 */
export function classify(plan: Plan): { readonly declared: Tier; readonly classified: Tier; readonly effective: Tier } {
  const steps = plan.actions.flatMap(({ step, rollback }) => (rollback === undefined ? [step] : [step, rollback]));
  const floors = steps.map(tierFloor);
  const classified = floors.reduce<Tier>((highest, floor) => (floor > highest ? floor : highest), 0);
  return { declared: plan.tier, classified, effective: plan.tier > classified ? plan.tier : classified };
}
