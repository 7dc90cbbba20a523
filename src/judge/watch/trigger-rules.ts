import { describeDelta, describeRange } from "../../core/delta-range.ts";
import type { BlockStore } from "../../measure/block-store.ts";
import { type RecentLevel, recentLevel } from "../../measure/recent-level.ts";
import { deltaUnit, type Measure } from "../../measure/slo.ts";
import { probeWords } from "../../plan/health-probe.ts";
import type { OverduePairs } from "../../replay/recording.ts";
import type { Safeguard } from "./safeguard-spec.ts";
import type { BurnTrigger, MetricTrigger, Trigger } from "./trigger-spec.ts";

/** What one look at a trigger says. `early`: its window is not full yet, which is nobody's fault; `unknown` is a miss. */
export interface TriggerLook {
  readonly kind: "quiet" | "breached" | "unknown" | "early";
  readonly message: string;
}

/** What a trigger looks at: the traffic so far, on the run's axis. */
export interface Traffic {
  readonly store: BlockStore;
  readonly overdue: readonly OverduePairs[];
  readonly nowMs: number;
  /** Since when requests have flowed without a pause, ms. */
  readonly flowingFromMs: number;
}

/** One look at a threshold, at what has arrived by now. */
export function lookAtMetric(trigger: MetricTrigger, traffic: Traffic): TriggerLook {
  const { metric, overSeconds } = trigger;
  const { level, isFull } = recent(metric, overSeconds, traffic);
  const { shadow, control } = level.arms;
  const compared = trigger.againstControl;
  const lacks = shadow === undefined || Number.isNaN(shadow) || (compared !== undefined && control === undefined);
  if (lacks || level.requests < trigger.requestsMin) {
    const message = `nothing to go by in the last ${overSeconds} s`;
    return { kind: isFull ? "unknown" : "early", message };
  }
  // A rate over part of its window is as good as none: it has not had the time to be what it is.
  if (!isFull && metric.kind === "served") return { kind: "early", message: "its window is not full yet" };
  const seen = `${levelText(metric, shadow)} over ${overSeconds} s`;
  const broken = [
    ...(trigger.above !== undefined && shadow > trigger.above ? [`above ${levelText(metric, trigger.above)}`] : []),
    ...(trigger.below !== undefined && shadow < trigger.below ? [`below ${levelText(metric, trigger.below)}`] : []),
    ...(compared === undefined || control === undefined ? [] : againstControl(trigger, { shadow, control })),
  ];
  return broken.length === 0
    ? { kind: "quiet", message: seen }
    : { kind: "breached", message: `${metricWords(metric)} was ${seen} on the shadow, ${broken.join(" and ")}` };
}

function againstControl(
  { metric, againstControl: range }: MetricTrigger,
  { shadow, control }: { readonly shadow: number; readonly control: number },
): readonly string[] {
  if (range === undefined) return [];
  const delta = range.scale === "absolute" ? shadow - control : ratioOf(shadow, control);
  if (delta >= range.lo && delta <= range.hi) return [];
  const unit = deltaUnit(metric);
  return [
    `${describeDelta(delta, range.scale, unit)} against the control's ${levelText(metric, control)}, ` +
      `allowed is ${describeRange(range, unit)}`,
  ];
}

/** Something where the control has nothing is infinitely more; nothing on both is no change. */
function ratioOf(shadow: number, control: number): number {
  if (control === 0) return shadow === 0 ? 0 : Number.POSITIVE_INFINITY;
  return shadow / control - 1;
}

