import { environmentGates } from "../../src/judge/gates.ts";
import { harmAlarm } from "../../src/judge/harm-alarm.ts";
import { JudgeLimitsSchema } from "../../src/judge/judge-limits.ts";
import { judgeSlos, type ResolvedSlo } from "../../src/judge/judge-slos.ts";
import type { SloJudgement } from "../../src/judge/verdict.ts";
import type { BlockStore } from "../../src/measure/block-store.ts";
import { SloSchema } from "../../src/measure/slo.ts";
import type { Window } from "../../src/replay/recording.ts";
import type { TrafficSpec } from "../../src/replay/traffic-spec.ts";
import { blockStoreOptions } from "../../src/run/load-session.ts";
import { type PairTable, rebased } from "./rebase.ts";
import type { Truth } from "./schedule.ts";
import type { Session } from "./session-file.ts";

/** Limits that every run is judged by, one SLO at a time, and those of them that make the overall verdict. */
const LIMITS = {
  "p50 +10%": { measure: { kind: "latency", quantile: 0.5 }, limit: { to: "+10%" } },
  "p95 +10%": { measure: { kind: "latency", quantile: 0.95 }, limit: { to: "+10%" } },
  "p99 +10%": { measure: { kind: "latency", quantile: 0.99 }, limit: { to: "+10%" } },
  "errors +0.1pp": { measure: { kind: "errors" }, limit: { to: "+0.1pp" } },
  "errors +0.2pp": { measure: { kind: "errors" }, limit: { to: "+0.2pp" } },
  "p50 +5%": { measure: { kind: "latency", quantile: 0.5 }, limit: { to: "+5%" } },
  "p95 +5%": { measure: { kind: "latency", quantile: 0.95 }, limit: { to: "+5%" } },
} as const;
export type LimitName = keyof typeof LIMITS;
export const LIMIT_NAMES: readonly LimitName[] = Object.keys(LIMITS) as LimitName[];
const OVERALL: readonly LimitName[] = ["p50 +10%", "p95 +10%", "p99 +10%", "errors +0.2pp"];

/** A block: shorter ones are for twins with a calibration. */
const LOOK_EVERY_MS = 5000;

/** How one run ended for one limit, or for all of OVERALL together. */
export interface Ending {
  readonly verdict: "promote" | "reject" | "hold";
  /** From the plan's settling to the answer, s; absent where there was none. */
  readonly seconds?: number;
}

/** One limit of one run; numbers of the last look. */
export interface JudgedLimit extends Ending {
  readonly name: LimitName;
  readonly estimate: number | null;
  readonly blockMs: number;
  readonly blockSd: number;
  readonly varianceInflation: number;
  readonly biasRemoved: number;
}

/** One run of the campaign. */
export interface RealRun {
  readonly truth: Truth;
  readonly ratePerSecond: number;
  /** Its place in the session. */
  readonly atMs: number;
  readonly limits: readonly JudgedLimit[];
  readonly overall: Ending;
  /** Codes of what the environment gave reason to doubt; any of them makes the overall verdict a hold. */
  readonly gates: readonly string[];
  /** From the harm's first instant to the alarm, s. */
  readonly alarmSeconds: number | null;
}

/** Judges every stretch of a session for which there is enough clean traffic before it. */
export function judgeSession(session: Session, table: PairTable, traffic: TrafficSpec): readonly RealRun[] {
  if (session.bottleneck !== undefined) return [];
  return runsOf(session).map(({ truth, baseline, after, settleMs }) => {
    const store = rebased(table, [...baseline, ...after], blockStoreOptions(traffic));
    const baselineMs = lengthMs(baseline);
    const harmed: Window = { fromMs: baselineMs, toMs: baselineMs + lengthMs(after) };
    const windows = { baseline: { fromMs: 0, toMs: baselineMs }, harmed, settleMs };
    return {
      truth,
      ratePerSecond: session.ratePerSecond,
      atMs: after[0]?.fromMs ?? 0,
      ...judgeRun(store, windows, session.cores),
    };
  });
}

interface Prepared {
  readonly truth: Truth;
  readonly baseline: readonly Window[];
  readonly after: readonly Window[];
  readonly settleMs: number;
}

/**
 * Harmed stretches as they are; A/A from the clean ones, each used once as the stretch that is judged, however often it
 * serves later ones as their baseline.
 */
