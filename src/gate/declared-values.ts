import type { ActionStep } from "../plan/action.ts";
import type { Plan } from "../plan/plan.ts";
import { resourcePath } from "../plan/resource-pattern.ts";
import type { ChangedResource } from "./promotion-request.ts";

const RESTART = "(restart)";

/** Stands for the processes of a service starting again, which is no state and so no resource of a fingerprint. */
export function restartPath(service: string): string {
  return `${resourcePath("service", service)}/${RESTART}`;
}

/** Whether a path is one that `restartPath` made. */
export function isRestart(path: string): boolean {
  return path.startsWith("service/") && path.endsWith(`/${RESTART}`);
}

/** What the steps of a plan say they set resources to. A resource that two steps set has both values. */
export function declaredValues(plan: Pick<Plan, "actions">): readonly ChangedResource[] {
  return plan.actions.flatMap(({ step }) => valuesOf(step));
}

function valuesOf(step: ActionStep): readonly ChangedResource[] {
  switch (step.uses) {
    case "scale":
      return [{ path: resourcePath("service", step.with.service, "replicas"), to: step.with.replicas }];
    case "remove":
      return [{ path: resourcePath("service", step.with.service, "replicas"), to: 0 }];
    case "restart":
      return [{ path: restartPath(step.with.service), to: true }];
    case "update":
      return updateValues(step.with);
    case "flag":
      return flagValues(step.with);
    default:
      return [];
  }
}

function updateValues(change: Extract<ActionStep, { uses: "update" }>["with"]): readonly ChangedResource[] {
  const path = (...names: readonly string[]): string => resourcePath("service", change.service, ...names);
  const environment = Object.entries(change.environment ?? {});
  return [
    ...environment.map(([name, to]) => ({ path: path("env", name), to })),
    ...(change.image === undefined ? [] : [{ path: path("image"), to: change.image }]),
    ...(change.memoryBytes === undefined ? [] : [{ path: path("memory"), to: change.memoryBytes }]),
    ...(change.cpus === undefined ? [] : [{ path: path("cpus"), to: change.cpus }]),
  ];
}

function flagValues(change: Extract<ActionStep, { uses: "flag" }>["with"]): readonly ChangedResource[] {
  const { service, flag, state, defaultVariant, targeting, variants } = change;
  const path = (member: string): string => resourcePath("flags", service, flag, member);
  return [
    ...(state === undefined ? [] : [{ path: path("state"), to: state }]),
    ...(defaultVariant === undefined ? [] : [{ path: path("defaultVariant"), to: defaultVariant }]),
    ...(targeting === undefined ? [] : [{ path: path("targeting"), to: targeting }]),
    ...(variants === undefined ? [] : [{ path: path("variants"), to: variants }]),
  ];
}
