import type { CustomSeriesRenderItem, EChartsOption } from "echarts";
import { describeDelta } from "../../../core/delta-range.ts";
import type { SloJudgement } from "../../../judge/verdict.ts";
import { describeLevel } from "../../amounts.ts";
import { type DeltaDomain, deltaDomain } from "../../delta-domain.ts";
import { shorten } from "../../plain-text.ts";
import type { SloTrail, TimelineEntry } from "../../run-report.ts";
import { type Chart, type ChartPicture, COLOR } from "./chart-painter.ts";
import { thinTrail } from "./thin-trail.ts";
import { timeAxis } from "./time-axis.ts";

/** How one SLO went: above the level of both twins, below the delta with its interval closing on the accepted band. */
export function deltaTrailChart(
  slo: SloJudgement,
  trail: SloTrail,
  timeline: readonly TimelineEntry[],
  id: string,
): Chart {
  const title = `${slo.name} over time: level of both twins, and the delta between them with its interval`;
  return {
    id,
    title,
    wide: 980,
    narrow: 340,
    draw: (width) => picture(slo, thinTrail(trail, width / 4), timeline, width),
  };
}

function picture(slo: SloJudgement, trail: SloTrail, timeline: readonly TimelineEntry[], width: number): ChartPicture {
  const times = [...trail.blocks, ...trail.looks].map(({ atMs }) => atMs);
  const endMs = Math.max(1_000, ...times, ...actionsOf(timeline).map(({ atMs }) => atMs));
  const startMs = Math.min(0, ...times);
  const domain = trailDomain(slo, trail);
  const axis = { fromMs: startMs, toMs: endMs };
  const levels = levelSeries(trail, actionLines(timeline, width < 500 ? 11 : 40, axis));
  const deltas = deltaSeries(slo, trail, actionLines(timeline, 0, axis), domain);
  // A run that ended before its first look has levels to show and no delta.
  const looked = trail.looks.some(isKnown);
  const place = { left: 62, right: 20, outerBoundsMode: "none" as const };
  const grids = [
    { ...place, top: 34, height: 100 },
    { ...place, top: 172, height: 124 },
  ].slice(0, looked ? 2 : 1);
  return {
    width,
    height: looked ? 330 : 164,
    option: {
      grid: grids,
      xAxis: grids.map((_, gridIndex) => ({
        ...timeAxis({ ...axis, width, labels: gridIndex === grids.length - 1 }),
        gridIndex,
      })),
      yAxis: looked ? [levelAxis(slo), deltaAxis(slo, domain)] : [levelAxis(slo)],
      series: looked ? [...levels, ...deltas] : levels,
    },
  };
}

type Series = Extract<NonNullable<EChartsOption["series"]>, readonly unknown[]>[number];

type MarkLines = ReturnType<typeof actionLines>;

function levelSeries(trail: SloTrail, lines: MarkLines): Series[] {
  return (["control", "shadow"] as const).map((role, i) => ({
    type: "line",
    xAxisIndex: 0,
    yAxisIndex: 0,
    silent: true,
    symbol: trail.blocks.length > 60 ? "none" : "circle",
    symbolSize: 4,
    data: trail.blocks.map((block) => [block.atMs, block[role]]),
    lineStyle: { color: COLOR[role], width: 2 },
    itemStyle: { color: COLOR[role] },
    ...(i === 0 ? { markLine: lines } : {}),
  }));
}

function deltaSeries(slo: SloJudgement, trail: SloTrail, lines: MarkLines, domain: DeltaDomain): Series[] {
  const clip = (value: number): number => Math.min(domain.hi, Math.max(domain.lo, value));
  const known = trail.looks.filter(isKnown);
  const ends = known.map((look) => [look.atMs, clip(look.lo ?? domain.lo), clip(look.hi ?? domain.hi)]);
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
      data: known.map((look) => [look.atMs, clip(look.estimate)]),
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

/** A look that knew neither bound had no estimate worth drawing either. */
function isKnown({ lo, hi }: SloTrail["looks"][number]): boolean {
  return lo !== null || hi !== null;
}

function actionsOf(timeline: readonly TimelineEntry[]): readonly TimelineEntry[] {
  return timeline.filter((entry) => entry.kind === "action" || entry.kind === "undo");
}

/** Where actions began to act or to be undone; those too close for two labels share one. */
function actionMarks(timeline: readonly TimelineEntry[], spanMs: number): readonly { atMs: number; label: string }[] {
  const marks: { atMs: number; words: string; more: number }[] = [];
  for (const entry of [...actionsOf(timeline)].sort((a, b) => a.atMs - b.atMs)) {
    const last = marks.at(-1);
    if (last !== undefined && entry.atMs - last.atMs < spanMs * 0.12) last.more++;
    else marks.push({ atMs: entry.atMs, words: entry.kind === "undo" ? `undo ${entry.label}` : entry.label, more: 0 });
  }
  return marks.map(({ atMs, words, more }) => ({ atMs, label: more > 0 ? `${words} +${more}` : words }));
}

/** A line where each action began to act or to be undone. @param labelChars - 0 draws no labels */
function actionLines(timeline: readonly TimelineEntry[], labelChars: number, axis: { fromMs: number; toMs: number }) {
  const spanMs = axis.toMs - axis.fromMs;
  return {
    silent: true,
    symbol: "none",
    precision: 6,
    data: actionMarks(timeline, spanMs).map(({ atMs, label }) => {
      const text = shorten(label, labelChars);
      // Near an edge the text grows away from it, or the picture would cut it.
      const place = (atMs - axis.fromMs) / spanMs;
      const align = place > 0.85 ? ("right" as const) : place < 0.15 ? ("left" as const) : ("center" as const);
      return {
        xAxis: atMs,
        lineStyle: { color: COLOR.ink, type: "dashed" as const, width: 1 },
        label: { show: labelChars > 0, formatter: () => text, color: COLOR.ink, fontSize: 12, distance: 4, align },
      };
    }),
    label: { show: false },
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
  return deltaDomain({ ...slo, interval }, 8);
}