function runsOf({ stretches, lengths }: Session): readonly Prepared[] {
  const settleMs = lengths.settle * 1000;
  const clean: Window[] = [];
  let waiting: Window[] = [];
  const runs: Prepared[] = [];
  for (const [i, { kind, fromMs, toMs }] of stretches.entries()) {
    const baseline = lastOf(clean, lengths.baseline * 1000);
    if (kind !== "clean") {
      if (baseline !== undefined) runs.push({ truth: kind, baseline, after: [{ fromMs, toMs }], settleMs });
      continue;
    }
    const calm = { fromMs: fromMs + settleMs, toMs };
    const before = lastOf(clean.slice(0, clean.length - waiting.length), lengths.baseline * 1000);
    clean.push(calm);
    if (i === 0 || before === undefined) continue;
    waiting = [...waiting, calm];
    if (lengthMs(waiting) < lengths.harmed * 1000) continue;
    runs.push({ truth: "aa", baseline: before, after: waiting, settleMs: 0 });
    waiting = [];
  }
  return runs;
}

/** The latest clean windows that make up this long, the first of them cut; undefined while there is less. */
function lastOf(clean: readonly Window[], wantedMs: number): readonly Window[] | undefined {
  const parts: Window[] = [];
  let missingMs = wantedMs;
  for (const { fromMs, toMs } of clean.toReversed()) {
    if (missingMs <= 0) break;
    const usedMs = Math.min(missingMs, toMs - fromMs);
    parts.unshift({ fromMs: toMs - usedMs, toMs });
    missingMs -= usedMs;
  }
  return missingMs > 0 ? undefined : parts;
}

function judgeRun(
  store: BlockStore,
  { baseline, harmed, settleMs }: { readonly baseline: Window; readonly harmed: Window; readonly settleMs: number },
  cores: Session["cores"],
): Pick<RealRun, "limits" | "overall" | "gates" | "alarmSeconds"> {
  const after = { fromMs: harmed.fromMs + settleMs, toMs: harmed.toMs };
  const seconds = (after.toMs - after.fromMs) / 1000;
  const limits = JudgeLimitsSchema.parse({
    blockSeconds: LOOK_EVERY_MS / 1000,
    observeSecondsMax: Math.max(10, Math.round(seconds)),
  });
  const lookAt = (slos: readonly ResolvedSlo[], toMs: number): readonly SloJudgement[] =>
    judgeSlos({ store, slos, limits, restarted: false, windows: { baseline, after: { fromMs: after.fromMs, toMs } } });
  const count = Math.floor((seconds * 1000) / LOOK_EVERY_MS);
  const looksMs = Array.from({ length: count }, (_, look) => after.fromMs + LOOK_EVERY_MS * (look + 1));
  const overallSlos = OVERALL.map(sloNamed);
  const gates = environmentGates({
    store,
    slos: overallSlos,
    limits,
    restarted: false,
    cores,
    windows: { baseline, after },
  });
  const alarm = harmAlarm({ store, slos: overallSlos.map(({ slo }) => slo), baseline, window: harmed });
  const overall = endingOf(
    looksMs.map((toMs) => ({ toMs, slos: lookAt(overallSlos, toMs) })),
    after.fromMs,
  );
  return {
    limits: LIMIT_NAMES.map((name) =>
      judgedLimit(
        name,
        looksMs.map((toMs) => ({ toMs, slos: lookAt([sloNamed(name)], toMs) })),
        after.fromMs,
      ),
    ),
    overall: overall.verdict === "promote" && gates.length > 0 ? { verdict: "hold" } : overall,
    gates: [...new Set(gates.map(({ code }) => code))],
    alarmSeconds: alarm === undefined ? null : alarm.afterSeconds,
  };
}

interface Looked {
  readonly toMs: number;
  readonly slos: readonly SloJudgement[];
}

/** As a run ends: at the first look at which one SLO is outside or all are inside. */
function endingOf(looks: readonly Looked[], fromMs: number): Ending {
  for (const { toMs, slos } of looks) {
    const seconds = (toMs - fromMs) / 1000;
    if (slos.some(({ state }) => state === "fail")) return { verdict: "reject", seconds };
    if (slos.every(({ state }) => state === "pass")) return { verdict: "promote", seconds };
  }
  return { verdict: "hold" };
}

function judgedLimit(name: LimitName, looks: readonly Looked[], fromMs: number): JudgedLimit {
  const last = looks.at(-1)?.slos[0];
  return {
    name,
    ...endingOf(looks, fromMs),
    estimate: last?.estimate ?? null,
    blockMs: last?.blocks.blockMs ?? 0,
    blockSd: last?.blockSd ?? 0,
    varianceInflation: last?.varianceInflation ?? 1,
    biasRemoved: last?.biasRemoved ?? 0,
  };
}

function sloNamed(name: LimitName): ResolvedSlo {
  return { slo: SloSchema.parse({ name: name.replace(/[^a-z0-9]+/g, "-").replace(/-$/, ""), ...LIMITS[name] }) };
}

function lengthMs(windows: readonly Window[]): number {
  return windows.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}
