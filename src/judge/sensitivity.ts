import { describeDelta } from "../core/delta-range.ts";
import type { Slo } from "../measure/slo.ts";
import type { Window } from "../replay/recording.ts";
import { boundsOf, toDelta } from "./accepted.ts";
import { duration } from "./forecast.ts";
import type { JudgeLimits } from "./judge-limits.ts";
import { logEvidenceAbove } from "./request-test.ts";
import type { Reason, SloJudgement } from "./verdict.ts";

/** What of a run's setting was put to the proof: a harm of known size, and whether it was seen. */
export interface PlantedHarm {
  /** SLO, or path of the state in which something was left. */
  readonly what: string;
  readonly kind: "latency" | "errors" | "row" | "key";
  /** `+3.2 ms on every request of checkout`. */
  readonly planted: string;
  /** The limit that it was to pass: `at most +10%`, or that nothing may differ. */
  readonly margin: string;
  /** How far beyond the limit it was to reach, delta scale; absent for state, of which any difference is too much. */
  readonly excess?: number;
  readonly caught: boolean;
  /** From the first request that the harm met to the answer, s. */
  readonly seconds: number;
  /** What was judged; absent for state. */
  readonly window?: Window;
}

/** The proof as a whole: what was planted, and what could not be. */
export interface SensitivityProof {
  readonly harms: readonly PlantedHarm[];
  readonly left: readonly { readonly what: string; readonly why: string }[];
}

/** A harm of requests that is just large enough to be certainly outside, and how long the judge gets to say so. */
export interface HarmAtMargin {
  readonly slo: string;
  readonly kind: "latency" | "errors";
  /** Latency: what the quantile moves by, ms. Errors: share of requests, 0..1. */
  readonly amount: number;
  readonly margin: string;
  /** Beyond the limit, delta scale. */
  readonly excess: number;
  readonly allowedSeconds: number;
}

/**
 * Beyond the limit by this many half-widths of the interval that the time allowed gives. With these numbers 1 of 390 harms of
 * latency and errors was missed in 195 simulated runs: its blocks happened to look correlated.
 */
const HALF_WIDTHS = 2;
/** The same for errors, in sds of the difference of shares that the harm itself brings. */
const ERROR_SDS = 9;
const ERROR_SHARE_MAX = 0.5;
/** The least number of blocks, and half as many again: the judge must not need luck. */
const ALLOWANCE = 1.5;
/** A harm is sized for this share of its time, so that a block of bad luck does not decide. */
const SIZED_FOR = 0.7;

/**
 * The harm to plant for one SLO, from what the run measured of it; or why none can be.
 * @param judged - the final look: its interval says how much this run can tell apart
 * @param now - the look after the undo: its levels are what the harm is added to
 */
export function harmAtMargin(options: {
  readonly slo: Slo;
  readonly judged: SloJudgement;
  readonly now: SloJudgement;
  readonly limits: JudgeLimits;
  readonly secondsMax: number;
  readonly sloCount: number;
}): HarmAtMargin | { readonly kind: "none"; readonly why: string } {
  const { slo, judged, now, limits } = options;
  const { measure } = slo;
  if (measure.kind !== "latency" && measure.kind !== "errors") {
    return { kind: "none", why: `no harm to ${measure.kind} can be planted in front of the service` };
  }
  const { hi } = judged.accepted;
  if (!Number.isFinite(hi)) return { kind: "none", why: "it has no upper limit to pass" };
  const allowedSeconds = allowedTime(options);
  const sizedSeconds = SIZED_FOR * allowedSeconds;
  const sizedBlocks = (sizedSeconds * 1000) / judged.blocks.blockMs;
  const halfWidth = halfWidthAfter(judged, sizedBlocks);
  if (!Number.isFinite(halfWidth)) return { kind: "none", why: "how much it varies by itself is not known" };
  const margin = `at most ${describeDelta(hi, judged.accepted.scale, judged.unit)}`;
  const harm = { slo: slo.name, margin, allowedSeconds };
  // A promise to get better is kept by a plan in force; undone, the limit to pass is the one of no change.
  if (measure.kind === "latency") {
    const excess = HALF_WIDTHS * halfWidth;
    const scale = judged.accepted.scale === "ratio" ? "log" : "absolute";
    const ratio = toDelta(boundsOf({ ...judged.accepted, hi: Math.max(0, hi) }).hi + excess, scale);
    const amount = scale === "log" ? now.levels.shadowAfter * ratio : ratio;
    return { ...harm, kind: "latency", amount, excess: ratio - Math.max(0, hi) };
  }
  const requests = pairsPerSecond(judged) * sizedSeconds;
  const level = limits.alpha / options.sloCount;
  // A baseline shorter than the look, and blocks that resemble each other, widen what the harm's own count would give.
  const shortBaseline = sizedBlocks / Math.max(1, judged.blocks.before);
  const widening = Math.sqrt(Math.max(1, shortBaseline) * judged.varianceInflation);
  const share = errorShareAbove(Math.max(0, hi), { halfWidth, requests, level, widening });
  if (share === undefined) return { kind: "none", why: `${Math.round(requests)} requests are too few to show errors` };
  return { ...harm, kind: "errors", amount: share, excess: share - hi };
}

