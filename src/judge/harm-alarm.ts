import { describeDelta } from "../core/delta-range.ts";
import { sum } from "../measure/arm-series.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { ALL_ROUTES, type HarmBlock, harmBlockReader, type ReadHarmBlocks } from "../measure/harm-blocks.ts";
import type { Slo } from "../measure/slo.ts";
import type { OverduePairs, Window } from "../replay/recording.ts";
import { harmBar } from "./harm-bars.ts";
import { HARM_RULES, type HarmGauge, harmGauges, logRatio, netFailures } from "./harm-gauge.ts";
import type { Reason } from "./verdict.ts";

/** Gross harm that stopped a plan: what, how much, and when. Times are ms on the run's axis. */
export interface HarmAlarm {
  readonly kind: HarmGauge["kind"];
  readonly level: HarmGauge["level"];
  /** A route, or all of them together. */
  readonly scope: string;
  /** The blocks that it was seen in. */
  readonly fromMs: number;
  readonly toMs: number;
  /** From the first action to the end of the last of them, or until what stalled was known to have. */
  readonly afterSeconds: number;
  /** Medians in ms, or counts of failed or stalled requests, over these blocks. */
  readonly control: number;
  readonly shadow: number;
  readonly requests: number;
  /** What was more than the twins' own difference: a ratio for latency (0.5 is +50%), else a share of requests. */
  readonly excess: number;
  /** More than which is gross harm, on the scale of `excess`; where the operator's SLO set it, its name. */
  readonly bar: number;
  readonly slo?: string;
}

/** Follows one plan block by block. */
export interface HarmFollower {
  /** The next block that has not been looked at; looks at each block once, in order. */
  readonly nextToMs: () => number;
  /** Takes it. `knownMs`: when it was known. Answers the first alarm, again and again once there is one. */
  readonly take: (overdue: readonly OverduePairs[], knownMs: number) => HarmAlarm | undefined;
}

interface Followed {
  readonly gauge: HarmGauge;
  score: number;
  blocks: HarmBlock[];
  fromMs: number;
  /** Net failures since the first action. */
  spent: number;
}

/**
 * Starts to follow a plan from its first action on, against what the baseline shows.
 * Method: one cumulative sum (Page 1954) for each kind of harm in each scope, of evidence that is bounded block by block
 * (docs/decisions/0012-harm-alarm.md).
 */
export function followHarm(options: {
  readonly store: BlockStore;
  readonly slos: readonly Slo[];
  readonly baseline: Window;
  readonly actedFromMs: number;
}): HarmFollower {
  const { store, baseline, actedFromMs } = options;
  const read = harmBlockReader(store, HARM_RULES.stallMs);
  const followed = gaugesOf(options.slos, blocksBefore(read, baseline, store.baseBlockMs)).map(
    (gauge): Followed => ({ gauge, score: 0, blocks: [], fromMs: actedFromMs, spent: 0 }),
  );
  const threshold = HARM_RULES.threshold + Math.log(Math.max(1, followed.length));
  let fromMs = Math.ceil(actedFromMs / store.baseBlockMs) * store.baseBlockMs;
  let alarm: HarmAlarm | undefined;
  return {
    nextToMs: () => fromMs + HARM_RULES.blockMs,
    take: (overdue, knownMs) => {
      if (alarm !== undefined) return alarm;
      const window = { fromMs, toMs: fromMs + HARM_RULES.blockMs };
      const blocks = read(window, overdue);
      fromMs = window.toMs;
      for (const one of followed) {
        const block = blocks.get(one.gauge.bar.scope);
        if (block !== undefined) add(one, block, { window, threshold });
      }
      const [worst] = followed.filter((one) => isHarm(one, threshold)).toSorted(mostTelling);
      if (worst !== undefined) alarm = alarmOf(worst, window.toMs, (knownMs - actedFromMs) / 1000);
      return alarm;
    },
  };
}

/** A route says where the harm is, all of them together do not; then the strongest evidence. */
function mostTelling(a: Followed, b: Followed): number {
  const isAll = ({ gauge }: Followed): number => (gauge.bar.scope === ALL_ROUTES ? 1 : 0);
  return isAll(a) - isAll(b) || b.score - a.score;
}

function add(
  one: Followed,
  block: HarmBlock,
  { window, threshold }: { readonly window: Window; readonly threshold: number },
): void {
  const { gauge } = one;
  if (gauge.kind !== "latency") one.spent += netFailures(gauge.kind, block) - gauge.bias * block.requests;
  const evidence = gauge.evidence(block);
  if (evidence === undefined) return;
  const most = threshold / HARM_RULES.blocksMin[gauge.level][gauge.kind];
  // A block without failures takes back whole bursts; a median that is low for once takes back no more than one can give.
  const least = gauge.kind === "latency" ? -most : Number.NEGATIVE_INFINITY;
  if (one.score <= 0) {
    one.blocks = [];
    one.fromMs = window.fromMs;
  }
  one.score = Math.max(0, one.score + Math.min(most, Math.max(least, evidence)));
  one.blocks.push(block);
}

