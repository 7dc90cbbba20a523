import type { LookRuleName } from "./look-rules.ts";

/** One rival rule with its settings; a row of the tables names one. */
export type Rival =
  /** Rank test on points of so many seconds, over all of so many minutes, perhaps judged again and again on the way. */
  | {
      readonly kind: "kayenta";
      readonly pointSeconds: number;
      readonly minutes: number;
      /** Increase the metric may have: a ratio, 1 as shipped, or "bound": the one that the SLO accepts. */
      readonly allowed: number | "bound" | "half-bound";
      readonly everyMinutes?: number;
    }
  /** A check a minute; `against`: the other twin now, or this service before the plan. `share`: of the accepted change. */
  | {
      readonly kind: "flagger";
      readonly against: "control" | "past";
      readonly threshold: number;
      readonly iterations: number;
      readonly share?: number;
    }
  | { readonly kind: "argo"; readonly count: number; readonly failureLimit: number }
  /** A rule that looks at the judge's own blocks, after each of them. `tau` is the sd of the bias it is told. */
  | { readonly kind: "look"; readonly rule: LookRuleName; readonly blockSeconds: number; readonly tau?: number };

/** What a rule said in one run, and how long after the plan, s. */
export interface RivalDecision {
  readonly kind: "promote" | "reject" | "hold";
  readonly afterSeconds: number;
}
