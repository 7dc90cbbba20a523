import type { ActionStep } from "../plan/action.ts";
import type { Action } from "../plan/plan.ts";
import { covers, matches } from "../plan/resource-pattern.ts";
import type { ActionAssessment, KnownMirror, Operator, StepAssessment } from "./assess-plan.ts";
import { scopeObjections } from "./scope-objections.ts";
import { undeclaredTargets } from "./step-targets.ts";
import { leavesNoTrace } from "./traceless.ts";

/** Why an action may not be rehearsed, each in one sentence; empty when nothing stands against it. */
export function objections(action: Action, assessment: ActionAssessment, operator: Operator): readonly string[] {
  const { id, step, undo } = assessment;
  const given = undo.kind === "given" ? undo.step : undefined;
  return [
    ...step.refusals.map((why) => `action ${id} ${why}`),
    ...(given?.refusals ?? []).map((why) => `the rollback of action ${id} ${why}`),
    ...writeObjections(action, assessment, operator),
    ...namedTargets(action, step, "names"),
    ...(given === undefined ? [] : namedTargets(action, given, "names in its rollback")),
    ...irreversible(assessment, action, operator.knownMirror),
    ...scopeObjections(action, assessment, operator.knownMirror),
    ...mirrorObjections(action, operator.knownMirror),
  ];
}

/** Why the plan's own ways out of a failure or an abort may not be rehearsed; their steps are carried out like any other. */
export function waysOutObjections(steps: readonly StepAssessment[]): readonly string[] {
  return steps.flatMap((step) => step.refusals.map((why) => `a step of onFailure or onAbort ${why}`));
}

function writeObjections(action: Action, { id, step, undo }: ActionAssessment, operator: Operator): readonly string[] {
  if (step.tier === 0) return [];
  const changesState = !leavesNoTrace(action.step, step.deed);
  const { mayChange } = operator;
  const outside =
    mayChange === undefined ? [] : action.changes.filter((path) => !mayChange.some((allowed) => covers(allowed, path)));
  return [
    ...(undo.kind === "missing"
      ? [`action ${id} writes but has no rollback, and none can be read from the state: ${undo.why}`]
      : []),
    ...(action.requires.length === 0 ? [`action ${id} writes but declares no scope in \`requires\``] : []),
    ...(changesState && action.changes.length === 0
      ? [`action ${id} writes but declares no effect in \`changes\``]
      : []),
    ...action.changes
      .filter(reachesBeyondMirrors)
      .map((path) => `action ${id} declares ${path}, which reaches what no mirror has and so nothing rehearses`),
    ...outside.map((path) => `action ${id} declares ${path}, which this scenario's operator does not let plans change`),
  ];
}

/** Objects of a cluster have no twin: a gate calls `kubernetes/…` whatever a plan has no name for. */
function reachesBeyondMirrors(pattern: string): boolean {
  return matches(pattern.split("/")[0] ?? "", "kubernetes");
}

/** Told before a container starts; what words do not decide, the quiet twin does. */
function namedTargets(action: Action, { tier, targets }: StepAssessment, verb: string): readonly string[] {
  if (tier === 0 || action.changes.length === 0) return [];
  return undeclaredTargets(targets, action.changes).map(
    ([target = ""]) => `action ${action.id} ${verb} ${target}, which its \`changes\` do not declare`,
  );
}

function irreversible(
  { id, step }: ActionAssessment,
  action: Action,
  mirror: KnownMirror | undefined,
): readonly string[] {
  if (step.reversibility !== "irreversible" || step.tier === 4) return [];
  const service = "service" in action.step.with ? action.step.with.service : undefined;
  const snapshotted = mirror === undefined || mirror.state.some((store) => store.service === service);
  if (snapshotted && !step.leavesTheStore) return [];
  return [`action ${id} ${step.because}: it is irreversible, and no snapshot covers it`];
}

/** What a step is carried out on must be part of the mirror. */
function mirrorObjections(action: Action, mirror: KnownMirror | undefined): readonly string[] {
  if (mirror === undefined) return [];
  const steps = [action.step, ...(action.rollback === undefined ? [] : [action.rollback])];
  return [...new Set(steps.flatMap((step) => missingIn(step, mirror)))].map((what) => `action ${action.id} ${what}`);
}

function missingIn(step: ActionStep, mirror: KnownMirror): readonly string[] {
  if (step.uses === "wait") return [];
  if (step.uses === "ticket" || step.uses === "pull-request") {
    const { host } = step.with;
    return mirror.stubs.some((stub) => stub.host === host) ? [] : [`asks ${host}, which is no stub of the mirror`];
  }
  const { service } = step.with;
  if (!mirror.services.some(({ name }) => name === service)) {
    return [
      `is about ${service}, which is no service of the mirror (${mirror.services.map(({ name }) => name).join(", ")})`,
    ];
  }
  const wanted = step.uses === "sql" || (step.uses === "probe" && "sql" in step.with) ? "postgres" : step.uses;
  if (wanted !== "postgres" && wanted !== "redis") return [];
  return mirror.state.some((store) => store.service === service && store.kind === wanted)
    ? []
    : [`asks ${service}, which is no ${wanted} store of the mirror (\`x-canary: state\`)`];
}
