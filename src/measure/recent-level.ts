import type { Role } from "../mirror/twin.ts";
import type { OverduePairs, Window } from "../replay/recording.ts";
import { type Arms, sum } from "./arm-series.ts";
import { addLatencies, type RouteSection, routeSections } from "./base-block.ts";
import { createBinTally } from "./bin-tally.ts";
import { blockLevels } from "./block-levels.ts";
import type { BlockStore } from "./block-store.ts";
import { binOfMs, lnAtBin } from "./log-bins.ts";
import { counterRates, type Readings } from "./metric-series.ts";
import { type Measure, measureKey } from "./slo.ts";
import { workByRoute } from "./work.ts";

/** The level of a measure on both twins over the last seconds, in its natural unit; a twin without data has none. */
export interface RecentLevel {
  readonly arms: Partial<Arms<number>>;
  /** Requests that it rests on; Infinity for measures that are none of requests. */
  readonly requests: number;
}

/** What is known now. `overdue`: pairs that still wait for an answer, as the driver last told. */
export interface Recent {
  readonly window: Window;
  readonly overdue: readonly OverduePairs[];
}

/**
 * Reads a level from whatever has arrived by now, for a trigger: no interval, no bias removed, nothing left out. What is
 * overdue counts in latencies as having waited until now on the twin that owes the answer, for a trigger that looks at the
 * slow may not miss the slowest. Windows are widened to whole base blocks.
 */
export function recentLevel(store: BlockStore, measure: Measure, recent: Recent): RecentLevel {
  switch (measure.kind) {
    case "latency":
      return latencies(store, measure, recent);
    case "errors":
    case "served":
      return answered(store, measure, recent);
    case "histogram": {
      const { fromMs, toMs } = recent.window;
      const query = { measure, scale: "log", window: recent.window, blockMs: toMs - fromMs } as const;
      const last = blockLevels(store, query).at(-1);
      return { arms: last === undefined ? {} : { control: last.control, shadow: last.shadow }, requests: Infinity };
    }
    default: {
      const readings = store.readings(measureKey(measure));
      const arms = (["control", "shadow"] as const).flatMap((role): [Role, number][] => {
        const level = readings === undefined ? undefined : levelOf(measure, readings[role], recent.window);
        return level === undefined ? [] : [[role, level]];
      });
      return { arms: Object.fromEntries(arms), requests: Infinity };
    }
  }
}

function answered(
  store: BlockStore,
  measure: Extract<Measure, { kind: "errors" | "served" }>,
  { window }: Recent,
): RecentLevel {
  const works = workByRoute(store, window).filter(
    ({ route }) => measure.route === undefined || route === measure.route,
  );
  const requests = sum(works.map((work) => work.requests));
  const ok = { control: sum(works.map((work) => work.controlOk)), shadow: sum(works.map((work) => work.shadowOk)) };
  const seconds = (window.toMs - window.fromMs) / 1000;
  if (measure.kind === "served") {
    return { arms: { control: ok.control / seconds, shadow: ok.shadow / seconds }, requests: Infinity };
  }
  if (requests === 0) return { arms: {}, requests };
  return { arms: { control: 1 - ok.control / requests, shadow: 1 - ok.shadow / requests }, requests };
}

function latencies(
  store: BlockStore,
  { route, quantile }: Extract<Measure, { kind: "latency" }>,
  { window, overdue }: Recent,
): RecentLevel {
  const index = route === undefined ? undefined : store.routes.indexOf(route);
  const isAsked = (of: number): boolean => index === undefined || of === index;
  const sections = store
    .bases(window)
    .flatMap(({ packed }) => [...routeSections(packed)])
    .filter((section) => isAsked(section.route));
  const waiting = overdue.filter(
    (pairs) => isAsked(pairs.route) && pairs.intendedFromMs >= window.fromMs && pairs.intendedFromMs < window.toMs,
  );
  const arm = (role: Role): { readonly level: number; readonly size: number } => {
    const bins = [...countsOf(sections, role), ...waitingOf(waiting, role, window.toMs)].sort((a, b) => a.bin - b.bin);
    const size = sum(bins.map(({ count }) => count));
    return { level: upperQuantile(bins, size, quantile), size };
  };
  const [control, shadow] = [arm("control"), arm("shadow")];
  const requests = Math.min(control.size, shadow.size);
  return { arms: requests === 0 ? {} : { control: control.level, shadow: shadow.level }, requests };
}

interface Count {
  readonly bin: number;
  readonly count: number;
}

function countsOf(sections: readonly RouteSection[], role: Role): readonly Count[] {
  const tally = createBinTally();
  for (const section of sections) addLatencies(section, role, tally);
  const counts: Count[] = [];
  tally.drain((bin, count) => counts.push({ bin, count }));
  return counts;
}

function waitingOf(overdue: readonly OverduePairs[], role: Role, nowMs: number): readonly Count[] {
  return overdue.map((pairs) => ({
    bin: binOfMs(Math.max(1000, nowMs - pairs.intendedFromMs - 1000)),
    count: pairs[role] + pairs.both,
  }));
}

/** The smallest value that at least this share lies at or below: no smoothing, as an alert would count. */
function upperQuantile(bins: readonly Count[], size: number, quantile: number): number {
  let below = 0;
  for (const { bin, count } of bins) {
    below += count;
    if (below >= quantile * size) return Math.exp(lnAtBin(bin + 0.5));
  }
  return Number.NaN;
}

/** Counters and CPU as a rate per second over the window, everything else as the mean of its readings. */
function levelOf(measure: Measure, readings: Readings, { fromMs, toMs }: Window): number | undefined {
  if (measure.kind === "counter" || measure.kind === "cpu") {
    return counterRates(readings, { fromMs, blockMs: toMs - fromMs, count: 1 })[0];
  }
  const values = readings.value.filter((_, i) => {
    const atMs = readings.atMs[i] ?? Number.NaN;
    return atMs >= fromMs && atMs <= toMs;
  });
  return values.length === 0 ? undefined : sum(values) / values.length;
}
