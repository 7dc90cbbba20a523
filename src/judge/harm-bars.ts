import { ALL_ROUTES } from "../measure/harm-blocks.ts";
import type { Slo } from "../measure/slo.ts";

/** What the operator accepts of one scope (a route, or all routes together) before harm is gross. */
export interface HarmBar {
  readonly scope: string;
  /** Accepted change of the median: `ratio` 0.1 is +10%, `ms` an absolute limit. */
  readonly latency: { readonly scale: "ratio" | "ms"; readonly limit: number; readonly slo?: string };
  /** Accepted share of requests that fail, or stall, on the shadow beyond the control: 0.001 is +0.1pp. */
  readonly errors: { readonly limit: number; readonly slo?: string };
  /** Budgets that the operator gives for the time in which the plan acts and settles; no alarm before they are spent. */
  readonly allowed: { readonly errors: number; readonly stalls: number };
}

/** Where no SLO of the operator speaks of a route: +10% of the median, +0.5pp of errors. */
export const DEFAULT_BAR = { latency: 0.1, errors: 0.005 } as const;

/** Quantiles that speak of the median. */
const MIDDLE = { from: 0.25, to: 0.75 } as const;

/**
 * The bar of a scope. An SLO of the route itself goes before one of all routes; among latency SLOs one of the middle
 * speaks of the median, and where only tails have a limit, an operator who accepts them twice as slow accepts the median so.
 */
export function harmBar(scope: string, slos: readonly Slo[]): HarmBar {
  const own = scope === ALL_ROUTES ? undefined : scope;
  const about = (kind: "latency" | "errors"): readonly Slo[] => {
    const all = slos.filter((slo) => slo.measure.kind === kind && Number.isFinite(slo.limit.hi));
    const ofRoute = all.filter(({ measure }) => "route" in measure && measure.route === own);
    if (ofRoute.length > 0) return ofRoute;
    const ofAll = all.filter(({ measure }) => !("route" in measure) || measure.route === undefined);
    return ofAll.length > 0 || own !== undefined ? ofAll : widest(all);
  };
  const budgets = slos.filter(
    ({ measure }) => !("route" in measure) || measure.route === undefined || measure.route === own,
  );
  const allowed = (pick: (slo: Slo) => number | undefined): number =>
    Math.max(0, ...budgets.flatMap((slo) => pick(slo) ?? []));
  return {
    scope,
    latency: latencyBar(about("latency")),
    errors: errorBar(about("errors")),
    allowed: {
      errors: allowed((slo) => slo.during?.excessErrors),
      stalls: allowed((slo) => slo.during?.excessStalls),
    },
  };
}

/**
 * For all routes together where limits are given to routes alone: they may move as far as the route that may move most,
 * and each route with a limit, or with enough requests, has a bar of its own.
 */
function widest(slos: readonly Slo[]): readonly Slo[] {
  const comparable = slos.filter(({ measure, limit }) => measure.kind === "errors" || limit.scale === "ratio");
  const [first] = comparable.toSorted((a, b) => b.limit.hi - a.limit.hi);
  return first === undefined ? [] : [first];
}

function latencyBar(slos: readonly Slo[]): HarmBar["latency"] {
  const middle = slos.filter(({ measure }) => {
    return measure.kind === "latency" && measure.quantile >= MIDDLE.from && measure.quantile <= MIDDLE.to;
  });
  const [strictest] = middle.toSorted((a, b) => a.limit.hi - b.limit.hi);
  if (strictest !== undefined) {
    return {
      scale: strictest.limit.scale === "ratio" ? "ratio" : "ms",
      limit: strictest.limit.hi,
      slo: strictest.name,
    };
  }
  const [widest] = slos
    .filter(({ limit }) => limit.scale === "ratio" && limit.hi > DEFAULT_BAR.latency)
    .toSorted((a, b) => b.limit.hi - a.limit.hi);
  if (widest === undefined) return { scale: "ratio", limit: DEFAULT_BAR.latency };
  return { scale: "ratio", limit: widest.limit.hi, slo: widest.name };
}

function errorBar(slos: readonly Slo[]): HarmBar["errors"] {
  const [strictest] = slos.toSorted((a, b) => a.limit.hi - b.limit.hi);
  if (strictest === undefined) return { limit: DEFAULT_BAR.errors };
  return { limit: Math.max(0, strictest.limit.hi), slo: strictest.name };
}
