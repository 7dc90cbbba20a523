import type * as Cedar from "@cedar-policy/cedar-wasm/nodejs";
import type { FactGroup, RuleRequest } from "./rule-context.ts";

/** What the conditions of some rules look at. */
interface LookedAt {
  /** Variables that are used in another way than to read one fact: any part of what they hold may count. */
  readonly variables: Set<string>;
  /** Facts that are read one by one, as [group, name]. */
  readonly facts: Map<string, readonly [string, string]>;
}

/**
 * The part of a request that rules look at, as text: two requests with the same text are decided in the same way, since a
 * condition knows nothing but its variables. What is not understood counts as looked at wholly.
 * @param rules - their JSON form, as Cedar's parser gives it
 */
export function partLookedAt(rules: readonly Cedar.PolicyJson[]): (request: RuleRequest) => string {
  const seen: LookedAt = { variables: new Set(), facts: new Map() };
  for (const { principal, resource, conditions } of rules) {
    if (principal.op !== "All") seen.variables.add("principal");
    if (resource.op !== "All") seen.variables.add("resource");
    look(conditions, seen);
  }
  const { variables } = seen;
  const facts = [...seen.facts.values()];
  return ({ action, principal, resource, context }) => {
    const groups: Readonly<Record<string, FactGroup | undefined>> = context;
    return JSON.stringify([
      action,
      variables.has("principal") ? principal : null,
      variables.has("resource") ? resource : null,
      // No fact is null, so that one that is absent is told from every other.
      variables.has("context") ? context : facts.map(([group, name]) => groups[group]?.[name] ?? null),
    ]);
  };
}

/** Walks an expression, whatever kinds of them there are: each use of a variable is somewhere in it as `{ Var: name }`. */
function look(node: unknown, seen: LookedAt): void {
  if (typeof node !== "object" || node === null) return;
  const fact = factRead(node);
  if (fact !== undefined) return void seen.facts.set(fact.join("."), fact);
  if ("Var" in node && typeof node.Var === "string") seen.variables.add(node.Var);
  // An entity that is named may be the one that asks, or the one that is asked about.
  if ("__entity" in node) for (const variable of ["principal", "resource"]) seen.variables.add(variable);
  for (const part of Object.values(node)) look(part, seen);
}

/** `context.<group>.<fact>`, and `context.<group> has <fact>`. */
function factRead(node: object): readonly [string, string] | undefined {
  const read = accessOf(node, ".") ?? accessOf(node, "has");
  const group = read === undefined ? undefined : accessOf(read.left, ".");
  if (read === undefined || group === undefined) return undefined;
  const isContext = "Var" in group.left && group.left.Var === "context";
  return isContext ? [group.attr, read.attr] : undefined;
}

function accessOf(node: object, operator: "." | "has"): { readonly left: object; readonly attr: string } | undefined {
  const access: unknown = Object.entries(node).find(([name]) => name === operator)?.[1];
  if (typeof access !== "object" || access === null || !("left" in access) || !("attr" in access)) return undefined;
  const { left, attr } = access;
  return typeof left === "object" && left !== null && typeof attr === "string" ? { left, attr } : undefined;
}
