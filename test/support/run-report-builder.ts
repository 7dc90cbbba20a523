import { seededRandom } from "../../src/core/random.ts";
import { explain } from "../../src/judge/explain.ts";
import { DEFAULT_JUDGE_LIMITS } from "../../src/judge/judge-limits.ts";
import type { Reason, SloJudgement, Verdict } from "../../src/judge/verdict.ts";
import type { RunReport } from "../../src/report/run-report.ts";
import { actionRecords, buildPlan, quietProof, rollbackProof } from "./run-report-plan.ts";
import { buildDistributions, buildTrails, driverReport, PHASE_WINDOWS, routeSummaries } from "./run-report-traffic.ts";

const STARTED_EPOCH_MS = Date.UTC(2026, 10, 22, 10, 15, 30);

/** What a test may choose; everything else is realistic and follows from the seed. */
export interface RunReportOptions {
  readonly verdict: Verdict["kind"];
  readonly seed?: number;
  readonly slos?: readonly SloJudgement[];
  readonly reasons?: readonly [Reason, ...Reason[]];
}

/** A run report as the flagship scenario would leave it behind, with the chosen outcome; equal options, equal report. */
export function buildRunReport(options: RunReportOptions): RunReport {
  const seed = options.seed ?? 7;
  const random = seededRandom(seed);
  const slos = options.slos ?? sloJudgements(options.verdict);
  const verdict = { kind: options.verdict, reasons: options.reasons ?? REASONS[options.verdict] };
  return {
    schema: "canary.report/v1",
    runId: `20261122-101530-${seed.toString(16).padStart(4, "0")}`,
    harnessVersion: "0.1.0",
    startedEpochMs: STARTED_EPOCH_MS,
    finishedEpochMs: STARTED_EPOCH_MS + 348_000,
    scenario: { name: "scale-batch-workers", file: "scenarios/scale-batch-workers.yaml", sha256: "51d0".repeat(16) },
    environment: { id: "production/eu-west", class: "production" },
    plan: buildPlan(),
    mirror: {
      name: "shop",
      sha256: "a1b2".repeat(16),
      fidelity: ["payments.example is a stub: its latency and its limits are not real", "1% of production's rows"],
      facts: {
        isolation: "strict",
        cores: { kind: "pinned", control: "0", shadow: "1" },
        images: {
          api: `sha256:${"6e0c".repeat(16)}`,
          worker: `sha256:${"90aa".repeat(16)}`,
          db: `sha256:${"41bd".repeat(16)}`,
        },
        engine: "docker 26.1.5",
        raiseMs: 1_840,
        prepared: true,
      },
    },
    verdict,
    slos,
    explanation: explain({
      verdict,
      slos,
      limits: DEFAULT_JUDGE_LIMITS,
      phases: PHASE_WINDOWS,
      late: { without: { late: 2, seconds: 119 }, inForce: { late: 0, seconds: 146 } },
      cores: "pinned",
    }),
    quiet: quietProof(options.verdict),
    rollback: rollbackProof(options.verdict),
    actions: actionRecords(),
    consequences: [
      { path: "db/db/shop/rows/jobs", kind: "changed", before: "41 208 rows", after: "36 112 rows" },
      { path: "redis/cache/queue:depth", kind: "changed", before: "41208", after: "36112" },
    ],
    noise: ["db/db/shop/rows/orders column created_at", "redis/cache/session:*"],
    stubCalls: [{ host: "payments.example", method: "POST", path: "/v1/charges", control: 5_402, shadow: 5_398 }],
    traffic: {
      seed,
      ratePerSecond: 150,
      arrivals: "poisson",
      routes: routeSummaries(random),
      driver: driverReport(),
      phases: PHASE_WINDOWS,
    },
    distributions: buildDistributions(random),
    trails: buildTrails(slos, random),
    timeline: TIMELINE,
    measuringShare: 0.78,
    bundleSha256: "c0de".repeat(16),
  };
}

