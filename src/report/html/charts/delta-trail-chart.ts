import type { CustomSeriesRenderItem, EChartsOption } from "echarts";
import { describeDelta } from "../../../core/delta-range.ts";
import type { SloJudgement } from "../../../judge/verdict.ts";
import { describeLevel } from "../../amounts.ts";
import { type DeltaDomain, deltaDomain } from "../../delta-domain.ts";
import { shorten } from "../../plain-text.ts";
import type { SloTrail, TimelineEntry } from "../../run-report.ts";
import { type Chart, type ChartPicture, COLOR } from "./chart-painter.ts";

/** How one SLO went: above the level of both twins, below the delta with its interval closing on the accepted band. */
export function deltaTrailChart(
  slo: SloJudgement,
  trail: SloTrail,
  timeline: readonly TimelineEntry[],
  id: string,
): Chart {
  const title = `${slo.name} over time: level of both twins, and the delta between them with its interval`;
  return { id, title, wide: 980, narrow: 340, draw: (width) => picture(slo, trail, timeline, width) };
}

function picture(slo: SloJudgement, trail: SloTrail, timeline: readonly TimelineEntry[], width: number): ChartPicture {
  const times = [...trail.blocks, ...trail.looks].map(({ atMs }) => atMs);
  const endMs = Math.max(1_000, ...times, ...actionsOf(timeline).map(({ atMs }) => atMs));
  const startMs = Math.min(0, ...times);
  const domain = trailDomain(slo, trail);
  const left = 62;
  return {
    width,
    height: 330,
    option: {
      grid: [
        { left, right: 14, top: 34, height: 100 },
        { left, right: 14, top: 172, height: 124 },
      ],
      xAxis: [0, 1].map((gridIndex) => timeAxis(gridIndex, startMs, endMs, width)),
      yAxis: [levelAxis(slo), deltaAxis(slo, domain)],
      series: [...levelSeries(trail, timeline, width), ...deltaSeries(slo, trail, timeline, domain)],
    },
  };
}

type Series = Extract<NonNullable<EChartsOption["series"]>, readonly unknown[]>[number];

function levelSeries(trail: SloTrail, timeline: readonly TimelineEntry[], width: number): Series[] {
  return (["control", "shadow"] as const).map((role, i) => ({
    type: "line",
    xAxisIndex: 0,
    yAxisIndex: 0,
    silent: true,
    symbol: "circle",
    symbolSize: 4,
    data: trail.blocks.map((block) => [block.atMs, block[role]]),
    lineStyle: { color: COLOR[role], width: 2 },
    itemStyle: { color: COLOR[role] },
    ...(i === 0 ? { markLine: actionLines(timeline, width < 500 ? 14 : 40) } : {}),
  }));
}

function deltaSeries(
  slo: SloJudgement,
  trail: SloTrail,
  timeline: readonly TimelineEntry[],
  domain: DeltaDomain,
): Series[] {
  const clip = (value: number): number => Math.min(domain.hi, Math.max(domain.lo, value));
  const ends = trail.looks.map((look) => [look.atMs, clip(look.lo ?? domain.lo), clip(look.hi ?? domain.hi)]);
  const lines = actionLines(timeline, 0);
  const noChange = { yAxis: 0, lineStyle: { color: COLOR.muted, type: "dotted" as const } };
  return [
    {
      type: "custom",
      xAxisIndex: 1,
      yAxisIndex: 1,
      silent: true,
      clip: true,
      data: [0],
      renderItem: intervalShape(ends),
    },
    {
      type: "line",
      xAxisIndex: 1,
      yAxisIndex: 1,
      silent: true,
      symbol: "none",
      data: trail.looks.map((look) => [look.atMs, clip(look.estimate)]),
      lineStyle: { color: COLOR.ink, width: 2 },
      markArea: {
        silent: true,
        itemStyle: { color: COLOR.band, opacity: 1 },
        data: [[{ yAxis: clip(slo.accepted.lo) }, { yAxis: clip(slo.accepted.hi) }]],
      },
      markLine: { ...lines, data: [...lines.data, noChange] },
    },
  ];
}

