import type { SloJudgement, Verdict } from "../../src/judge/verdict.ts";
import type { DriverPulse } from "../../src/replay/recording.ts";
import type { RunEvent } from "../../src/report/run-event.ts";
import type { RunReport } from "../../src/report/run-report.ts";

/** An event and when it arrives, ms after the start of the run. */
export interface TimedEvent {
  readonly atMs: number;
  readonly event: RunEvent;
}

/** What a run that ends in this report would have told its observers, in order. */
export function eventsOf(report: RunReport): readonly TimedEvent[] {
  const events: TimedEvent[] = [...phaseEvents(report), ...stepEvents(report), ...pulses(report), ...looks(report)];
  events.push({ atMs: 221_500, event: { kind: "note", message: "control paused 240 ms; block left out" } });
  events.push({
    atMs: 346_800,
    event: { kind: "verdict", verdict: report.verdict, reportDir: `reports/${report.runId}` },
  });
  return events.sort((a, b) => a.atMs - b.atMs);
}

/** The axis starts with the traffic, the views with the run. */
const TRAFFIC_STARTS_MS = 9_200;

function phaseEvents(report: RunReport): readonly TimedEvent[] {
  const phases = [
    ["admit", 0],
    ["raise", 100, 2_000],
    ["quiet-proof", 1_940, 8_000],
    ["warm-up", 9_200, 15_000],
    ["baseline", 24_200, 120_000],
    ["replay", 144_200],
    ["settle", 148_600, 15_000],
    ["observe", 163_600, 150_000],
    ["rollback", 309_200, 30_000],
    ["recover", 313_400, 30_000],
    ["barrier", 340_200],
    ["judge", 341_600],
    ["publish", 342_000],
    ["tear-down", 347_000],
  ] as const;
  return phases.map(([phase, atMs, expectedMs]) => ({
    atMs,
    event: {
      kind: "phase",
      phase,
      atEpochMs: report.startedEpochMs + atMs,
      ...(expectedMs === undefined ? {} : { expectedMs }),
    },
  }));
}

function stepEvents(report: RunReport): readonly TimedEvent[] {
  return report.actions.flatMap((record): readonly TimedEvent[] => {
    const { id: actionId, proof } = record;
    const [during, after] = record.phase === "act" ? (["acting", "landed"] as const) : (["undoing", "undone"] as const);
    const atMs = record.startedMs + TRAFFIC_STARTS_MS;
    return [
      { atMs, event: { kind: "step", proof, actionId, state: during, message: "" } },
      { atMs: atMs + record.durationMs, event: { kind: "step", proof, actionId, state: after, message: "" } },
    ];
  });
}

function pulses(report: RunReport): readonly TimedEvent[] {
  return Array.from({ length: 660 }, (_, i): TimedEvent => {
    const atMs = i * 500;
    const wave = Math.sin(i / 9);
    const arm = (latencyMsP99: number): DriverPulse["arms"]["control"] => ({
      ratePerSecond: report.traffic.ratePerSecond + wave * 6,
      errorRatio: Math.max(0, 0.0021 + wave * 0.002),
      latencyMsP99: latencyMsP99 + wave * 3,
      inFlight: Math.round(3 + wave * 2),
    });
    const pulse = { atMs, sendLagMsP99: 0.9, arms: { control: arm(41), shadow: arm(42.2) } };
    return { atMs: atMs + TRAFFIC_STARTS_MS, event: { kind: "pulse", pulse } };
  });
}

/** The judgements of every look: open until the last but one, then what the report says. */
function looks(report: RunReport): readonly TimedEvent[] {
  const times = report.trails[0]?.looks.map((look) => look.atMs) ?? [];
  return times.map((atMs, i) => ({
    atMs: atMs + TRAFFIC_STARTS_MS,
    event: { kind: "slos", slos: report.slos.map((slo) => judgementAt(report, slo, i, times.length)) },
  }));
}

function judgementAt(report: RunReport, slo: SloJudgement, i: number, count: number): SloJudgement {
  const look = report.trails.find((trail) => trail.name === slo.name)?.looks[i];
  if (i === count - 1 || look === undefined || slo.state === "no-data") return slo;
  const interval = {
    level: slo.interval.level,
    lo: look.lo ?? Number.NEGATIVE_INFINITY,
    hi: look.hi ?? Number.POSITIVE_INFINITY,
  };
  const inside = interval.lo >= slo.accepted.lo && interval.hi <= slo.accepted.hi;
  if (slo.state === "pass" && inside) return { ...slo, estimate: look.estimate, interval };
  return { ...slo, state: "open", estimate: look.estimate, interval, secondsToDecision: (count - 1 - i) * 10 };
}

/** What the views are told of the plan before anything happens. */
export function watchedPlanOf(report: RunReport): {
  name: string;
  intent: string;
  agent: string;
  actions: { id: string; what: string }[];
} {
  const { name, intent, agent, actions } = report.plan;
  return { name, intent, agent: agent.id, actions: actions.map(({ id, what }) => ({ id, what })) };
}

export const VERDICT_KINDS: readonly Verdict["kind"][] = ["promote", "hold", "reject"];