const REASONS: Readonly<Record<Verdict["kind"], readonly [Reason, ...Reason[]]>> = {
  promote: [
    {
      code: "ALL_SHOWN",
      message: "all 3 SLOs lie inside their accepted ranges, both proofs hold and the undo took 4.2 s of 30 s",
    },
  ],
  hold: [
    {
      code: "UNDERPOWERED",
      subject: "checkout-latency",
      message:
        "checkout-latency lies between -4.1% and +14.8%, accepted is +10% or less; about 9 more minutes would decide",
    },
  ],
  reject: [
    {
      code: "SLO_OUTSIDE_RANGE",
      subject: "checkout-latency",
      message: "checkout-latency rose by at least +21.4%, accepted is +10% or less",
    },
    {
      code: "UNDECLARED_EFFECT",
      subject: "more-workers",
      message: "more-workers changed service/worker/memory, which the plan does not declare",
    },
    { code: "UNDO_NOT_PROVEN", message: "1 resource was not put back: service/worker/memory" },
  ],
};

/** As a run writes it: phases and actions without their ends, in the order in which they were noted. */
const TIMELINE: RunReport["timeline"] = [
  { atMs: -9_200, kind: "phase", label: "admit" },
  { atMs: -9_100, kind: "phase", label: "raise" },
  { atMs: -7_260, kind: "phase", label: "quiet-proof" },
  { atMs: 0, kind: "phase", label: "warm-up" },
  { atMs: 15_000, kind: "phase", label: "baseline" },
  { atMs: 134_000, kind: "barrier", label: "barrier before the plan" },
  { atMs: 135_000, kind: "phase", label: "replay" },
  { atMs: 135_200, kind: "action", label: "more-workers" },
  { atMs: 139_000, kind: "action", label: "open-fast-lane" },
  { atMs: 139_400, kind: "phase", label: "settle" },
  { atMs: 154_400, kind: "phase", label: "observe" },
  { atMs: 300_000, kind: "phase", label: "rollback" },
  { atMs: 300_000, kind: "undo", label: "open-fast-lane" },
  { atMs: 300_200, kind: "undo", label: "more-workers" },
  { atMs: 304_200, kind: "phase", label: "recover" },
  { atMs: 331_000, kind: "phase", label: "barrier" },
  { atMs: 331_100, kind: "barrier", label: "barrier after the undo" },
  { atMs: 332_400, kind: "phase", label: "judge" },
  { atMs: 212_000, kind: "note", label: "control paused 240 ms; block left out" },
];

/** Numbers between blocks and an interval, as they would have made it. */
function derivationOf(
  scale: "log" | "absolute",
  seen: Pick<SloJudgement, "interval" | "biasRemoved"> & { readonly estimate: number },
): NonNullable<SloJudgement["derivation"]> {
  const onScale = (value: number): number => (scale === "log" ? Math.log1p(value) : value);
  const { estimate, interval, biasRemoved } = seen;
  const half = (onScale(interval.hi) - onScale(interval.lo)) / 2;
  const wider = (interval.hi - interval.lo) / 10;
  return {
    design: "before-after",
    scale,
    estimateBefore: onScale(biasRemoved),
    estimateAfter: onScale(estimate) + onScale(biasRemoved),
    biasKept: 1,
    bias: { tau: 0, calibrated: true },
    standardError: half / 4.18,
    degrees: 20.2,
    critical: 4.18,
    widening: 0,
    sdFloored: false,
    rejectInterval: { level: 0.997, lo: interval.lo - wider, hi: interval.hi + wider },
    blockDoublings: ["5 s held 2.1 requests beyond the quantile, 3 are needed"],
    invalidBlocks: { before: 1, after: 0 },
    observations: { before: 18_020, after: 21_718 },
  };
}

const BLOCKS = { before: 12, after: 14, invalid: 1, blockMs: 10_000, effective: 12.6 };

/** Judgements of three SLOs on three scales, as each verdict would show them. */
export function sloJudgements(kind: Verdict["kind"]): readonly SloJudgement[] {
  return [jobsDone(), checkoutLatency(kind), checkoutErrors(kind)];
}

