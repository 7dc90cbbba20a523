import type { BlockStore } from "../measure/block-store.ts";
import { controlQuantileMs } from "../measure/control-quantile.ts";
import { ALL_ROUTES, harmBlockReader } from "../measure/harm-blocks.ts";
import type { Slo } from "../measure/slo.ts";
import { excessErrors, workByRoute } from "../measure/work.ts";
import type { Expectation } from "../plan/plan.ts";
import type { Window } from "../replay/recording.ts";
import type { Reason } from "./verdict.ts";

/** How many requests of the shadow may fail, or stall, beyond the control's between the first act and the end of settling. */
export interface DuringBudget {
  /** The SLO that it stands beside; absent for the default. */
  readonly slo?: string;
  readonly route?: string;
  readonly kind: "errors" | "stalls";
  readonly allowed: number;
  /** Who set it: the plan only where it asks for less than the scenario allows. */
  readonly by: "scenario" | "plan" | "default";
  /** Stalls: a request that takes longer, ms. */
  readonly stallMs: number;
  /** The control's p99 before the plan, ms, that `stallMs` was made of; absent where the scenario sets it, or 2 s is less. */
  readonly usualMs?: number;
}

/** A budget with what was spent of it. */
export interface SpentBudget extends DuringBudget {
  readonly spent: number;
}

/** Where nobody sets one: a request is stalled after this long, whatever the service usually takes. */
export const STALL_MS = 2000;
/** And after so many times what the slowest hundredth took on the control before the plan, but never before the least. */
const STALL_TIMES_USUAL = 10;
const STALL_LEAST_MS = 500;
/** Fewer requests before the plan do not show what a service usually takes. */
const USUAL_REQUESTS_MIN = 100;
/** The default is what one second of the traffic brings, but not less than this. */
const DEFAULT_LEAST = 5;

/**
 * The budgets that hold: the operator's, narrowed by the plan's. Where no budget speaks of all routes, a default does: one
 * second of the traffic, so that a plan may interrupt the service for a moment and neither stop it nor wear it down.
 * @param usualMs - the control's p99 on a route, or on all, before the plan (`usualBefore`); without it a stall takes 2 s
 */
export function duringBudgets(
  slos: readonly Slo[],
  expects: readonly Pick<Expectation, "slo" | "during">[],
  ratePerSecond: number,
  usualMs: (route: string | undefined) => number | undefined = () => undefined,
): readonly DuringBudget[] {
  const defaultAllowed = Math.max(DEFAULT_LEAST, Math.ceil(ratePerSecond));
  return (["errors", "stalls"] as const).flatMap((kind) => {
    const usualOf = (route: string | undefined): number | undefined => (kind === "stalls" ? usualMs(route) : undefined);
    const set = slos.flatMap((slo): readonly DuringBudget[] => {
      const promised = expects.find((expectation) => expectation.slo === slo.name)?.during;
      const [operators, plans] = [countOf(kind, slo.during), countOf(kind, promised)];
      const about = aboutOf(slo);
      if (about === undefined || (operators === undefined && plans === undefined)) return [];
      const widest = operators ?? defaultAllowed;
      const isNarrowed = plans !== undefined && plans < widest;
      const stall = stallOf(slo.during?.stallMs, usualOf(about.route));
      const by = isNarrowed ? "plan" : operators === undefined ? "default" : "scenario";
      return [{ slo: slo.name, ...about, kind, allowed: isNarrowed ? plans : widest, by, ...stall }];
    });
    if (set.some((budget) => budget.route === undefined)) return set;
    // What the operator allows single routes is allowed to all together.
    const allowed = Math.max(defaultAllowed, ...set.map((budget) => budget.allowed));
    return [...set, { kind, allowed, by: "default" as const, ...stallOf(undefined, usualOf(undefined)) }];
  });
}

function stallOf(set: number | undefined, usualMs: number | undefined): Pick<DuringBudget, "stallMs" | "usualMs"> {
  if (set !== undefined || usualMs === undefined) return { stallMs: set ?? STALL_MS };
  const stallMs = Math.round(Math.max(STALL_LEAST_MS, STALL_TIMES_USUAL * usualMs));
  return stallMs < STALL_MS ? { stallMs, usualMs } : { stallMs: STALL_MS };
}

