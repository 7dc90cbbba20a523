import type { CustomSeriesRenderItem } from "echarts";
import { shorten } from "../../plain-text.ts";
import type { TimelineEntry } from "../../run-report.ts";
import { type Chart, type ChartPicture, COLOR } from "./chart-painter.ts";
import { timeAxis } from "./time-axis.ts";

const LANES = ["phase", "action", "undo", "barrier", "note", "alarm", "breach"] as const;
const LANE_WORDS = {
  phase: "phases",
  action: "plan",
  undo: "undo",
  barrier: "barriers",
  note: "notes",
  alarm: "alarm",
  breach: "triggers",
} as const;
const LANE_COLOR = {
  phase: COLOR.control,
  action: COLOR.shadow,
  undo: COLOR.pass,
  barrier: COLOR.muted,
  note: COLOR.open,
  alarm: COLOR.fail,
  breach: COLOR.fail,
} as const;
const LANE_PX = 30;
const CHAR_PX = 7;
/** A label cut shorter than this tells nothing; the table below has it whole. */
const LABEL_CHARS_MIN = 9;

/** Phases, steps, undo and barriers of the run on its time axis. */
export function timelineChart(timeline: readonly TimelineEntry[], id: string): Chart {
  const title = `Timeline: ${timeline.filter((entry) => entry.kind === "phase").length} phases; the table below lists every entry`;
  return { id, title, wide: 980, narrow: 340, draw: (width) => picture(timeline, width) };
}

function picture(timeline: readonly TimelineEntry[], width: number): ChartPicture {
  const lanes = LANES.filter((lane) => timeline.some((entry) => entry.kind === lane));
  const fromMs = Math.min(0, ...timeline.map(({ atMs }) => atMs));
  const toMs = Math.max(1_000, ...timeline.map(({ atMs, toMs: endMs }) => endMs ?? atMs));
  const height = lanes.length * LANE_PX + 36;
  return {
    width,
    height,
    option: {
      grid: { left: 62, right: 20, top: 6, bottom: 28, outerBoundsMode: "none" },
      xAxis: timeAxis({ fromMs, toMs, width, labels: true }),
      yAxis: {
        type: "category",
        inverse: true,
        data: lanes.map((lane) => LANE_WORDS[lane]),
        axisLabel: { color: COLOR.ink, fontSize: 12 },
        axisLine: { show: false },
        axisTick: { show: false },
      },
      series: [
        {
          type: "custom",
          silent: true,
          clip: true,
          data: timeline.map((entry) => [entry.atMs, entry.toMs ?? entry.atMs, lanes.indexOf(entry.kind)]),
          encode: { x: [0, 1], y: 2 },
          renderItem: bars(timeline),
        },
      ],
    },
  };
}

/** A bar per entry with as much of its label as fits; instants become a narrow mark. */
function bars(timeline: readonly TimelineEntry[]): CustomSeriesRenderItem {
  return (params, api) => {
    const entry = timeline[params.dataIndex];
    if (entry === undefined) return { type: "group", children: [] };
    const [x = 0, y = 0] = api.coord([api.value(0), api.value(2)]);
    const [end = 0] = api.coord([api.value(1), api.value(2)]);
    const barWidth = Math.max(3, end - x - 1);
    const room = Math.floor((barWidth - 8) / CHAR_PX);
    const shown = room >= entry.label.length || room >= LABEL_CHARS_MIN;
    const color = LANE_COLOR[entry.kind];
    return {
      type: "group",
      children: [
        {
          type: "rect",
          shape: { x, y: y - 10, width: barWidth, height: 20, r: 3 },
          style: { fill: color, opacity: barWidth > 3 ? 0.28 : 0.9 },
        },
        ...(shown
          ? [
              {
                type: "text" as const,
                style: { x: x + 5, y: y - 6, text: shorten(entry.label, room), fill: COLOR.ink, fontSize: 12 },
              },
            ]
          : []),
      ],
    };
  };
}
