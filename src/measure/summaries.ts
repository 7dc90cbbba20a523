import type { Role } from "../mirror/twin.ts";
import type { Window } from "../replay/recording.ts";
import type { BlockStore } from "./block-store.ts";
import { lnAtBin } from "./log-bins.ts";
import { PAIR_WORDS, REQUEST_STATE } from "./pair-log.ts";
import { codedBlock, codedPool, type PooledSample } from "./sample.ts";

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
  return collectCodes(store, window).map(({ route, control, shadow }) => ({
    route,
    control: totalsOf(control),
    shadow: totalsOf(shadow),
    distribution: distributionOf(route, control, shadow),
  }));
}

interface RouteCodes {
  readonly route: string;
  readonly control: Uint16Array;
  readonly shadow: Uint16Array;
}

/** Codes per route, ascending: counted first so that every list has its exact size. */
function collectCodes(store: BlockStore, window: Window): readonly RouteCodes[] {
  const bases = store.bases(window);
  const sizes = new Map<number, number>();
  for (const { words, size } of bases) {
    for (let at = 0; at < size * PAIR_WORDS; at += PAIR_WORDS) {
      const route = words[at] ?? 0;
      sizes.set(route, (sizes.get(route) ?? 0) + 1);
    }
  }
  const filled = new Map(
    [...sizes].map(([route, size]) => [
      route,
      { control: new Uint16Array(size), shadow: new Uint16Array(size), next: 0 },
    ]),
  );
  for (const { words, size } of bases) {
    for (let at = 0; at < size * PAIR_WORDS; at += PAIR_WORDS) {
      const codes = filled.get(words[at] ?? 0);
      if (codes === undefined) continue;
      codes.control[codes.next] = words[at + 1] ?? 0;
      codes.shadow[codes.next] = words[at + 2] ?? 0;
      codes.next++;
    }
  }
  return [...filled]
    .sort(([a], [b]) => a - b)
    .map(([route, { control, shadow }]) => ({
      route: store.routes[route] ?? "?",
      control: control.sort(),
      shadow: shadow.sort(),
    }));
}

function totalsOf(codes: Uint16Array): RouteTotals {
  const states = new Uint32Array(4);
  for (const code of codes) states[code & 3] = (states[code & 3] ?? 0) + 1;
  const pool = codedPool(codes);
  const ok = states[REQUEST_STATE.ok] ?? 0;
  return {
    requests: codes.length,
    ok,
    errors: codes.length - ok,
    blocked: states[REQUEST_STATE.blocked] ?? 0,
    latencyMs: { p50: quantileMs(pool, 0.5), p95: quantileMs(pool, 0.95), p99: quantileMs(pool, 0.99) },
  };
}

function quantileMs(pool: PooledSample, p: number): number {
  return pool.size === 0 ? 0 : Math.exp(pool.lnQuantile(p));
}

function distributionOf(route: string, control: Uint16Array, shadow: Uint16Array): LatencyDistribution {
  const low = Math.min(firstBin(control), firstBin(shadow));
  const high = Math.max(lastBin(control), lastBin(shadow)) + 1;
  const edges = Array.from({ length: DRAWN_BINS + 1 }, (_, i) => lnAtBin(low + ((high - low) * i) / DRAWN_BINS));
  const countsOf = (codes: Uint16Array): readonly number[] => {
    const above = edges.map(codedBlock(codes).above);
    // Counts inside a bin are spread evenly, so edges cut them in fractions: rounding the running total keeps the sum.
    return above.slice(1).map((left, i) => Math.round(above[i] ?? 0) - Math.round(left));
  };
  return {
    route,
    edgesMs: edges.map((ln) => Math.exp(ln)),
    counts: { control: countsOf(control), shadow: countsOf(shadow) },
  };
}

function firstBin(codes: Uint16Array): number {
  return (codes[0] ?? 0) >> 2;
}

function lastBin(codes: Uint16Array): number {
  return (codes.at(-1) ?? 0) >> 2;
}
