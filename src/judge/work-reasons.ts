import { describeDelta } from "../core/delta-range.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { ALL_ROUTES } from "../measure/harm-blocks.ts";
import { type RouteWork, totalWork, workByRoute, workByRouteIn } from "../measure/work.ts";
import type { Window } from "../replay/recording.ts";
import { JUDGE_RULES, type JudgeLimits } from "./judge-limits.ts";
import { isLossProvable, lossThreshold, namesText, rareRoutes } from "./rare-routes.ts";
import { logEvidenceAbove } from "./request-test.ts";
import type { Reason } from "./verdict.ts";

/**
 * Routes on which the shadow serves less than the control after the plan: more than one percent of the route's
 * requests less, proven by the request-level test at alpha over the number of routes, once on the pairs of all windows.
 * Rare routes are tested once more, all together: where one of them could not be proven dead if it were, its share of alpha
 * is unspent and pays for that test.
 * @param after - with the plan in force: one window, or that of every round
 */
export function workShrank(
  store: BlockStore,
  after: Window | readonly Window[],
  limits: Pick<JudgeLimits, "alpha">,
): readonly Reason[] {
  const routes = workByRouteIn(store, "fromMs" in after ? [after] : after);
  const threshold = lossThreshold(routes.length, limits);
  const isShrunk = (work: RouteWork): boolean => logEvidenceAbove(work, JUDGE_RULES.workShrinkMax) >= threshold;
  const alone = routes.filter(isShrunk).map((work): Reason => {
    return { code: "WORK_SHRANK", subject: work.route, message: `Route ${work.route}: ${shrinkText(work)}` };
  });
  const rare = rareRoutes(routes, limits);
  const isUnspent = routes.some((work) => !isLossProvable(work, 1, threshold));
  if (rare === undefined || !isUnspent || !isShrunk(rare.together)) return alone;
  const message = `Taken together, ${namesText(rare.names)} with too few requests each to be judged alone: ${shrinkText(rare.together)}`;
  return [...alone, { code: "WORK_SHRANK", message }];
}

/**
 * Gross harm in seconds that no interval is made of (STATISTICS.md 4: what is discarded is still checked for gross
 * failure): the request-level test on stretches of ten seconds, alpha over all of them, for each route and for all
 * together. It needs no promise of the plan's, because an agent that promises nothing for these seconds must not be free
 * to stop the service in them.
 * @param isBudgeted - scopes (undefined: all routes) for which the operator has set a budget, which holds instead
 */
export function harmAlarms(
  store: BlockStore,
  windows: readonly Window[],
  limits: Pick<JudgeLimits, "alpha">,
  isBudgeted: (route: string | undefined) => boolean = () => false,
): readonly Reason[] {
  const stretches = windows.flatMap(stretchesOf).map((window) => {
    const routes = workByRoute(store, window);
    const scopes = routes.length > 1 ? [totalWork(routes), ...routes] : routes;
    return scopes.filter(({ route }) => !isBudgeted(route === ALL_ROUTES ? undefined : route));
  });
  const works = stretches.flat();
  const threshold = Math.log(works.length / limits.alpha);
  const harmed = works.filter((work) => logEvidenceAbove(work, JUDGE_RULES.alarm.excessShareMax) >= threshold);
  const worst = harmed.toSorted((a, b) => excessShare(b) - excessShare(a))[0];
  if (worst === undefined) return [];
  const message =
    `While the plan acted or was undone, ${worst.shadowOnly} of ${worst.requests} requests of ${worst.route} failed on the ` +
    `shadow and not on the control within ${JUDGE_RULES.alarm.blockMs / 1000} s; the control had ${worst.controlOnly} such failures.`;
  return [{ code: "EXCESS_ERRORS", message }];
}

/** Whole stretches from the start of the window, rounded outwards to seconds; the last one may be shorter. */
function stretchesOf({ fromMs, toMs }: Window): readonly Window[] {
  const { blockMs } = JUDGE_RULES.alarm;
  const startMs = Math.floor(fromMs / 1000) * 1000;
  const count = Math.max(0, Math.ceil((toMs - startMs) / blockMs));
  return Array.from({ length: count }, (_, i) => ({
    fromMs: startMs + i * blockMs,
    toMs: Math.min(toMs, startMs + (i + 1) * blockMs),
  }));
}

function excessShare({ shadowOnly, controlOnly, requests }: RouteWork): number {
  return (shadowOnly - controlOnly) / requests;
}

function shrinkText({ requests, controlOk, shadowOk }: RouteWork): string {
  const change = describeDelta(controlOk === 0 ? -1 : (shadowOk - controlOk) / controlOk, "ratio");
  return `after the plan the shadow served ${shadowOk} of ${requests} requests, the control ${controlOk} (${change}).`;
}
