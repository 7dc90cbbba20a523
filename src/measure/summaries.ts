import type { Role } from "../mirror/twin.ts";
import type { Window } from "../replay/recording.ts";
import { addLatencies, type RouteSection, routeSections } from "./base-block.ts";
import { createBinTally } from "./bin-tally.ts";
import { createBinnedBlocks } from "./binned-blocks.ts";
import type { BlockStore } from "./block-store.ts";
import { lnAtBin } from "./log-bins.ts";
import { type PooledSample, type SparseBins, sparseBlock, sparsePool } from "./sample.ts";
import { type RouteWork, workByRoute } from "./work.ts";

/** One route on one twin in one window; latencies in ms, 0 where there was no request. Shape of the report's RouteSummary. */
export interface RouteTotals {
  readonly requests: number;
  readonly ok: number;
  readonly errors: number;
  readonly blocked: number;
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
}

/** Latency histogram of one route on both twins; bin i covers edges i to i + 1, ms, equally wide on the log axis. */
export interface LatencyDistribution {
  readonly route: string;
  readonly edgesMs: readonly number[];
  readonly counts: Readonly<Record<Role, readonly number[]>>;
}

/** Both, per route that had traffic. */
export interface RouteReport {
  readonly route: string;
  readonly control: RouteTotals;
  readonly shadow: RouteTotals;
  readonly distribution: LatencyDistribution;
}

/** Bins of a drawn distribution. */
const DRAWN_BINS = 60;

/** Summary and distribution of every route with traffic in a window, in the recording's order. */
export function routeReports(store: BlockStore, window: Window): readonly RouteReport[] {
  const tallies = { control: createBinTally(), shadow: createBinTally() };
  const work = new Map(workByRoute(store, window).map((served) => [served.route, served]));
  return [...sectionsByRoute(store, window)].map(([index, sections]) => {
    const route = store.routes[index] ?? "?";
    const latenciesOf = (role: Role): SparseBins => {
      for (const section of sections) addLatencies(section, role, tallies[role]);
      const binned = createBinnedBlocks();
      binned.push(tallies[role]);
      return binned.at(0);
    };
    const [control, shadow] = [latenciesOf("control"), latenciesOf("shadow")];
    return {
      route,
      control: totalsOf(control, work.get(route), "control"),
      shadow: totalsOf(shadow, work.get(route), "shadow"),
      distribution: distributionOf(route, control, shadow),
    };
  });
}

/** Where each route's pairs stand, ascending by route. */
function sectionsByRoute(store: BlockStore, window: Window): ReadonlyMap<number, readonly RouteSection[]> {
  const byRoute = new Map<number, RouteSection[]>();
  for (const { packed } of store.bases(window)) {
    for (const section of routeSections(packed)) {
      const sections = byRoute.get(section.route);
      if (sections === undefined) byRoute.set(section.route, [section]);
      else sections.push(section);
    }
  }
  return new Map([...byRoute].sort(([a], [b]) => a - b));
}

function totalsOf(latencies: SparseBins, work: RouteWork | undefined, role: Role): RouteTotals {
  const pool = sparsePool(latencies);
  const ok = (role === "control" ? work?.controlOk : work?.shadowOk) ?? 0;
  return {
    requests: pool.size,
    ok,
    errors: pool.size - ok,
    blocked: work?.blocked[role] ?? 0,
    latencyMs: { p50: quantileMs(pool, 0.5), p95: quantileMs(pool, 0.95), p99: quantileMs(pool, 0.99) },
  };
}

function quantileMs(pool: PooledSample, p: number): number {
  return pool.size === 0 ? 0 : Math.exp(pool.lnQuantile(p));
}

function distributionOf(route: string, control: SparseBins, shadow: SparseBins): LatencyDistribution {
  const low = Math.min(firstBin(control), firstBin(shadow));
  const high = Math.max(lastBin(control), lastBin(shadow)) + 1;
  const edges = Array.from({ length: DRAWN_BINS + 1 }, (_, i) => lnAtBin(low + ((high - low) * i) / DRAWN_BINS));
  const countsOf = (latencies: SparseBins): readonly number[] => {
    const above = edges.map(sparseBlock(latencies).above);
    // Counts inside a bin are spread evenly, so edges cut them in fractions: rounding the running total keeps the sum.
    return above.slice(1).map((left, i) => Math.round(above[i] ?? 0) - Math.round(left));
  };
  return {
    route,
    edgesMs: edges.map((ln) => Math.exp(ln)),
    counts: { control: countsOf(control), shadow: countsOf(shadow) },
  };
}

function firstBin({ bins, from }: SparseBins): number {
  return bins[from] ?? 0;
}

function lastBin({ bins, to }: SparseBins): number {
  return bins[to - 1] ?? 0;
}
