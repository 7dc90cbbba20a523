import type { ActionStep } from "../plan/action.ts";
import { needsNoUndo, type Reversibility, undoUnderivable } from "../plan/kinds.ts";
import type { Action, Plan } from "../plan/plan.ts";
import { recoverySteps } from "../plan/recovery.ts";
import { allowedProgram } from "./exec-rules.ts";
import type { SqlParser } from "./sql/parse-sql.ts";
import { type DryRunOffer, readStep, type StepReading } from "./step-reading.ts";
import { type Target, targetsOfStep } from "./step-targets.ts";
import {
  type Deed,
  type EnvironmentClass,
  type NamespaceFloor,
  type Place,
  type Tier,
  type TierFloors,
  tierAt,
} from "./tier-table.ts";

/** What a plan's words are read with. */
export interface PlanReader {
  readonly parse: SqlParser;
  readonly floors: TierFloors;
}

/** What of a mirror policy wants to know; absent while only the plan is at hand. */
export interface KnownMirror {
  readonly services: readonly { readonly name: string }[];
  readonly state: readonly (
    | { readonly kind: "postgres"; readonly service: string; readonly database: string }
    | { readonly kind: "redis"; readonly service: string }
  )[];
  readonly stubs: readonly { readonly host: string }[];
}

/** The operator's side of an admission: a scenario has these fields. */
export interface Operator {
  /** Patterns of what plans may change; absent: not known yet, nothing is held against them. */
  readonly mayChange?: readonly string[];
  /** Absent: not known, so the strictest class. */
  readonly environment?: { readonly class: EnvironmentClass };
  readonly policy?: {
    readonly namespaces: readonly NamespaceFloor[];
    readonly withoutDryRun: "tell" | "refuse";
    /** Programs that `exec` may run, each a list of words with `*` in them; absent: any that policy does not refuse. */
    readonly exec?: readonly (readonly string[])[] | undefined;
  };
  readonly knownMirror?: KnownMirror;
  /** What else stands against the plan, found by those who read its runbook; in sentences. */
  readonly otherObjections?: readonly string[];
}

/** One step (of an action or of its undo) as policy sees it. */
export interface StepAssessment {
  readonly uses: ActionStep["uses"];
  readonly deed: Deed;
  readonly because: string;
  readonly tier: Tier;
  /** The row, class or namespace that set the tier. */
  readonly decidedBy: string;
  readonly reversibility: Reversibility;
  readonly dryRun: DryRunOffer;
  readonly refusals: readonly string[];
  readonly remarks: readonly string[];
  readonly targets: readonly Target[];
  readonly leavesTheStore: boolean;
}

/** One action: what it does and how it is undone. */
export interface ActionAssessment {
  readonly id: string;
  readonly step: StepAssessment;
  /** `given` carries the plan's own undo; `derived` is read from the state before the action acts. */
  readonly undo:
    | { readonly kind: "given"; readonly step: StepAssessment }
    | { readonly kind: "derived" }
    | { readonly kind: "needless" }
    | { readonly kind: "missing"; readonly why: string };
}

/** Assesses every action of a plan by its words alone; nothing is started, nothing is decided. */
export function assessPlan(plan: Plan, operator: Operator, reader: PlanReader): readonly ActionAssessment[] {
  const where = { ...whereOf(plan, operator), ...reader };
  return plan.actions.map((action) => {
    const reading = readStep(action.step, where.parse);
    const step = assessed(action.step, reading, where);
    return { id: action.id, step, undo: undoOf(action, reading, where) };
  });
}

/** Assesses the steps of a plan's own ways out of a failure or an abort (`onFailure`, `onAbort`) in the same way. */
export function assessWaysOut(plan: Plan, operator: Operator, reader: PlanReader): readonly StepAssessment[] {
  const where = { ...whereOf(plan, operator), ...reader };
  return recoverySteps(plan).map((step) => assessed(step, readStep(step, reader.parse), where));
}

interface Where extends PlanReader {
  readonly place: Place;
  readonly database: (service: string) => string;
  /** Lines of `policy.exec`; absent: any program. */
  readonly programs?: readonly (readonly string[])[] | undefined;
}

function whereOf(plan: Plan, operator: Operator): Omit<Where, keyof PlanReader> {
  const place: Place = {
    environmentClass: operator.environment?.class ?? "production",
    namespace: plan.target.namespace,
    namespaces: operator.policy?.namespaces ?? [],
  };
  const database = (service: string): string =>
    operator.knownMirror?.state.flatMap((store) =>
      store.kind === "postgres" && store.service === service ? [store.database] : [],
    )[0] ?? "*";
  return { place, database, programs: operator.policy?.exec };
}

function assessed(
  step: ActionStep,
  reading: StepReading,
  { place, database, programs, floors }: Where,
): StepAssessment {
  const { deed, because, reversibility, dryRun, refusals, remarks, leavesTheStore, sql } = reading;
  return {
    uses: step.uses,
    deed,
    because,
    ...tierAt(deed, place, floors),
    reversibility,
    dryRun,
    refusals: [...refusals, ...notAllowed(step, programs)],
    remarks,
    targets: targetsOfStep(step, sql, database),
    leavesTheStore,
  };
}

/** Words of a command line show little of what it does; the operator's list is the gate that does not have to read them. */
function notAllowed(step: ActionStep, programs: Where["programs"]): readonly string[] {
  if (step.uses !== "exec" || programs === undefined || allowedProgram(step.with.argv, programs)) return [];
  return [`runs ${step.with.argv.join(" ")}, which this scenario's operator does not allow (policy.exec)`];
}

function undoOf({ step, rollback }: Action, reading: StepReading, where: Where): ActionAssessment["undo"] {
  if (rollback !== undefined) {
    const undo = readStep(rollback, where.parse, reading.made);
    return { kind: "given", step: assessed(rollback, undo, where) };
  }
  if (reading.deed === "read" || reading.reversibility === "idempotent" || needsNoUndo(step))
    return { kind: "needless" };
  const why = undoUnderivable(step);
  return why === undefined ? { kind: "derived" } : { kind: "missing", why };
}
