import { canonicalJson } from "../attest/canonical-json.ts";
import { maskedValue } from "../core/redact.ts";
import type { Plan } from "../plan/plan.ts";
import { anyMatches } from "../plan/resource-pattern.ts";
import { declaredValues, isRestart } from "./declared-values.ts";
import type { GateReason } from "./gate-reason.ts";
import type { JsonValue, PromotionRequest } from "./promotion-request.ts";

/** Resources that one refusal names; a whole new object differs in hundreds. */
const NAMED_MAX = 5;
const VALUE_CHARS_MAX = 200;

/** Whether a request has to show what will change. */
export function unshownChange(
  { change }: PromotionRequest,
  terms: { readonly changeMustBeShown: boolean },
): readonly GateReason[] {
  if (!terms.changeMustBeShown || (change.kind === "shown" && change.resources.length > 0)) return [];
  return [
    {
      code: "CHANGE_NOT_SHOWN",
      message: "the request names a plan and does not show what it will change",
      remedy: "Send the change (`change` in the request), or go through an adapter that sees it, such as admission.",
    },
  ];
}

/**
 * Whether every resource that would change lies within what the plan declares and the rehearsal showed, and becomes what the
 * plan's steps say where they say so: a plan that scales to three admits no three hundred, and a pattern in `changes` admits
 * nothing that nobody rehearsed.
 * @param observed - exact paths that the verdict says were seen to change and were declared
 */
export function changeBeyondPlan(
  { change }: PromotionRequest,
  plan: Pick<Plan, "actions">,
  observed: readonly string[],
): readonly GateReason[] {
  if (change.kind === "not-shown") return [];
  const declared = plan.actions.flatMap(({ changes }) => changes);
  const values = declaredValues(plan);
  const valuesAt = (path: string) => values.filter((value) => value.path === path).map(({ to }) => to);
  // A restart changes no resource, so that a plan declares it by its step alone.
  const isDeclared = (path: string): boolean => isRestart(path) || anyMatches(declared, path);
  const isRehearsed = (path: string): boolean => valuesAt(path).length > 0 || observed.includes(path);
  const outside = change.resources.filter(({ path }) => !(isDeclared(path) && isRehearsed(path)));
  const differing = change.resources.filter(({ path, to }) => {
    const rehearsed = valuesAt(path);
    return rehearsed.length > 0 && !rehearsed.some((value) => canonicalJson(value) === canonicalJson(to));
  });
  return [
    ...outside.slice(0, NAMED_MAX).map(({ path }) => ({
      code: "CHANGE_OUTSIDE_PLAN" as const,
      message: isDeclared(path)
        ? `${path} would change, and the rehearsal did not change it${more(outside)}`
        : `${path} would change, and the plan does not declare it${more(outside)}`,
      remedy: "Leave it as it is, or rehearse a plan that declares it in `changes` and has a step that changes it.",
    })),
    ...differing.slice(0, NAMED_MAX).map(({ path, to }) => ({
      code: "CHANGE_VALUE_DIFFERS" as const,
      message: `${path} would become ${shown(path, to)}; the plan rehearsed ${valuesAt(path)
        .map((value) => shown(path, value))
        .join(" or ")}`,
      remedy: "Make exactly the change that was rehearsed, or rehearse this one.",
    })),
  ];
}

function more(all: readonly unknown[]): string {
  return all.length > NAMED_MAX ? ` (one of ${all.length})` : "";
}

/** Values go into answers and logs: what looks secret, by its name or its shape, is a digest there. */
function shown(path: string, value: JsonValue): string {
  const name = path.split("/").at(-1) ?? path;
  return maskedValue(name, value === null ? "(nothing)" : canonicalJson(value)).slice(0, VALUE_CHARS_MAX);
}
