import { describeLevel } from "../../amounts.ts";
import type { Distribution, RunReport } from "../../run-report.ts";
import { type Chart, type ChartPicture, COLOR } from "./chart-painter.ts";

type RouteTraffic = RunReport["traffic"]["routes"][number];

/** How long requests of one route took at both twins, on a logarithmic axis, with each twin's p99. */
export function latencyChart(distribution: Distribution, route: RouteTraffic | undefined, id: string): Chart {
  const p99 = (role: "control" | "shadow"): string =>
    route === undefined ? "unknown" : describeLevel(route[role].latencyMs.p99, "ms");
  const title = `Latency of ${distribution.route}: p99 ${p99("control")} at control, ${p99("shadow")} at shadow`;
  return { id, title, wide: 480, narrow: 340, draw: (width) => picture(distribution, route, width) };
}

function picture(distribution: Distribution, route: RouteTraffic | undefined, width: number): ChartPicture {
  const { from, to } = busyBins(distribution);
  const lo = Math.log10(Math.max(1e-3, distribution.edgesMs[from] ?? 1));
  const hi = Math.log10(Math.max(2e-3, distribution.edgesMs[to + 1] ?? 1000));
  const ticks = roundNumbers(lo, hi);
  return {
    width,
    height: 190,
    option: {
      grid: { left: 44, right: 18, top: 12, bottom: 28, outerBoundsMode: "none" },
      xAxis: {
        type: "value",
        min: lo,
        max: hi,
        axisLabel: {
          customValues: ticks,
          formatter: (log: number) => describeLevel(10 ** log, "ms"),
          color: COLOR.muted,
          fontSize: 12,
          hideOverlap: true,
        },
        axisTick: { show: true, customValues: ticks, lineStyle: { color: COLOR.line } },
        axisLine: { show: true, lineStyle: { color: COLOR.line } },
        splitLine: { show: false },
      },
      yAxis: {
        type: "value",
        splitNumber: 3,
        axisLabel: {
          formatter: (share: number) => `${Number((share * 100).toFixed(1))}%`,
          color: COLOR.muted,
          fontSize: 12,
        },
        splitLine: { lineStyle: { color: COLOR.line } },
      },
      series: (["control", "shadow"] as const).map((role) => ({
        type: "line" as const,
        step: "end" as const,
        symbol: "none",
        silent: true,
        data: shares(distribution, role, from, to),
        lineStyle: { color: COLOR[role], width: 2 },
        areaStyle: { color: COLOR[role], opacity: 0.14 },
        markLine: {
          silent: true,
          symbol: "none",
          precision: 6,
          label: { show: false },
          lineStyle: { color: COLOR[role], type: "dashed" as const, width: 1.5 },
          data: route === undefined ? [] : [{ xAxis: Math.log10(Math.max(1e-3, route[role].latencyMs.p99)) }],
        },
      })),
    },
  };
}

/** First and last bin that hold anything, one more on each side so that the curve comes down to zero. */
function busyBins({ counts }: Distribution): { readonly from: number; readonly to: number } {
  const total = counts.control.map((count, i) => count + (counts.shadow[i] ?? 0));
  const from = total.findIndex((count) => count > 0);
  const to = total.findLastIndex((count) => count > 0);
  return from < 0
    ? { from: 0, to: total.length - 1 }
    : { from: Math.max(0, from - 1), to: Math.min(total.length - 1, to + 1) };
}

function shares({ edgesMs, counts }: Distribution, role: "control" | "shadow", from: number, to: number): number[][] {
  const all = counts[role].reduce((sum, count) => sum + count, 0) || 1;
  const points = edgesMs
    .slice(from, to + 1)
    .map((edge, i) => [Math.log10(Math.max(1e-3, edge)), (counts[role][from + i] ?? 0) / all]);
  const end = edgesMs[to + 1];
  return end === undefined ? points : [...points, [Math.log10(Math.max(1e-3, end)), points.at(-1)?.[1] ?? 0]];
}

/** 1, 2 and 5 of every decade, as logarithms; fewer where many decades share the axis. */
function roundNumbers(lo: number, hi: number): number[] {
  const digits = hi - lo > 2.5 ? [1] : hi - lo > 1.6 ? [1, 3] : [1, 2, 5];
  const decades = Array.from({ length: Math.ceil(hi) - Math.floor(lo) + 1 }, (_, i) => Math.floor(lo) + i);
  return decades
    .flatMap((decade) => digits.map((digit) => decade + Math.log10(digit)))
    .filter((log) => log >= lo && log <= hi);
}
