import type { BlockStore } from "../measure/block-store.ts";
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
}

/** A budget with what was spent of it. */
export interface SpentBudget extends DuringBudget {
  readonly spent: number;
}

/** Where nobody sets one: a request is stalled after this long. */
export const STALL_MS = 2000;
/** The default is what one second of the traffic brings, but not less than this. */
const DEFAULT_LEAST = 5;

/**
 * The budgets that hold: the operator's, narrowed by the plan's. Where no budget speaks of all routes, a default does: one
 * second of the traffic, so that a plan may interrupt the service for a moment and neither stop it nor wear it down.
 */
export function duringBudgets(
  slos: readonly Slo[],
  expects: readonly Pick<Expectation, "slo" | "during">[],
  ratePerSecond: number,
): readonly DuringBudget[] {
  const defaultAllowed = Math.max(DEFAULT_LEAST, Math.ceil(ratePerSecond));
  return (["errors", "stalls"] as const).flatMap((kind) => {
    const set = slos.flatMap((slo): readonly DuringBudget[] => {
      const promised = expects.find((expectation) => expectation.slo === slo.name)?.during;
      const [operators, plans] = [countOf(kind, slo.during), countOf(kind, promised)];
      const about = aboutOf(slo);
      if (about === undefined || (operators === undefined && plans === undefined)) return [];
      const widest = operators ?? defaultAllowed;
      const isNarrowed = plans !== undefined && plans < widest;
      const stallMs = slo.during?.stallMs ?? STALL_MS;
      const by = isNarrowed ? "plan" : operators === undefined ? "default" : "scenario";
      return [{ slo: slo.name, ...about, kind, allowed: isNarrowed ? plans : widest, by, stallMs }];
    });
    if (set.some((budget) => budget.route === undefined)) return set;
    // What the operator allows single routes is allowed to all together.
    const allowed = Math.max(defaultAllowed, ...set.map((budget) => budget.allowed));
    return [...set, { kind, allowed, by: "default" as const, stallMs: STALL_MS }];
  });
}

function countOf(kind: DuringBudget["kind"], during: Expectation["during"]): number | undefined {
  return kind === "errors" ? during?.excessErrors : during?.excessStalls;
}

/** Undefined for what is no SLO of requests: it has no requests to count. */
function aboutOf({ measure }: Slo): Pick<DuringBudget, "route"> | undefined {
  if (measure.kind !== "latency" && measure.kind !== "errors" && measure.kind !== "served") return undefined;
  return measure.route === undefined ? {} : { route: measure.route };
}

/** What a window spent of each budget. Counts, not intervals: seconds cannot carry one (DESIGN.md 3.6). */
export function spendBudgets(
  store: BlockStore,
  window: Window,
  budgets: readonly DuringBudget[],
): readonly SpentBudget[] {
  return budgets.map((budget) => ({ ...budget, spent: spentOf(store, window, budget) }));
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

function passedText({ slo, kind, spent, allowed, by, stallMs }: SpentBudget): string {
  const what = kind === "errors" ? "failed" : `took longer than ${stallMs / 1000} s`;
  const because = {
    scenario: "",
    plan: " by the plan itself",
    default: ": one second of the traffic, because the scenario sets no budget",
  }[by];
  const name = slo === undefined ? "" : `${slo}: `;
  const more =
    kind === "errors"
      ? `the shadow had ${spent} errors more than the control`
      : `${spent} requests more than on the control ${what} on the shadow`;
  return `${name}${name === "" ? "While" : "while"} the plan acted and settled ${more}, ${allowed} are allowed${because}.`;
}