/** What `duringBudgets` makes stalls of: the control's p99 in a window before the plan. */
export function usualBefore(store: BlockStore, baseline: Window): (route: string | undefined) => number | undefined {
  return (route) => controlQuantileMs(store, baseline, { route, quantile: 0.99, leastRequests: USUAL_REQUESTS_MIN });
}

function countOf(kind: DuringBudget["kind"], during: Expectation["during"]): number | undefined {
  return kind === "errors" ? during?.excessErrors : during?.excessStalls;
}

/** Undefined for what is no SLO of requests: it has no requests to count. */
function aboutOf({ measure }: Slo): Pick<DuringBudget, "route"> | undefined {
  if (measure.kind !== "latency" && measure.kind !== "errors" && measure.kind !== "served") return undefined;
  return measure.route === undefined ? {} : { route: measure.route };
}

/**
 * What a window spent of each budget. Counts, not intervals: seconds cannot carry one (DESIGN.md 3.6). Of stalls after less
 * than 2 s those after 2 s count as well: the control's shorter ones must not make up for the shadow's long ones.
 */
export function spendBudgets(
  store: BlockStore,
  window: Window,
  budgets: readonly DuringBudget[],
): readonly SpentBudget[] {
  return budgets.map((budget) => {
    const spent = { ...budget, spent: spentOf(store, window, budget) };
    const { usualMs, ...long } = { ...budget, stallMs: STALL_MS };
    const spentLong = usualMs === undefined ? 0 : spentOf(store, window, long);
    return spentLong > spent.spent ? { ...long, spent: spentLong } : spent;
  });
}

function spentOf(store: BlockStore, window: Window, { kind, route, stallMs }: DuringBudget): number {
  if (kind === "errors") return excessErrors(store, window, route);
  const block = harmBlockReader(store, stallMs)(window).get(route ?? ALL_ROUTES);
  return block === undefined ? 0 : block.stalled.shadow - block.stalled.control;
}

/** Budgets that were passed. A default gives way to the chance that the window's own failures on both twins leave. */
export function budgetReasons(store: BlockStore, window: Window, spent: readonly SpentBudget[]): readonly Reason[] {
  const failing = workByRoute(store, window).reduce((sum, work) => sum + work.controlOnly, 0);
  return spent.flatMap((budget): readonly Reason[] => {
    const chance = budget.by === "default" ? CHANCE_SDS * Math.sqrt(2 * failing) : 0;
    if (budget.spent <= budget.allowed + chance) return [];
    const code = budget.kind === "errors" ? "EXCESS_ERRORS" : "EXCESS_STALLS";
    return [{ code, ...(budget.slo === undefined ? {} : { subject: budget.slo }), message: passedText(budget) }];
  });
}

/** Failures that the control has alone, the shadow has as well: their difference wanders by the root of twice as many. */
const CHANCE_SDS = 4;

/** `612 ms (ten times the p99 before the plan)`; only the time where it has no such origin. */
export function stallText({ stallMs, usualMs }: Pick<DuringBudget, "stallMs" | "usualMs">): string {
  const time = stallMs < 1000 ? `${stallMs} ms` : `${stallMs / 1000} s`;
  if (usualMs === undefined) return time;
  if (stallMs > STALL_LEAST_MS) return `${time} (ten times the p99 before the plan)`;
  return `${time} (more than ten times the p99 before the plan)`;
}

function passedText(budget: SpentBudget): string {
  const { slo, kind, spent, allowed, by } = budget;
  const because = {
    scenario: "",
    plan: " by the plan itself",
    default: ": one second of the traffic, because the scenario sets no budget",
  }[by];
  const name = slo === undefined ? "" : `${slo}: `;
  const more =
    kind === "errors"
      ? `the shadow had ${spent} errors more than the control`
      : `${spent} requests more than on the control took longer than ${stallText(budget)} on the shadow`;
  return `${name}${name === "" ? "While" : "while"} the plan acted and settled ${more}, ${allowed} are allowed${because}.`;
}
