import { describeDelta } from "../core/delta-range.ts";
import type { BlockStore } from "../measure/block-store.ts";
import type { Slo } from "../measure/slo.ts";
import { excessErrors, type RouteWork, workByRoute } from "../measure/work.ts";
import type { Window } from "../replay/recording.ts";
import { JUDGE_RULES, type JudgeLimits } from "./judge-limits.ts";
import { logEvidenceAbove } from "./request-test.ts";
import type { Reason } from "./verdict.ts";

/**
 * Routes on which the shadow serves less than the control after the plan: more than one percent of the route's
 * requests less, proven by the request-level test at alpha over the number of routes.
 */
export function workShrank(store: BlockStore, after: Window, limits: Pick<JudgeLimits, "alpha">): readonly Reason[] {
  const routes = workByRoute(store, after);
  const threshold = Math.log(routes.length / limits.alpha);
  return routes
    .filter((work) => logEvidenceAbove(work, JUDGE_RULES.workShrinkMax) >= threshold)
    .map((work): Reason => ({ code: "WORK_SHRANK", subject: work.route, message: shrinkText(work) }));
}

function shrinkText({ route, requests, controlOk, shadowOk }: RouteWork): string {
  const change = describeDelta(controlOk === 0 ? -1 : (shadowOk - controlOk) / controlOk, "ratio");
  return `Route ${route}: after the plan the shadow served ${shadowOk} of ${requests} requests, the control ${controlOk} (${change}).`;
}

/** Budgets of errors while the plan acts and settles, from the plan's `during`. */
export interface DuringBudget {
  readonly slo: Slo;
  readonly excessErrors: number;
}

/**
 * Budgets that were passed between the first act and the end of settling: errors of the shadow beyond the control's.
 * A count, not an interval: seconds cannot carry one (DESIGN.md 3.6).
 */
export function budgetsPassed(store: BlockStore, during: Window, budgets: readonly DuringBudget[]): readonly Reason[] {
  return budgets.flatMap(({ slo, excessErrors: allowed }): readonly Reason[] => {
    const route = "route" in slo.measure ? slo.measure.route : undefined;
    const excess = excessErrors(store, during, route);
    if (excess <= allowed) return [];
    const message = `${slo.name}: while the plan acted the shadow had ${excess} errors more than the control, ${allowed} are allowed.`;
    return [{ code: "EXCESS_ERRORS", subject: slo.name, message }];
  });
}
