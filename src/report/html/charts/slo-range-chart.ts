import type { CustomSeriesRenderItem } from "echarts";
import { describeDelta } from "../../../core/delta-range.ts";
import type { SloJudgement } from "../../../judge/verdict.ts";
import { type DeltaDomain, deltaDomain } from "../../delta-domain.ts";
import { sloWords } from "../../slo-words.ts";
import { type Chart, type ChartPicture, COLOR } from "./chart-painter.ts";

const STATE_COLOR = { pass: COLOR.pass, fail: COLOR.fail, open: COLOR.open, "no-data": COLOR.open } as const;
const HEIGHT = 84;

/** One SLO on its own scale: the accepted range as a band, the measured interval and the best guess on top of it. */
export function sloRangeChart(slo: SloJudgement, id: string): Chart {
  const words = sloWords(slo);
  const title = `${slo.name}: accepted ${words.accepted}; measured ${words.measured}, interval ${words.interval}; ${words.stateWord}`;
  return { id, title, wide: 620, narrow: 340, draw: (width) => picture(slo, width) };
}

function picture(slo: SloJudgement, width: number): ChartPicture {
  const domain = deltaDomain(slo, 8);
  const inDomain = (value: number): number => Math.min(domain.hi, Math.max(domain.lo, value));
  const label = (value: number): string => describeDelta(Number(value.toPrecision(6)), slo.accepted.scale, slo.unit);
  const limits = [slo.accepted.lo, slo.accepted.hi].filter(Number.isFinite);
  // Two labels closer than this would print over each other.
  const crowded = limits.some((limit) => Math.abs(limit) < (domain.hi - domain.lo) * (70 / width));
  return {
    width,
    height: HEIGHT,
    option: {
      grid: { left: 22, right: 22, top: 20, bottom: 24, outerBoundsMode: "none" },
      xAxis: {
        type: "value",
        min: domain.lo,
        max: domain.hi,
        splitNumber: width < 500 ? 4 : 7,
        axisLabel: { formatter: label, showMinLabel: false, showMaxLabel: false, color: COLOR.muted, fontSize: 12 },
        splitLine: { show: false },
        axisLine: { show: true, lineStyle: { color: COLOR.line } },
        axisTick: { show: true, lineStyle: { color: COLOR.line } },
      },
      yAxis: { type: "value", min: -1, max: 1, show: false },
      series: [
        {
          type: "custom",
          silent: true,
          data: [[inDomain(slo.interval.lo), inDomain(slo.interval.hi), inDomain(slo.estimate ?? 0)]],
          encode: { x: [0, 1, 2] },
          renderItem: measured(slo, domain),
          markArea: {
            silent: true,
            itemStyle: { color: COLOR.band, opacity: 1 },
            data: [[{ xAxis: inDomain(slo.accepted.lo) }, { xAxis: inDomain(slo.accepted.hi) }]],
          },
          markLine: {
            silent: true,
            symbol: "none",
            // Charts round marked values to two digits unless told otherwise; limits are often smaller.
            precision: 12,
            data: [
              {
                xAxis: 0,
                lineStyle: { color: COLOR.muted, type: "dotted" },
                label: { formatter: crowded ? "" : "no change" },
              },
              ...limits.map((limit) => ({
                xAxis: limit,
                lineStyle: { color: COLOR.bandEdge, type: "solid" as const, width: 2 },
                label: { formatter: () => label(limit), color: COLOR.ink },
              })),
            ],
            label: { color: COLOR.muted, fontSize: 12, distance: 3 },
          },
        },
      ],
    },
  };
}

/** The interval as a bar with ends, the guess as a dot; where something lies outside the picture, an arrow points at it. */
function measured(slo: SloJudgement, domain: DeltaDomain): CustomSeriesRenderItem {
  const fill = STATE_COLOR[slo.state];
  const { interval, estimate } = slo;
  const unknown = slo.state === "no-data" || (!Number.isFinite(interval.lo) && !Number.isFinite(interval.hi));
  return (_params, api) => {
    if (unknown) return { type: "group", children: [] };
    const x = (dimension: number): number => api.coord([api.value(dimension), 0])[0] ?? 0;
    const y = api.coord([0, 0])[1] ?? 0;
    const [from, to, guess] = [x(0), x(1), x(2)];
    const stroke = (points: number[][]) => ({
      type: "polyline" as const,
      shape: { points },
      style: { stroke: fill, lineWidth: 2, fill: "none" },
    });
    const end = (at: number) =>
      stroke([
        [at, y - 7],
        [at, y + 7],
      ]);
    const arrow = (at: number, towards: 1 | -1) =>
      stroke([
        [at - towards * 7, y - 7],
        [at, y],
        [at - towards * 7, y + 7],
      ]);
    const seen = estimate !== undefined && estimate >= domain.lo && estimate <= domain.hi;
    const dot = { fill, stroke: COLOR.card, lineWidth: 1.5 };
    const bar = { x: from, y: y - 4, width: Math.max(1, to - from), height: 8 };
    return {
      type: "group",
      children: [
        { type: "rect", shape: bar, style: { fill, opacity: 0.35 } },
        interval.lo < domain.lo ? arrow(from, -1) : interval.lo > domain.hi ? arrow(to, 1) : end(from),
        interval.hi > domain.hi ? arrow(to, 1) : interval.hi < domain.lo ? arrow(from, -1) : end(to),
        ...(seen ? [{ type: "circle" as const, shape: { cx: guess, cy: y, r: 5.5 }, style: dot }] : []),
      ],
    };
  };
}
