import { z } from "zod";
import type { Measure } from "../measure/slo.ts";

/** Fewer rounds can not carry an interval at the levels of a verdict. */
const ROUNDS_MIN = 8;

/** `before-after`: one baseline, one observation. `switchback`: rounds of the plan in force and undone (decision 0008). */
export const DesignSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("before-after") }),
  z.strictObject({
    kind: z.literal("switchback"),
    rounds: z.number().int().min(ROUNDS_MIN).max(200).default(12),
    /** Measured with the plan in force, and without it, in each round. */
    secondsOn: z.number().int().min(4).max(600).default(10),
    secondsOff: z.number().int().min(4).max(600).default(10),
    /** Left out after each act and each undo; at least `restartSettleSeconds` where a process is replaced. */
    settleSeconds: z.number().int().min(1).max(120).default(3),
  }),
]);
/** The rounds of a switchback as a scenario asks for them. */
export type SwitchbackDesign = Extract<z.infer<typeof DesignSchema>, { readonly kind: "switchback" }>;

/**
 * The `judge` block of a scenario: what the operator counts as acceptable doubt. Every default is STATISTICS.md 2 to 4.
 * The least numbers of blocks can only be raised: with three blocks after the plan 1.2% of harmful plans got through.
 */
export const JudgeLimitsSchema = z.strictObject({
  /** One-sided error of each bound of each SLO. */
  alpha: z.number().min(0.0001).max(0.05).default(0.01),
  /** Prior variance of effect over block sd. */
  g: z.number().min(0.1).max(10).default(1),
  /**
   * Shortest block of request signals (latency, errors, served, counters, histograms); CPU never below 10. Below 5 only as
   * far as a calibration profile shows that such blocks stand alone (docs/decisions/0006).
   */
  blockSeconds: z.number().int().min(2).max(60).default(10),
  /** Shortest block of gauges: memory, gauge, sql. */
  gaugeBlockSeconds: z.number().int().min(10).max(60).default(30),
  minBlocksBefore: z.number().int().min(20).max(2000).default(20),
  minBlocksAfter: z.number().int().min(6).max(2000).default(6),
  /** Least baseline, also where fewer blocks would do; absent: as long as blocks and noise ask for (decision 0009). */
  baselineSeconds: z.number().int().min(10).max(7200).exactOptional(),
  /** The longest that a baseline may be extended to. */
  baselineSecondsMax: z.number().int().min(10).max(7200).default(600),
  observeSecondsMax: z.number().int().min(10).max(14_400).default(1800),
  /** Discarded after the last action: caches, connections and JITs settle. */
  settleSeconds: z.number().int().min(0).max(600).default(30),
  restartSettleSeconds: z.number().int().min(0).max(600).default(60),
  /** How the plan is compared with its absence; switchback applies and undoes it again and again. */
  design: DesignSchema.prefault({ kind: "before-after" }),
  /** Between the rounds of a switchback the twins swap their cores, where each has its own. */
  swapCores: z.enum(["auto", "never"]).default("auto"),
});
export type JudgeLimits = z.infer<typeof JudgeLimitsSchema>;

/** What holds when a scenario says nothing. */
export const DEFAULT_JUDGE_LIMITS: JudgeLimits = JudgeLimitsSchema.parse({});

