import type { SloJudgement } from "../../src/judge/verdict.ts";
import type { DriverReport, RecordingManifest } from "../../src/replay/recording.ts";
import type { Distribution, RouteSummary, RunReport, SloTrail } from "../../src/report/run-report.ts";

const ROUTES = [
  { route: "browse", p50: 6.1, sigma: 0.45, share: 0.55 },
  { route: "search", p50: 14.8, sigma: 0.5, share: 0.25 },
  { route: "checkout", p50: 19.5, sigma: 0.38, share: 0.15 },
  { route: "stock-grpc", p50: 3.2, sigma: 0.3, share: 0.05 },
] as const;

export const PHASE_WINDOWS: RecordingManifest["phases"] = {
  warmup: { fromMs: 0, toMs: 15_000 },
  baseline: { fromMs: 15_000, toMs: 135_000 },
  acting: { fromMs: 135_000, toMs: 139_400 },
  settling: { fromMs: 139_400, toMs: 154_400 },
  observing: { fromMs: 154_400, toMs: 300_000 },
  undoing: { fromMs: 300_000, toMs: 304_200 },
  recovery: { fromMs: 304_200, toMs: 330_000 },
};

export function driverReport(): DriverReport {
  return {
    sent: 49_512,
    completed: 49_512,
    dropped: 0,
    sendLagMsP50: 0.11,
    sendLagMsP99: 0.94,
    sendLagMsMax: 6.2,
    priority: "realtime",
    lateSlots: 0.003,
    bottleneck: { kind: "no" },
  };
}

/** Quantiles and counts per route, twins alike but for a few percent. */
export function routeSummaries(random: () => number): RunReport["traffic"]["routes"] {
  return ROUTES.map(({ route, p50, sigma, share }) => {
    const requests = Math.round(21_840 * share);
    const summary = (): RouteSummary => {
      const scale = 1 + 0.04 * (random() - 0.5);
      const errors = Math.round(requests * 0.002 * random() * 2);
      const latencyMs = {
        p50: p50 * scale,
        p95: p50 * scale * Math.exp(1.645 * sigma),
        p99: p50 * scale * Math.exp(2.326 * sigma),
      };
      return { requests, ok: requests - errors, errors, blocked: 0, latencyMs };
    };
    return { route, control: summary(), shadow: summary() };
  });
}

/** Log-spaced histograms of a log-normal latency per route. */
export function buildDistributions(random: () => number): readonly Distribution[] {
  return ROUTES.map(({ route, p50, sigma, share }) => {
    const edgesMs = Array.from({ length: 41 }, (_, i) => Number((p50 * Math.exp((i - 18) * 0.1)).toPrecision(4)));
    const counts = (shift: number): number[] =>
      edgesMs.slice(0, -1).map((edge) => {
        const z = (Math.log(edge / p50) + 0.05 - shift) / sigma;
        return Math.round(21_840 * share * 0.1 * Math.exp(-0.5 * z * z) * (0.9 + 0.2 * random()));
      });
    return { route, edgesMs, counts: { control: counts(0), shadow: counts(route === "checkout" ? 0.03 : 0) } };
  });
}

/** A trail per SLO: levels per 10 s block, and looks whose interval closes on the final one. */
export function buildTrails(slos: readonly SloJudgement[], random: () => number): readonly SloTrail[] {
  return slos.map((slo) => {
    const { levels, interval } = slo;
    const estimate = slo.estimate ?? 0;
    const wobble = (value: number): number => value * (1 + 0.05 * (random() - 0.5));
    const blocks = Array.from({ length: 29 }, (_, i) => {
      const atMs = 15_000 + i * 10_000;
      const after = atMs >= 150_000;
      return {
        atMs,
        control: wobble(after ? levels.controlAfter : levels.controlBefore),
        shadow: wobble(after ? levels.shadowAfter : levels.shadowBefore),
      };
    });
    const looks = Array.from({ length: 14 }, (_, i) => {
      const widening = Math.sqrt(14 / (i + 1));
      const half = ((interval.hi - interval.lo) / 2) * widening;
      const middle = (interval.hi + interval.lo) / 2 + (random() - 0.5) * half * 0.2;
      const unknown = i === 0 || !Number.isFinite(half);
      return {
        atMs: 165_000 + i * 10_000,
        estimate: estimate * (1 + 0.2 * (random() - 0.5)),
        lo: unknown ? null : i === 13 ? interval.lo : middle - half,
        hi: unknown ? null : i === 13 ? interval.hi : middle + half,
      };
    });
    return { name: slo.name, blocks, looks };
  });
}
