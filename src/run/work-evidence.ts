import { budgetReasons, duringBudgets, type SpentBudget, spendBudgets, usualBefore } from "../judge/during-budgets.ts";
import { type HarmAlarm, harmAlarm, harmReason } from "../judge/harm-alarm.ts";
import { type RareRoutes, rareLosses, rareRoutes } from "../judge/rare-routes.ts";
import type { Reason } from "../judge/verdict.ts";
import { harmAlarms, workShrank } from "../judge/work-reasons.ts";
import { workByRouteIn } from "../measure/work.ts";
import type { Window } from "../replay/recording.ts";
import type { LoadEvidence } from "./load-evidence.ts";
import { inForceWindows, oncePerCause, sessionsByRound } from "./round-evidence.ts";
import type { RunJob } from "./run-job.ts";

/**
 * Rejections that the traffic itself shows: gross harm, work that shrank after the plan, budgets passed during it, gross
 * failure while it acted, settled or was undone.
 * @param seen - the alarm that stopped the run; without one it is looked for in what was recorded
 */
export function workReasons(
  job: Pick<RunJob, "scenario" | "plan">,
  session: LoadEvidence["session"],
  seen?: HarmAlarm,
): readonly Reason[] {
  return oncePerCause([
    ...sessionsByRound(session).flatMap((round) => workReasonsOnce(job, round, seen)),
    ...workShrank(session.store, inForceWindows(session), job.scenario.judge),
  ]);
}

/** Doubts that routes of few requests leave: failures that are more than chance and less than a proof. */
export function rareLossesOf(
  { scenario }: Pick<RunJob, "scenario">,
  session: LoadEvidence["session"],
): readonly Reason[] {
  const { store, phases } = session;
  return phases.baseline === undefined
    ? []
    : rareLosses(store, phases.baseline, inForceWindows(session), scenario.judge);
}

/** The routes that the run could not show by themselves, for the verdict and its explanation. */
export function rareRoutesOf(
  { scenario }: Pick<RunJob, "scenario">,
  session: LoadEvidence["session"],
): { readonly rare?: RareRoutes } {
  const rare = rareRoutes(workByRouteIn(session.store, inForceWindows(session)), scenario.judge);
  return rare === undefined ? {} : { rare };
}

function workReasonsOnce(
  job: Pick<RunJob, "scenario" | "plan">,
  session: LoadEvidence["session"],
  seen?: HarmAlarm,
): readonly Reason[] {
  const { store, phases } = session;
  const alarm = alarmOf(job, session, seen);
  const during = duringWindow(phases);
  const { slos } = job.scenario;
  const isBudgeted = (route: string | undefined): boolean =>
    slos.some((slo) => slo.during?.excessErrors !== undefined && "route" in slo.measure && slo.measure.route === route);
  return [
    ...(alarm === undefined ? [] : [harmReason(alarm)]),
    ...(during === undefined ? [] : budgetReasons(store, during, budgetsSpent(job, session))),
    ...harmAlarms(store, unjudged(during, phases), job.scenario.judge, isBudgeted),
  ];
}

/** The alarm of a run: the one that stopped it, else what its recording shows up to the undo (the last block, mostly). */
export function alarmOf(
  { scenario }: Pick<RunJob, "scenario">,
  { store, phases }: LoadEvidence["session"],
  seen?: HarmAlarm,
): HarmAlarm | undefined {
  const { baseline, acting, undoing } = phases;
  if (seen !== undefined || baseline === undefined || acting === undefined) return seen;
  const lastMs = undoing?.fromMs ?? (phases.observing ?? phases.settling ?? acting).toMs;
  return harmAlarm({ store, slos: scenario.slos, baseline, window: { fromMs: acting.fromMs, toMs: lastMs } });
}

/** What the first of the two windows spent of its budgets (DESIGN.md 3.6); empty for a plan that never acted under load. */
export function budgetsSpent(
  { scenario, plan }: Pick<RunJob, "scenario" | "plan">,
  { store, phases }: LoadEvidence["session"],
): readonly SpentBudget[] {
  const during = duringWindow(phases);
  if (during === undefined) return [];
  const usual = phases.baseline === undefined ? undefined : usualBefore(store, phases.baseline);
  const budgets = duringBudgets(scenario.slos, plan.expects, scenario.traffic.ratePerSecond, usual);
  return spendBudgets(store, during, budgets);
}

/** From the first act to the end of settling. */
function duringWindow({ acting, settling }: LoadEvidence["session"]["phases"]): Window | undefined {
  return acting === undefined ? undefined : { fromMs: acting.fromMs, toMs: (settling ?? acting).toMs };
}

/** Seconds under the plan's influence of which no interval is made. */
function unjudged(during: Window | undefined, phases: LoadEvidence["session"]["phases"]): readonly Window[] {
  const { undoing, recovery } = phases;
  return [
    ...(during === undefined ? [] : [during]),
    ...(undoing === undefined ? [] : [{ fromMs: undoing.fromMs, toMs: recovery?.fromMs ?? undoing.toMs }]),
  ];
}