function pairsPerSecond({ requestTest, blocks }: SloJudgement): number {
  if (requestTest === undefined || blocks.after === 0) return 0;
  const { shadowOnly, controlOnly, neither } = requestTest;
  return (shadowOnly + controlOnly + neither) / ((blocks.after * blocks.blockMs) / 1000);
}

function allowedTime(options: Parameters<typeof harmAtMargin>[0]): number {
  const { blockMs } = options.judged.blocks;
  return Math.max(options.secondsMax, (ALLOWANCE * options.limits.minBlocksAfter * blockMs) / 1000);
}

/** Half of the pass interval, effect scale, had it seen so many blocks after the plan instead of those it saw. */
function halfWidthAfter({ interval, accepted, blocks }: SloJudgement, after: number): number {
  const { lo, hi } = boundsOf({ ...accepted, lo: interval.lo, hi: interval.hi });
  const spread = (n: number): number => Math.sqrt(1 / Math.max(1, blocks.before) + 1 / Math.max(1, n));
  return (((hi - lo) / 2) * spread(after)) / spread(blocks.after);
}

/** The least share of failing requests that both tests of errors will call outside: the blocks' and the requests'. */
function errorShareAbove(
  bound: number,
  seen: { readonly halfWidth: number; readonly requests: number; readonly level: number; readonly widening: number },
): number | undefined {
  for (let share = bound + 0.001; share <= ERROR_SHARE_MAX; share *= 1.05) {
    const beyond = share - bound;
    const sd = Math.sqrt(share / seen.requests);
    if (beyond < HALF_WIDTHS * seen.halfWidth || beyond < ERROR_SDS * sd * seen.widening) continue;
    // Three sds fewer than expected must still be evidence enough.
    const shadowOnly = Math.floor(seen.requests * (share - 3 * sd));
    const pairs = { shadowOnly, controlOnly: 0, neither: Math.ceil(seen.requests) - shadowOnly };
    if (logEvidenceAbove(pairs, bound) >= Math.log(1 / seen.level)) return share;
  }
  return undefined;
}

/** What this very setting was shown to catch, in a sentence; undefined when it caught nothing. */
export function caughtSentence(proof: SensitivityProof): string | undefined {
  const caught = proof.harms.filter((harm) => harm.caught);
  if (caught.length === 0) return undefined;
  const each = caught.map(({ planted, what, kind, margin, seconds }) => {
    const where = kind === "row" || kind === "key" ? ` under ${what}` : ` (${what} ${margin})`;
    return `${planted}${where} in ${duration(seconds)}`;
  });
  return `Harm was planted after the measuring, and this setting was shown to catch it: ${each.join("; ")}.`;
}

/** What keeps a run from being promoted: every harm that went unseen, or that there was none to see. */
export function sensitivityReasons(proof: SensitivityProof): readonly Reason[] {
  const unseen = proof.harms
    .filter((harm) => !harm.caught)
    .map((harm): Reason => {
      const where =
        harm.window === undefined ? "the comparison of states" : `the judge within ${duration(harm.seconds)}`;
      const message = `${harm.planted} was planted for ${harm.what} (${harm.margin}) and not seen by ${where}.`;
      return { code: "SENSITIVITY_NOT_SHOWN", subject: harm.what, message };
    });
  if (proof.harms.length > 0) return unseen;
  const message = "No harm could be planted, so nothing shows that one would have been seen.";
  return [{ code: "SENSITIVITY_NOT_SHOWN", message }];
}
