import { anyMatches, isExact, matches, resourcePath } from "../plan/resource-pattern.ts";
import type { FieldJudgement, ResponseJudgement, RouteResponses } from "./response-changes.ts";
import type { Reason } from "./verdict.ts";

/** Places named in one sentence before the rest is only counted. */
const NAMED_MAX = 3;
const RESPONSE = "response/";

/** Rejections: answers that the plan changed and nothing declares, and exact declarations of which nothing was seen. */
export function responseReasons(
  judgement: ResponseJudgement | undefined,
  declared: readonly string[],
): readonly Reason[] {
  if (judgement === undefined) return [];
  const changed = judgement.routes.flatMap((route): readonly Reason[] => {
    const fields = route.fields.filter(({ state }) => state === "changed");
    return fields.length === 0 ? [] : [changedReason(route, fields)];
  });
  const absent = exactOf(declared).flatMap((path): readonly Reason[] => {
    const route = judgement.routes.find((one) => isAbout(path, one));
    if (route === undefined || !route.enough || differs(path, route)) return [];
    const message = `${path} is declared by exact path, and none of ${route.pairs.inForce} pairs differed there with the plan in force.`;
    return [{ code: "ABSENT_EFFECT", subject: path, message }];
  });
  return [...changed, ...absent];
}

/**
 * Holds: places whose answers began to differ with the plan and differ still after its undo. A race that parts the twins' states
 * for good looks the same, so it is not shown to be the plan's; nor is it shown that the undo gives customers back what they had.
 */
export function lastingResponses(judgement: ResponseJudgement | undefined): readonly Reason[] {
  return (judgement?.routes ?? []).flatMap((route): readonly Reason[] => {
    const fields = route.fields.filter(({ state }) => state === "lasting");
    if (fields.length === 0) return [];
    const { message } = changedReason(route, fields);
    const doubt =
      "Either a race parted the twins' states, or the undo does not take this back: rehearse again, a race hardly begins with the plan twice.";
    return [{ code: "RESPONSE_CHANGED", subject: route.route, message: `${message} ${doubt}` }];
  });
}

/**
 * Holds: routes of which too few answers were compared, where the operator asks for them (`responses.required`), and exact
 * declarations that so few could not show.
 */
export function missingResponses(
  judgement: ResponseJudgement | undefined,
  asked: { readonly routes: readonly string[]; readonly required: boolean; readonly declared: readonly string[] },
): readonly Reason[] {
  const exact = exactOf(asked.declared);
  return asked.routes.flatMap((name): readonly Reason[] => {
    const route = judgement?.routes.find((one) => one.route === name);
    const isDeclared = exact.some((path) => path.startsWith(`${resourcePath("response", name)}/`));
    if (route?.enough === true || !(asked.required || isDeclared)) return [];
    const { before = 0, inForce = 0, after = 0 } = route?.pairs ?? {};
    const why = isDeclared ? "the plan declares a change of its answers" : "the operator asks for every route";
    const message =
      `Of route ${name} ${before} pairs of answers were compared before the plan, ${inForce} with it in force and ` +
      `${after} after its undo, too few to show a change, and ${why}.`;
    return [{ code: "NO_DATA", subject: name, message }];
  });
}

/**
 * Holds: actions of which the quiet twin saw nothing, because what they change are answers, and no answer that they declare
 * was shown to change with the plan in force and to come back after its undo.
 */
export function answersNotShown(
  judgement: ResponseJudgement | undefined,
  actions: readonly { readonly id: string; readonly changes: readonly string[] }[],
): readonly Reason[] {
  const shown = (judgement?.routes ?? []).flatMap(({ route, fields }) =>
    fields.filter(({ state }) => state === "declared").map(({ path }) => `${resourcePath("response", route)}/${path}`),
  );
  return actions
    .filter(({ changes }) => !shown.some((path) => anyMatches(changes, path)))
    .map(({ id }): Reason => {
      const message =
        `Of action ${id} nothing was seen on the quiet twin, and under load no answer that it declares was shown to change ` +
        "with it and to come back, so nothing of it could be rehearsed.";
      return { code: "NO_OP", subject: id, message };
    });
}

/** Declarations that name one place of one route's answers. */
function exactOf(declared: readonly string[]): readonly string[] {
  return [...new Set(declared)].filter((path) => path.startsWith(RESPONSE) && isExact(path));
}

function isAbout(path: string, { route }: RouteResponses): boolean {
  return path.startsWith(`${resourcePath("response", route)}/`);
}

function differs(path: string, { route, fields, more }: RouteResponses): boolean {
  const full = (field: FieldJudgement): string => `${resourcePath("response", route)}/${field.path}`;
  return more > 0 || fields.some((field) => field.differing.inForce > 0 && matches(path, full(field)));
}

function changedReason({ route, pairs }: RouteResponses, fields: readonly FieldJudgement[]): Reason {
  const most = fields.toSorted((a, b) => b.differing.inForce - a.differing.inForce);
  const named = most.slice(0, NAMED_MAX).map(({ path, kinds }) => `${path} (${kinds.join(", ")})`);
  const more = fields.length > NAMED_MAX ? ` and ${fields.length - NAMED_MAX} more places` : "";
  const { before, inForce, after } = most[0]?.differing ?? { before: 0, inForce: 0, after: 0 };
  const message =
    `Route ${route}: answers of the shadow differ in ${named.join(", ")}${more}, which no action declares: in ${inForce} of ` +
    `${pairs.inForce} pairs with the plan in force, ${before} of ${pairs.before} before it and ${after} of ${pairs.after} after its undo.`;
  return { code: "RESPONSE_CHANGED", subject: route, message };
}
