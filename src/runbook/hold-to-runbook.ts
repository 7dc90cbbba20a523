import { type ActionStep, ActionStepSchema } from "../plan/action.ts";
import type { Action, Plan } from "../plan/plan.ts";
import { recoverySteps } from "../plan/recovery.ts";
import type { Runbook, RunbookStep, StepShape } from "./runbook.ts";
import { allows } from "./value-pattern.ts";

/**
 * Why a plan is not what its runbook allows, each in one sentence; empty where it is. Every action must match an action of the step
 * that the plan names, with no scope beyond that one's; every undo and way out an action or a rollback of the step.
 */
export function runbookObjections(plan: Plan, runbook: Runbook): readonly string[] {
  const named = plan.runbook;
  if (named === undefined) return ["the plan names no runbook"];
  if (named.name !== runbook.name || named.sha256 !== runbook.sha256)
    return [`the plan is about runbook ${named.name} (${named.sha256}), not about ${runbook.name} (${runbook.sha256})`];
  const step = runbook.steps.find(({ id }) => id === named.step);
  if (step === undefined) return [`runbook ${runbook.name} has no step ${named.step}`];
  const place = `step ${step.id} of runbook ${runbook.name}`;
  const waysOut = recoverySteps(plan).filter((way) => !mayUndo(step, way));
  return [
    ...plan.actions.flatMap((action) => actionObjections(action, step, { runbook, place })),
    ...waysOut.map(({ uses }) => `a step of onFailure or onAbort (${uses}) matches nothing in ${place}`),
  ];
}

function actionObjections(
  action: Action,
  step: RunbookStep,
  { runbook, place }: { readonly runbook: Runbook; readonly place: string },
): readonly string[] {
  const { id, rollback } = action;
  const shapes = step.actions.filter((shape) => fits(shape, action.step));
  const beyond = shapes.map((shape) => action.requires.filter((scope) => !shape.requires.includes(scope)));
  const fewest = beyond.toSorted((a, b) => a.length - b.length)[0];
  return [
    ...(fewest === undefined
      ? [`action ${id} (${action.step.uses}) matches no action of ${place}${elsewhere(action.step, runbook)}`]
      : []),
    ...(fewest ?? []).map((scope) => `action ${id} requires ${scope}, which ${place} does not grant it`),
    ...(rollback === undefined || mayUndo(step, rollback)
      ? []
      : [`the rollback of action ${id} (${rollback.uses}) matches nothing in ${place}`]),
  ];
}

function elsewhere(step: ActionStep, runbook: Runbook): string {
  const other = runbook.steps.find(({ actions }) => actions.some((shape) => fits(shape, step)));
  return other === undefined ? "" : `; it would match step ${other.id}, which is not the one that the plan names`;
}

function mayUndo(step: RunbookStep, undo: ActionStep): boolean {
  return [...step.rollbacks, ...step.actions].some((shape) => fits(shape, undo));
}

function fits(shape: StepShape, step: ActionStep): boolean {
  if (shape.uses !== step.uses) return false;
  const given: Readonly<Record<string, unknown>> = step.with;
  return Object.entries(given).every(([name, value]) => {
    const pattern = Object.hasOwn(shape.with, name) ? shape.with[name] : undefined;
    return pattern === undefined ? value === undefined || isDefault(step, name, value) : allows(pattern, value);
  });
}

/** Whether a parameter is what it would be had nobody given it. */
function isDefault(step: ActionStep, name: string, value: unknown): boolean {
  const others = Object.fromEntries(Object.entries(step.with).filter(([other]) => other !== name));
  const without = ActionStepSchema.safeParse({ uses: step.uses, with: others });
  if (!without.success) return false;
  const defaults: Readonly<Record<string, unknown>> = without.data.with;
  return JSON.stringify(defaults[name]) === JSON.stringify(value);
}
