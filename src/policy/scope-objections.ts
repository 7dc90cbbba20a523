import type { ActionStep, StepOf } from "../plan/action.ts";
import { onlyAsks } from "../plan/kinds.ts";
import { overlaps } from "../plan/pattern-overlap.ts";
import type { Action } from "../plan/plan.ts";
import { encodeSegment } from "../plan/resource-pattern.ts";
import { grantsRequest, readScope, type Scope, scopesOf } from "../plan/scope.ts";
import type { ActionAssessment, KnownMirror, StepAssessment } from "./assess-plan.ts";
import type { Deed } from "./tier-table.ts";

/** Deeds that only the owner of a database's objects may do. */
const OWNERS_DEEDS: ReadonlySet<Deed> = new Set(["schema", "rebuild", "maintenance"]);

/**
 * Why an action's `requires` do not cover what its words say that it does, each in one sentence. What words do not decide, the database
 * and the services do: the action's role and its token hold what `requires` grants and no more.
 */
export function scopeObjections(
  action: Action,
  { id, step, undo }: ActionAssessment,
  mirror: KnownMirror | undefined,
): readonly string[] {
  const malformed = action.requires.filter((text) => readScope(text) === "malformed");
  const scopes = scopesOf(action.requires);
  const steps = [
    { who: `action ${id}`, step: action.step, seen: step },
    ...(action.rollback === undefined || undo.kind !== "given"
      ? []
      : [{ who: `the rollback of action ${id}`, step: action.rollback, seen: undo.step }]),
  ];
  return [
    ...malformed.map((text) => `action ${id} requires ${text}, which is no scope (docs/scopes.md)`),
    ...steps.flatMap(({ who, ...one }) => beyond(one, scopes, mirror).map((what) => `${who} ${what}`)),
  ];
}

interface SeenStep {
  readonly step: ActionStep;
  readonly seen: StepAssessment;
}

function beyond(
  { step, seen }: SeenStep,
  scopes: readonly Scope[],
  mirror: KnownMirror | undefined,
): readonly string[] {
  // What is refused for a reason of its own needs no second one.
  if (seen.refusals.length > 0 || seen.tier === 4) return [];
  if (step.uses === "sql") return sqlBeyond(step.with.service, seen, scopes, mirror);
  if (step.uses !== "http" && step.uses !== "probe") return [];
  const { service } = step.with;
  return requestsOf(step)
    .filter((one) => !onlyAsks(one) && !scopes.some((scope) => grantsRequest(scope, { service, ...one })))
    .map(
      ({ method, path }) =>
        `sends ${method} ${path} to ${service}, which nothing in its \`requires\` grants (http:${method.toLowerCase()}@${service}/…)`,
    );
}

/** Every request that a step may send, its dry run's too. */
function requestsOf(step: StepOf<"http" | "probe">): readonly Parameters<typeof onlyAsks>[0][] {
  if (step.uses === "probe") return "sql" in step.with ? [] : [{ method: "GET", path: step.with.path }];
  const { dryRun } = step.with;
  return dryRun === undefined ? [step.with] : [step.with, dryRun];
}

function sqlBeyond(
  service: string,
  seen: StepAssessment,
  scopes: readonly Scope[],
  mirror: KnownMirror | undefined,
): readonly string[] {
  const database = mirror?.state.flatMap((store) =>
    store.kind === "postgres" && store.service === service ? [store.database] : [],
  )[0];
  const elsewhere = scopes.flatMap((scope) =>
    scope.kind === "database" && database !== undefined && scope.database !== database ? [scope.database] : [],
  );
  if (elsewhere.length > 0)
    return [`runs SQL on ${service}, whose database is ${database}, but requires ${elsewhere.join(", ")}`];
  const verbs = scopes.flatMap((scope) => (scope.kind === "database" ? [scope.verb] : []));
  const tables = scopes.filter((scope) => scope.kind === "rows");
  if (verbs.length + tables.length === 0)
    return [`runs SQL on ${service}, but its \`requires\` grant it nothing there (postgres:<verb>@…)`];
  if (OWNERS_DEEDS.has(seen.deed) && !verbs.includes("ddl") && !verbs.includes("roles"))
    return [`${seen.because}, which takes postgres:ddl@${database ?? "<database>"}`];
  if (seen.deed === "access" && !verbs.includes("roles"))
    return [`${seen.because}, which takes postgres:roles@${database ?? "<database>"}`];
  return verbs.length > 0
    ? []
    : rowsBeyond(
        seen,
        tables,
        `db/${encodeSegment(service)}/${database === undefined ? "*" : encodeSegment(database)}`,
      );
}

function rowsBeyond(
  { targets }: StepAssessment,
  tables: readonly Extract<Scope, { kind: "rows" }>[],
  base: string,
): readonly string[] {
  const writable = tables
    .filter(({ privileges }) => privileges.some((privilege) => privilege !== "select"))
    .map(({ schema, table }) => `${base}/rows/${segmentOf(schema, table)}/**`);
  return targets
    .filter((patterns) => patterns.some((pattern) => pattern.startsWith(`${base}/rows/`)))
    .filter((patterns) => !patterns.some((pattern) => writable.some((one) => overlaps(one, pattern))))
    .map(([pattern = ""]) => `writes ${pattern}, which nothing in its \`requires\` grants`);
}

/** As paths of resources spell a table; `public` goes without saying. */
function segmentOf(schema: string, table: string): string {
  if (table === "*") return schema === "public" ? "*" : `${encodeSegment(schema)}.*`;
  return schema === "public" ? encodeSegment(table) : `${encodeSegment(schema)}.${encodeSegment(table)}`;
}
