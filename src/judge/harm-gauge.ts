import { type Arms, sum } from "../measure/arm-series.ts";
import type { HarmBlock } from "../measure/harm-blocks.ts";
import type { Role } from "../mirror/twin.ts";
import type { HarmBar } from "./harm-bars.ts";

/** What one block says of one kind of harm in one scope. */
export interface HarmGauge {
  readonly kind: "latency" | "errors" | "stalls";
  readonly level: "gross" | "outage";
  readonly bar: HarmBar;
  /** Twins' own difference before the plan: log ratio of medians, or share of requests. */
  readonly bias: number;
  /** What more than which is harm, on the same scale. */
  readonly reference: number;
  /** Evidence of a block for harm, natural log; not bounded. Undefined where the block says nothing. */
  readonly evidence: (block: HarmBlock) => number | undefined;
}

/** Constants of the alarm, chosen and measured in docs/decisions/0012-harm-alarm.md. */
export const HARM_RULES = {
  blockMs: 2000,
  /** A request without an answer is stalled after this long. */
  stallMs: 2000,
  /** Evidence that stops the plan, natural log, before it is raised by the log of the number of gauges. */
  threshold: Math.log(1e3),
  /** Blocks that it takes at least: no single block adds more than its share of the threshold. */
  blocksMin: { gross: { latency: 5, errors: 6, stalls: 6 }, outage: { latency: 3, errors: 3, stalls: 3 } },
  /** Below these nothing is gross: ratio of medians, share of requests. */
  gross: { latency: 1.3, errors: 0.004 },
  outage: { latency: 3, errors: 0.1 },
  /** Beyond the operator's own limit by at least this much. */
  beyond: { latency: 1.1, errors: 0.002 },
  /** Least believable sd of a block's log ratio of medians. */
  sdMin: 0.02,
  /** Variance of block values is taken this much larger: they lean on each other, and a short baseline shows it badly. */
  inflation: 2,
  /** Failures added to those of the baseline, which may have been lucky. */
  luckyFailures: 1.5,
  /** Least requests of a scope in a usual block: fewer make no median, or no share. */
  requestsMin: { latency: 8, errors: 1 },
  scopesMax: 50,
} as const;

type Level = HarmGauge["level"];
const LEVELS: readonly Level[] = ["gross", "outage"];

/** All gauges of one scope, learned from its blocks before the plan; none where the baseline shows too little of it. */
export function harmGauges(bar: HarmBar, baseline: readonly HarmBlock[]): readonly HarmGauge[] {
  const requests = sum(baseline.map((block) => block.requests));
  const usual = requests / Math.max(1, baseline.length);
  if (usual < HARM_RULES.requestsMin.errors) return [];
  return [
    ...(usual < HARM_RULES.requestsMin.latency ? [] : latencyGauges(bar, baseline)),
    ...LEVELS.flatMap((level) => [
      countGauge({ kind: "errors", level, bar, baseline }),
      countGauge({ kind: "stalls", level, bar, baseline }),
    ]),
  ];
}

/** Log ratio of the block's medians against the baseline's, in units of what a usual block wanders. */
function latencyGauges(bar: HarmBar, baseline: readonly HarmBlock[]): readonly HarmGauge[] {
  const ratios = baseline.flatMap((block) => (block.requests > 0 ? [logRatio(block)] : []));
  const bias = median(ratios);
  const spread = 1.4826 * median(ratios.map((ratio) => Math.abs(ratio - bias)));
  const sd = Math.max(HARM_RULES.sdMin, spread * (1 + 1 / Math.sqrt(ratios.length)));
  const limit = Math.log1p(limitRatio(bar, baseline));
  return LEVELS.map((level): HarmGauge => {
    const reference = Math.max(Math.log(HARM_RULES[level].latency), limit + Math.log(HARM_RULES.beyond.latency));
    const perUnit = (2 * (reference - limit)) / (HARM_RULES.inflation * sd * sd);
    return {
      kind: "latency",
      level,
      bar,
      bias,
      reference,
      evidence: (block) => (block.requests > 0 ? perUnit * (logRatio(block) - bias - reference) : undefined),
    };
  });
}

/**
 * Failures of the shadow alone less those of the control alone, weighed so that a plan at its limit gains nothing in the
 * mean of its exponential (Wald's root for the difference of two Poisson counts).
 */
function countGauge(options: {
  readonly kind: "errors" | "stalls";
  readonly level: Level;
  readonly bar: HarmBar;
  readonly baseline: readonly HarmBlock[];
}): HarmGauge {
  const { kind, level, bar, baseline } = options;
  const requests = sum(baseline.map((block) => block.requests));
  const before = baseline.map((block) => failuresOf(kind, block));
  const rate = (role: Role): number =>
    (sum(before.map((counts) => counts[role])) + HARM_RULES.luckyFailures) / requests;
  const bias = usualShare(
    baseline.flatMap((block) => (block.requests > 0 ? [netFailures(kind, block) / block.requests] : [])),
  );
  const reference = Math.max(HARM_RULES[level].errors, bar.errors.limit + HARM_RULES.beyond.errors);
  const perFailure = waldRoot(rate("shadow") + bar.errors.limit, rate("control"), reference + bias);
  return {
    kind,
    level,
    bar,
    bias,
    reference,
    evidence: (block) => perFailure * (netFailures(kind, block) - (reference + bias) * block.requests),
  };
}

/** Mean without the highest and the lowest fifth: one burst of failures on either twin before the plan is no bias of theirs. */
function usualShare(shares: readonly number[]): number {
  const cut = Math.floor(shares.length / 5);
  const kept = shares.toSorted((a, b) => a - b).slice(cut, shares.length - cut);
  return kept.length === 0 ? 0 : sum(kept) / kept.length;
}

function failuresOf(kind: "errors" | "stalls", block: HarmBlock): Arms<number> {
  return kind === "errors" ? { control: block.controlOnly, shadow: block.shadowOnly } : block.stalled;
}

/** Requests that failed, or stalled, on the shadow beyond the control's. */
export function netFailures(kind: "errors" | "stalls", block: HarmBlock): number {
  const { control, shadow } = failuresOf(kind, block);
  return shadow - control;
}

/** Natural log of the shadow's median over the control's. */
export function logRatio({ medianLn }: HarmBlock): number {
  return medianLn.shadow - medianLn.control;
}

const ROOT_MAX = 3;

/** Positive root t of up (e^t - 1) + down (e^-t - 1) = mean t, at most 3: beyond it one failure would be too much. */
function waldRoot(up: number, down: number, mean: number): number {
  const excess = (t: number): number => up * Math.expm1(t) + down * Math.expm1(-t) - mean * t;
  let [low, high] = [0, ROOT_MAX];
  if (excess(high) <= 0) return high;
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (excess(middle) > 0) high = middle;
    else low = middle;
  }
  return low;
}

function limitRatio({ latency }: HarmBar, baseline: readonly HarmBlock[]): number {
  if (latency.scale === "ratio") return Math.max(0, latency.limit);
  return Math.max(0, latency.limit) / Math.exp(median(baseline.map((block) => block.medianLn.control)));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