/** The stretch between both ends of the interval, look after look. */
function intervalShape(ends: readonly (readonly number[])[]): CustomSeriesRenderItem {
  return (_params, api) => {
    const at = (timeMs: number | undefined, value: number | undefined): number[] =>
      api.coord([timeMs ?? 0, value ?? 0]);
    const lower = ends.map(([timeMs, lo]) => at(timeMs, lo));
    const upper = ends.map(([timeMs, , hi]) => at(timeMs, hi));
    return {
      type: "polygon",
      shape: { points: [...lower, ...upper.reverse()] },
      style: { fill: COLOR.ink, opacity: 0.16 },
    };
  };
}

function actionsOf(timeline: readonly TimelineEntry[]): readonly TimelineEntry[] {
  return timeline.filter((entry) => entry.kind === "action" || entry.kind === "undo");
}

/** A line where each action began to act or to be undone. @param labelChars - 0 draws none */
function actionLines(timeline: readonly TimelineEntry[], labelChars: number) {
  return {
    silent: true,
    symbol: "none",
    data: actionsOf(timeline).map((entry) => {
      const text = shorten(entry.kind === "undo" ? `undo ${entry.label}` : entry.label, labelChars);
      return {
        xAxis: entry.atMs,
        lineStyle: { color: COLOR.ink, type: "dashed" as const, width: 1 },
        label: { show: labelChars > 0, formatter: () => text, color: COLOR.ink, fontSize: 12, distance: 4 },
      };
    }),
    label: { show: false },
  };
}

function timeAxis(gridIndex: number, min: number, max: number, width: number) {
  const minutes = (atMs: number): string => `${Number((atMs / 60_000).toFixed(1))}`;
  // Whole minutes, or halves while the run is short.
  const stepMs = [15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000].find(
    (step) => (max - min) / step <= (width < 500 ? 5 : 12),
  );
  return {
    type: "value" as const,
    gridIndex,
    min,
    max,
    interval: stepMs ?? 7_200_000,
    axisLabel: {
      show: gridIndex === 1,
      formatter: (atMs: number) => `${minutes(atMs)} min`,
      showMaxLabel: false,
      color: COLOR.muted,
      fontSize: 12,
    },
    axisLine: { show: true, onZero: false, lineStyle: { color: COLOR.line } },
    axisTick: { show: gridIndex === 1, lineStyle: { color: COLOR.line } },
    splitLine: { show: false },
  };
}

function levelAxis(slo: SloJudgement) {
  return {
    type: "value" as const,
    gridIndex: 0,
    scale: true,
    splitNumber: 3,
    axisLabel: {
      formatter: (value: number) => describeLevel(value, slo.levels.unit),
      color: COLOR.muted,
      fontSize: 12,
    },
    splitLine: { lineStyle: { color: COLOR.line } },
  };
}

function deltaAxis(slo: SloJudgement, domain: DeltaDomain) {
  const label = (value: number): string => describeDelta(Number(value.toPrecision(6)), slo.accepted.scale, slo.unit);
  return {
    type: "value" as const,
    gridIndex: 1,
    min: domain.lo,
    max: domain.hi,
    splitNumber: 4,
    axisLabel: { formatter: label, showMinLabel: false, showMaxLabel: false, color: COLOR.muted, fontSize: 12 },
    axisLine: { show: false },
    splitLine: { lineStyle: { color: COLOR.line } },
  };
}

/** Wide enough for the interval's last half; its first looks may be cut, they only say "nothing known yet". */
function trailDomain(slo: SloJudgement, trail: SloTrail): DeltaDomain {
  const later = trail.looks.slice(Math.floor(trail.looks.length / 2));
  const lows = later.flatMap(({ lo }) => (lo === null ? [] : [lo]));
  const highs = later.flatMap(({ hi }) => (hi === null ? [] : [hi]));
  const interval = {
    level: slo.interval.level,
    lo: Math.min(slo.interval.lo, ...lows),
    hi: Math.max(slo.interval.hi, ...highs),
  };
  return deltaDomain({ ...slo, interval }, 1.5);
}