/** One look at an error budget: the worst pair of windows of which both burn too fast. */
export function lookAtBurn({ burn, requestsMin }: BurnTrigger, traffic: Traffic): TriggerLook {
  const measure: Measure = { kind: "errors", ...(burn.route === undefined ? {} : { route: burn.route }) };
  const rateOver = (seconds: number) => {
    const { level, isFull } = recent(measure, seconds, traffic);
    const { shadow } = level.arms;
    const isKnown = shadow !== undefined && level.requests >= requestsMin;
    return { rate: isKnown ? shadow / (1 - burn.objective) : undefined, isFull };
  };
  const pairs = burn.windows.map((window) => ({
    window,
    short: rateOver(window.shortSeconds),
    long: rateOver(window.longSeconds),
  }));
  const burning = pairs.find(
    ({ window, short, long }) => (short.rate ?? 0) >= window.rate && (long.rate ?? 0) >= window.rate,
  );
  if (burning !== undefined) {
    const { window, short, long } = burning;
    const message =
      `the error budget of ${percentText(burn.objective)} burned at ${rounded(long.rate ?? 0)} times its rate over ` +
      `${window.longSeconds} s and ${rounded(short.rate ?? 0)} over ${window.shortSeconds} s, ${window.rate} is the limit`;
    return { kind: "breached", message };
  }
  const unknown = pairs.filter(({ short, long }) => short.rate === undefined || long.rate === undefined);
  if (unknown.length > 0) {
    const isFull = unknown.some(({ short, long }) => short.isFull && long.isFull);
    return { kind: isFull ? "unknown" : "early", message: "too few requests in its windows" };
  }
  const fastest = Math.max(...pairs.map(({ long }) => long.rate ?? 0));
  return { kind: "quiet", message: `burned at ${rounded(fastest)} times its rate` };
}

function recent(
  measure: Measure,
  seconds: number,
  { store, overdue, nowMs, flowingFromMs }: Traffic,
): { readonly level: RecentLevel; readonly isFull: boolean } {
  const fullFromMs = nowMs - seconds * 1000;
  const window = { fromMs: Math.max(0, flowingFromMs, fullFromMs), toMs: nowMs };
  return { level: recentLevel(store, measure, { window, overdue }), isFull: flowingFromMs <= fullFromMs };
}

/** What a trigger watches and when it trips, in words. */
export function triggerRule(trigger: Trigger): string {
  if ("metric" in trigger) {
    const { metric, above, below, againstControl: range, overSeconds } = trigger;
    const bounds = [
      ...(above === undefined ? [] : [`above ${levelText(metric, above)}`]),
      ...(below === undefined ? [] : [`below ${levelText(metric, below)}`]),
      ...(range === undefined ? [] : [`not ${describeRange(range, deltaUnit(metric))} against the control`]),
    ];
    return `${metricWords(metric)} over ${overSeconds} s ${bounds.join(" or ")}`;
  }
  if ("probe" in trigger) return `${probeWords(trigger.probe)}, ${trigger.mode}`;
  if ("burn" in trigger) {
    const { objective, windows, route } = trigger.burn;
    const pairs = windows.map(
      ({ shortSeconds, longSeconds, rate }) => `${rate}x over ${shortSeconds} and ${longSeconds} s`,
    );
    return `error budget of ${percentText(objective)}${route === undefined ? "" : ` on ${route}`} burning ${pairs.join(" or ")}`;
  }
  const { secondsMax, perMinute, exceeding } = trigger.actions;
  return [
    ...(secondsMax === undefined ? [] : [`an action longer than ${secondsMax} s`]),
    ...(perMinute === undefined
      ? []
      : [`more than ${perMinute} actions a minute ${exceeding === "pace" ? "wait their turn" : "stop the plan"}`]),
  ].join("; ");
}

/** What a safeguard asks, and when, in words. */
export function safeguardRule({ probe, mode, withinSeconds }: Safeguard): string {
  return mode === "converge" ? `${probeWords(probe)}, within ${withinSeconds} s` : probeWords(probe);
}

function metricWords(measure: Measure): string {
  const scope = "route" in measure && measure.route !== undefined ? ` of ${measure.route}` : "";
  switch (measure.kind) {
    case "latency":
      return `latency p${Number((measure.quantile * 100).toPrecision(4))}${scope}`;
    case "errors":
      return `the share of errors${scope}`;
    case "served":
      return `requests served a second${scope}`;
    case "cpu":
    case "memory":
      return `${measure.kind} of ${measure.service}`;
    case "counter":
    case "gauge":
    case "histogram":
      return `${measure.metric} of ${measure.service}`;
    case "sql":
      return `a query on ${measure.service}`;
  }
}

function levelText(measure: Measure, value: number): string {
  if (measure.kind === "errors") return percentText(value);
  return measure.kind === "latency" ? `${rounded(value)} ms` : rounded(value);
}

function percentText(share: number): string {
  return `${Number((share * 100).toPrecision(5))}%`;
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(3)));
}
