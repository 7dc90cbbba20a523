import type { ActionStep } from "../../src/plan/action.ts";
import type { Action, Plan } from "../../src/plan/plan.ts";

type StepOf<Kind extends ActionStep["uses"]> = Extract<ActionStep, { uses: Kind }>;
type ActionWith<Kind extends ActionStep["uses"]> = Action & { readonly step: StepOf<Kind> };

/** A plan of these actions; everything else is filled in. */
export function planOf(...actions: readonly Action[]): Plan {
  return {
    schema: "canary.plan/v1",
    name: "simulated-plan",
    agent: { id: "agent-1", version: "1", model: { provider: "acme", name: "ops", version: "1" }, inputs: [] },
    target: { environment: "test" },
    tier: 2,
    confidence: 0.9,
    intent: "Show what the proofs see",
    evidence: [],
    actions: [...actions],
    expects: [],
    rollback: { withinSeconds: 30 },
    sha256: "0".repeat(64),
  };
}

/** Scales a service and back. */
export function scale(
  id: string,
  by: { readonly service: string; readonly from: number; readonly to: number },
): ActionWith<"scale"> {
  const { service, from, to } = by;
  return {
    ...blank(id, [`service/${service}/replicas`]),
    step: { uses: "scale", with: { service, replicas: to } },
    rollback: { uses: "scale", with: { service, replicas: from } },
  };
}

/** Runs SQL on `db`, in one transaction, and back; declares everything in that database. */
export function sqlAction(id: string, act: string, undo: string): ActionWith<"sql"> {
  const step = (statements: string): StepOf<"sql"> => ({
    uses: "sql",
    with: { service: "db", statements: statements.split(";").map((one) => one.trim()), transaction: true },
  });
  return { ...blank(id, ["db/db/shop/**"]), requires: ["postgres:ddl@shop"], step: step(act), rollback: step(undo) };
}

/** Sets variables of a service; the undo removes them. */
export function setEnvironment(
  id: string,
  service: string,
  environment: Readonly<Record<string, string>>,
): ActionWith<"update"> {
  const removed = Object.fromEntries(Object.keys(environment).map((name) => [name, null]));
  return {
    ...blank(
      id,
      Object.keys(environment).map((name) => `service/${service}/env/${name}`),
    ),
    step: { uses: "update", with: { service, environment: { ...environment } } },
    rollback: { uses: "update", with: { service, environment: removed } },
  };
}

function blank(id: string, changes: readonly string[]): Omit<Action, "step" | "rollback"> {
  return {
    id,
    what: `do ${id}`,
    why: "to see what happens",
    requires: ["test:write"],
    changes: [...changes],
    timeoutSeconds: 30,
  };
}
