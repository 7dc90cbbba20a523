import { type SpentBudget, stallText } from "../judge/during-budgets.ts";
import { harmReason } from "../judge/harm-alarm.ts";
import type { RunReport } from "./run-report.ts";

/** The first window of the plan, from its first act to the end of settling, for people. */
export interface DuringWords {
  /** Why the plan was stopped, if it was. */
  readonly alarm?: string;
  readonly budgets: readonly {
    /** SLO, or all traffic. */
    readonly about: string;
    readonly counted: string;
    readonly spent: string;
    readonly allowed: string;
    readonly by: string;
    readonly kept: boolean;
  }[];
}

const SET_BY: Readonly<Record<SpentBudget["by"], string>> = {
  scenario: "the scenario",
  plan: "the plan, which asks for less than it may",
  default: "nobody: one second of the traffic",
};

/** Undefined for a run in which no plan acted under load. */
export function duringWords({ alarm, during }: Pick<RunReport, "alarm" | "during">): DuringWords | undefined {
  if (alarm === undefined && during === undefined) return undefined;
  return {
    ...(alarm === undefined ? {} : { alarm: harmReason(alarm).message }),
    budgets: (during ?? []).map(({ slo, route, kind, spent, allowed, by, ...stall }) => ({
      about: slo ?? route ?? "all traffic",
      counted: kind === "errors" ? "failed requests" : `requests over ${stallText(stall)}`,
      // Fewer than on the control is no credit.
      spent: String(Math.max(0, spent)),
      allowed: String(allowed),
      by: SET_BY[by],
      kept: spent <= allowed,
    })),
  };
}