/** Rules that nobody may loosen; shares and rates are fractions, ratios logs' natural meaning (0.1 is 10%). */
export const JUDGE_RULES = {
  /** CPU counters were anti-conservative in shorter blocks (autocorrelation time 10 s). */
  cpuBlockMsMin: 10_000,
  /** After 20 blocks of CPU 1.1% of harmful plans got through, after 60 0.3% (docs/decisions/0006). */
  cpuBlocksBeforeMin: 30,
  blockMsMax: 60_000,
  /**
   * Shorter blocks of requests need a calibration: a baseline of 20 of them is over before slow noise shows, and 2.5% of
   * harmful plans got through (docs/decisions/0006).
   */
  uncalibratedBlockMsMin: 5000,
  /** Fewer blocks of a length in a calibration say nothing of it. */
  calibratedBlocksMin: 20,
  /**
   * Shorter windows of a calibration say nothing of autocorrelation: noise that leans for 30 s does not show within 40 s,
   * and 6% of harmful plans got through blocks that such windows vouched for (docs/decisions/0006).
   */
  vouchingWindowSecondsMin: 100,
  /** Fewer exceedances of a quantile in one block, and the block is doubled. */
  blockExceedancesMin: 1,
  /** Fewer over all blocks after the plan, and the quantile is not judged. */
  exceedancesMin: 30,
  /** More autocorrelation before the plan, and the block is doubled. */
  blockInflationMax: 2.5,
  /** More invalid blocks after the plan, and there is no data. */
  invalidShareMax: 0.2,
  /** Loss of requests on the shadow beyond the control's; of readings, on either twin beyond the other's. */
  asymmetricLossMax: 0.05,
  /** A series that stands still is taken for frozen where its own past, or its twin, gives that less than this chance. */
  frozenChance: 0.001,
  /** Share of late seconds after the plan beyond the one before it, from so many late seconds on. */
  lateShiftMax: 0.1,
  lateSecondsMin: 3,
  /** Once more than that was seen, what has to be left of it before a pass ends the run: a lucky dip is no mending. */
  lateMendedShiftMax: 0.05,
  /** Rates of requests on the two sides of the comparison further apart than this say nothing of each other. */
  rateShiftMax: 3,
  /** Twins' own difference before the plan. */
  twinsDifferMax: 0.1,
  /** Level at which a control is shown to follow the plan, a quarter of it for each SLO: disk, caches and engine are shared on own cores too. */
  controlFollowsAlpha: { shared: 0.01, pinned: 0.001 },
  /** Rounds of a switchback before anything passes. */
  roundsMin: ROUNDS_MIN,
  /** A control that fails more often than this shows nothing. */
  controlErrorsMax: 0.5,
  /** Share of a route's requests that the shadow may serve less before work shrank. */
  workShrinkMax: 0.01,
  /**
   * Harm alarm while the plan acts, settles or is undone: in any stretch of this length, a larger share of requests that
   * failed on the shadow only is gross harm. Ten seconds, so that the length of settling does not dilute an outage.
   */
  alarm: { blockMs: 10_000, excessShareMax: 0.1 },
  /** Chance with which forecasts are to come true, as a normal quantile (80%). */
  forecastZ: 0.8416,
  /** A calibrated bias is never believed to be smaller. */
  tauRatioMin: 0.005,
  /** Assumed sd of a bias that a restart draws anew and nobody calibrated: only evidence beyond it may reject. */
  uncalibratedBias: { log: 0.05, absolute: 0.05, errors: 0.001 },
} as const;

/** What a measure needs of these limits: never less than what it was shown to be safe with. */
export function limitsFor(measure: Measure, limits: JudgeLimits): JudgeLimits {
  if (measure.kind !== "cpu") return limits;
  return { ...limits, minBlocksBefore: Math.max(limits.minBlocksBefore, JUDGE_RULES.cpuBlocksBeforeMin) };
}

/** Seconds dropped after the last action. */
export function settleSeconds(limits: JudgeLimits, restarted: boolean): number {
  return restarted ? Math.max(limits.settleSeconds, limits.restartSettleSeconds) : limits.settleSeconds;
}

/**
 * The rounds as they are played: what replaces a process leaves it cold, with the plan and without it alike, and a cost that
 * both sides pay makes what the plan adds a smaller share. So rounds settle as long as any run does after a restart.
 */
export function playedDesign(design: SwitchbackDesign, limits: JudgeLimits, restarted: boolean): SwitchbackDesign {
  if (!restarted) return design;
  return { ...design, settleSeconds: Math.max(design.settleSeconds, limits.restartSettleSeconds) };
}

/** The block a measure starts with, before noise or rarity double it. */
export function shortestBlockMs(measure: Measure, limits: JudgeLimits): number {
  switch (measure.kind) {
    case "latency":
    case "errors":
    case "served":
    case "counter":
    case "histogram":
      return limits.blockSeconds * 1000;
    case "cpu":
      return Math.max(JUDGE_RULES.cpuBlockMsMin, limits.blockSeconds * 1000);
    case "memory":
    case "gauge":
    case "sql":
      return limits.gaugeBlockSeconds * 1000;
  }
}