function isHarm({ gauge, score, spent }: Followed, threshold: number): boolean {
  // Sums of equal shares of the threshold may miss it by a rounding.
  if (score < threshold - 1e-9) return false;
  return gauge.kind === "latency" || spent > gauge.bar.allowed[gauge.kind];
}

/** The alarm that a whole recording gives, as `followHarm` would while it was made. `window`: from the first action on. */
export function harmAlarm(options: {
  readonly store: BlockStore;
  readonly slos: readonly Slo[];
  readonly baseline: Window;
  readonly window: Window;
}): HarmAlarm | undefined {
  const follower = followHarm({ ...options, actedFromMs: options.window.fromMs });
  while (follower.nextToMs() <= options.window.toMs) {
    const alarm = follower.take([], follower.nextToMs());
    if (alarm !== undefined) return alarm;
  }
  return undefined;
}

function blocksBefore(
  read: ReadHarmBlocks,
  baseline: Window,
  baseBlockMs: number,
): ReadonlyMap<string, readonly HarmBlock[]> {
  const scopes = new Map<string, HarmBlock[]>();
  const firstMs = Math.ceil(baseline.fromMs / baseBlockMs) * baseBlockMs;
  for (let fromMs = firstMs; fromMs + HARM_RULES.blockMs <= baseline.toMs; fromMs += HARM_RULES.blockMs) {
    for (const [scope, block] of read({ fromMs, toMs: fromMs + HARM_RULES.blockMs })) {
      const blocks = scopes.get(scope) ?? [];
      blocks.push(block);
      scopes.set(scope, blocks);
    }
  }
  return scopes;
}

/** The busiest scopes; all routes together first. A single route is all there is: it is not looked at twice. */
function gaugesOf(slos: readonly Slo[], before: ReadonlyMap<string, readonly HarmBlock[]>): readonly HarmGauge[] {
  const busy = [...before]
    .filter(([scope]) => scope !== ALL_ROUTES || before.size !== 2)
    .map(([scope, blocks]) => ({ scope, blocks, requests: sum(blocks.map((block) => block.requests)) }))
    .toSorted((a, b) => b.requests - a.requests || (a.scope < b.scope ? -1 : 1));
  return busy.slice(0, HARM_RULES.scopesMax).flatMap(({ scope, blocks }) => harmGauges(harmBar(scope, slos), blocks));
}

function alarmOf({ gauge, blocks, fromMs }: Followed, toMs: number, afterSeconds: number): HarmAlarm {
  const { kind, level, bar, bias, reference } = gauge;
  const requests = sum(blocks.map((block) => block.requests));
  const total = (pick: (block: HarmBlock) => number): number => sum(blocks.map(pick));
  const seen = { kind, level, scope: bar.scope, fromMs, toMs, afterSeconds, requests };
  if (kind === "latency") {
    const mean = (role: "control" | "shadow"): number =>
      Math.exp(total(({ medianLn }) => medianLn[role]) / blocks.length);
    const excess = Math.expm1(total(logRatio) / blocks.length - bias);
    return {
      ...seen,
      control: mean("control"),
      shadow: mean("shadow"),
      excess,
      bar: Math.expm1(reference),
      ...(bar.latency.slo === undefined ? {} : { slo: bar.latency.slo }),
    };
  }
  const control = total((block) => (kind === "errors" ? block.controlOnly : block.stalled.control));
  const shadow = total((block) => (kind === "errors" ? block.shadowOnly : block.stalled.shadow));
  return {
    ...seen,
    control,
    shadow,
    excess: (shadow - control) / Math.max(1, requests) - bias,
    bar: reference,
    ...(bar.errors.slo === undefined ? {} : { slo: bar.errors.slo }),
  };
}

/** The alarm as the verdict gives it: what, how much, how soon, against which bar. */
export function harmReason(alarm: HarmAlarm): Reason {
  const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
  const against = alarm.slo === undefined ? "gross harm" : `gross harm against the limit of ${alarm.slo}`;
  const scope = alarm.scope === ALL_ROUTES ? "all routes together" : `route ${alarm.scope}`;
  const within = `within ${seconds(alarm.toMs - alarm.fromMs)}, known ${Number(alarm.afterSeconds.toPrecision(2))} s after the first action`;
  const isLatency = alarm.kind === "latency";
  const unit = isLatency ? "" : "pp";
  const scale = isLatency ? "ratio" : "absolute";
  const [excess, bar] = [describeDelta(alarm.excess, scale, unit), describeDelta(alarm.bar, scale, unit)];
  const what = isLatency
    ? `${scope} had a median of ${ms(alarm.shadow)} on the shadow and ${ms(alarm.control)} on the control`
    : `${alarm.shadow} of ${alarm.requests} requests of ${scope} ${alarm.kind === "errors" ? "failed" : "stalled"} on the shadow alone, ${alarm.control} on the control alone`;
  return {
    code: "HARM_ALARM",
    subject: alarm.scope,
    message: `The harm alarm stopped the plan: ${what} (${excess}), ${within}; more than ${bar} is ${against}.`,
  };
}

function ms(value: number): string {
  return `${Number(value.toPrecision(3))} ms`;
}
