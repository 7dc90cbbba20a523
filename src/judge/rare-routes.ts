import type { BlockStore } from "../measure/block-store.ts";
import { type RouteWork, totalWork, workByRouteIn } from "../measure/work.ts";
import type { Window } from "../replay/recording.ts";
import { JUDGE_RULES, type JudgeLimits } from "./judge-limits.ts";
import { logEvidenceAbove } from "./request-test.ts";
import type { Reason } from "./verdict.ts";

/** Routes with so few requests that served work which shrank on one of them would not be proven. */
export interface RareRoutes {
  /** In the order of the recording; never empty. */
  readonly names: readonly string[];
  /** Of the requests of all routes with the plan in force, a fraction. */
  readonly share: number;
  /** All of them together, with the plan in force. */
  readonly together: RouteWork;
}

/** Evidence, natural log, from which the loss of work on one route of so many is proven. */
export function lossThreshold(routes: number, { alpha }: Pick<JudgeLimits, "alpha">): number {
  return Math.log(routes / alpha);
}

/** Whether the shadow would be shown to serve less if it lost this share of a route's requests. */
export function isLossProvable({ requests }: Pick<RouteWork, "requests">, lost: number, threshold: number): boolean {
  const shadowOnly = lost * requests;
  const evidence = { shadowOnly, controlOnly: 0, neither: requests - shadowOnly };
  return logEvidenceAbove(evidence, JUDGE_RULES.workShrinkMax) >= threshold;
}

/** The routes of which not even the loss of half their requests would be proven; undefined where there is none. */
export function rareRoutes(works: readonly RouteWork[], limits: Pick<JudgeLimits, "alpha">): RareRoutes | undefined {
  const rare = rareOf(works, limits);
  if (rare.length === 0) return undefined;
  const together = totalWork(rare);
  const share = together.requests / totalWork(works).requests;
  return { names: rare.map(({ route }) => route), share, together };
}

function rareOf(works: readonly RouteWork[], limits: Pick<JudgeLimits, "alpha">): readonly RouteWork[] {
  const threshold = lossThreshold(works.length, limits);
  return works.filter((work) => !isLossProvable(work, LOSS_SHOWN, threshold));
}

const LOSS_SHOWN = 0.5;

/**
 * Rare routes, and all of them together while even that is rare, that failed on the shadow more often than chance lets them:
 * too little to reject, too much to pass. Exact binomial test of the requests that failed on the shadow only, at alpha over
 * the routes. The share that chance explains is the largest that the shadow had before the plan or the control has with it,
 * on the route or on all of them, and what work may shrink by in any case.
 * @param after - with the plan in force
 */
export function rareLosses(
  store: BlockStore,
  baseline: Window,
  after: readonly Window[],
  limits: Pick<JudgeLimits, "alpha">,
): readonly Reason[] {
  const [past, works] = [workByRouteIn(store, [baseline]), workByRouteIn(store, after)];
  const rare = rareOf(works, limits);
  if (rare.length === 0) return [];
  const pastOf = new Map(past.map((work) => [work.route, work]));
  const pastOfRare = rare.flatMap(({ route }) => pastOf.get(route) ?? []);
  const usual = Math.max(shareOf(totalWork(past), "shadowOnly"), shareOf(totalWork(works), "controlOnly"));
  const together = totalWork(rare);
  const threshold = lossThreshold(works.length, limits);
  const scopes = [
    ...rare.map((work) => ({ name: `Route ${work.route}`, work, before: pastOf.get(work.route) })),
    ...(rare.length === 1 || isLossProvable(together, LOSS_SHOWN, threshold)
      ? []
      : [{ name: namesText(rare.map(({ route }) => route)), work: together, before: totalWork(pastOfRare) }]),
  ];
  const level = limits.alpha / (works.length + 1);
  return scopes.flatMap(({ name, work, before }): readonly Reason[] => {
    // What is proven rejects: `workShrank`.
    if (logEvidenceAbove(work, JUDGE_RULES.workShrinkMax) >= threshold) return [];
    const own = before === undefined ? 0 : shareOf(before, "shadowOnly");
    const share = JUDGE_RULES.workShrinkMax + Math.max(usual, own, shareOf(work, "controlOnly"));
    if (chanceOfAtLeast(work.shadowOnly, work.requests, share) > level) return [];
    const message =
      `${name}: with the plan in force ${work.shadowOnly} of ${work.requests} requests failed on the shadow and not on the control ` +
      `(${work.controlOnly} the other way round): too few to prove that less is served, more than chance explains.`;
    return [{ code: "WORK_SHRANK", ...(work === together ? {} : { subject: work.route }), message }];
  });
}

/** What was not shown route by route, for people. */
export function rareText({ names, share, together }: RareRoutes): string {
  const { requests, controlOk, shadowOk } = together;
  const percent = Number((share * 100).toPrecision(2));
  return (
    `Not shown by themselves, for want of requests: ${namesText(names)}, ${requests} requests or ${percent}% of all with the plan in force; ` +
    `${names.length === 1 ? "of these" : "taken together"} the shadow served ${shadowOk}, the control ${controlOk}.`
  );
}

const NAMED_MAX = 3;

/** `route a`, or `9999 routes (a, b, c and 9996 more)`. */
export function namesText(names: readonly string[]): string {
  if (names.length === 1) return `route ${names[0] ?? ""}`;
  const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : "";
  return `${names.length} routes (${names.slice(0, NAMED_MAX).join(", ")}${more})`;
}

function shareOf(work: RouteWork, kind: "shadowOnly" | "controlOnly"): number {
  return work.requests === 0 ? 0 : work[kind] / work.requests;
}

/** Upper tail of a binomial distribution; weights as logs, since those of many draws underflow. */
function chanceOfAtLeast(least: number, draws: number, share: number): number {
  if (least <= 0 || share >= 1) return 1;
  const logOdds = Math.log(share) - Math.log1p(-share);
  let logWeight = draws * Math.log1p(-share);
  let chance = 0;
  for (let k = 1; k <= draws; k++) {
    logWeight += Math.log((draws - k + 1) / k) + logOdds;
    if (k >= least) chance += Math.exp(logWeight);
  }
  return Math.min(1, chance);
}