function jobsDone(): SloJudgement {
  return {
    name: "jobs-done",
    accepted: { scale: "ratio", lo: 0.8, hi: 2.2 },
    limit: { scale: "ratio", lo: 0, hi: Number.POSITIVE_INFINITY },
    promised: { scale: "ratio", lo: 0.8, hi: 2.2 },
    unit: "",
    state: "pass",
    estimate: 1.873,
    interval: { level: 0.99, lo: 1.741, hi: 2.012 },
    blocks: BLOCKS,
    varianceInflation: 1.1,
    blockSd: 0.041,
    biasRemoved: -0.004,
    minimalDetectable: 0.062,
    levels: { controlBefore: 20.1, controlAfter: 20.3, shadowBefore: 20, shadowAfter: 58.1, unit: "per second" },
    derivation: derivationOf("log", {
      estimate: 1.873,
      interval: { level: 0.99, lo: 1.741, hi: 2.012 },
      biasRemoved: -0.004,
    }),
    note: "",
  };
}

const LATENCY_BY_VERDICT: Readonly<Record<Verdict["kind"], Pick<SloJudgement, "state" | "estimate" | "interval">>> = {
  promote: { state: "pass", estimate: 0.0123, interval: { level: 0.99, lo: -0.031, hi: 0.0562 } },
  hold: { state: "open", estimate: 0.0531, interval: { level: 0.99, lo: -0.0412, hi: 0.1484 } },
  reject: { state: "fail", estimate: 0.318, interval: { level: 0.99, lo: 0.2141, hi: 0.4297 } },
};

function checkoutLatency(kind: Verdict["kind"]): SloJudgement {
  const seen = LATENCY_BY_VERDICT[kind];
  return {
    name: "checkout-latency",
    accepted: { scale: "ratio", lo: Number.NEGATIVE_INFINITY, hi: 0.1 },
    limit: { scale: "ratio", lo: Number.NEGATIVE_INFINITY, hi: 0.15 },
    promised: { scale: "ratio", lo: Number.NEGATIVE_INFINITY, hi: 0.1 },
    unit: "",
    ...seen,
    blocks: BLOCKS,
    varianceInflation: 1.3,
    blockSd: 0.079,
    biasRemoved: 0.006,
    minimalDetectable: 0.071,
    ...(kind === "hold" ? { secondsToDecision: 540 } : {}),
    levels: {
      controlBefore: 41.2,
      controlAfter: 41.6,
      shadowBefore: 41.4,
      shadowAfter: 41.6 * (1 + (seen.estimate ?? 0)),
      unit: "ms",
    },
    derivation: derivationOf("log", { ...seen, estimate: seen.estimate ?? 0, biasRemoved: 0.006 }),
    note: "p99 of POST /checkout",
  };
}

function checkoutErrors(kind: Verdict["kind"]): SloJudgement {
  return {
    name: "checkout-errors",
    accepted: { scale: "absolute", lo: Number.NEGATIVE_INFINITY, hi: 0.002 },
    limit: { scale: "absolute", lo: Number.NEGATIVE_INFINITY, hi: 0.002 },
    unit: "pp",
    state: kind === "hold" ? "open" : "pass",
    estimate: 0.0002,
    interval: { level: 0.99, lo: -0.0006, hi: kind === "hold" ? 0.0024 : 0.0011 },
    blocks: BLOCKS,
    varianceInflation: 1,
    blockSd: 0.0011,
    biasRemoved: 0,
    minimalDetectable: 0.0013,
    ...(kind === "hold" ? { secondsToDecision: 40 } : {}),
    levels: { controlBefore: 0.0019, controlAfter: 0.0021, shadowBefore: 0.002, shadowAfter: 0.0023, unit: "ratio" },
    requestTest: { shadowOnly: 9, controlOnly: 7, neither: 21_702, logPass: 5.2, logFail: -1.3 },
    derivation: derivationOf("absolute", {
      estimate: 0.0002,
      interval: { level: 0.99, lo: -0.0006, hi: 0.0011 },
      biasRemoved: 0,
    }),
    note: "",
  };
}
