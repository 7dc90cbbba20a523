import { stopwatch } from "../../amounts.ts";
import { COLOR } from "./chart-painter.ts";

const STEPS_MS = [5_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000];
const LONGEST_STEP_MS = 7_200_000;

/** The run's axis with ticks on round times counted from the first request, as many as there is room for. */
export function timeAxis(options: {
  readonly fromMs: number;
  readonly toMs: number;
  readonly width: number;
  readonly labels: boolean;
}) {
  const { fromMs, toMs, width, labels } = options;
  const ticks = roundTimes(fromMs, toMs, width < 500 ? 4 : 10);
  return {
    type: "value" as const,
    min: fromMs,
    max: toMs,
    axisLabel: { show: labels, customValues: ticks, formatter: describeTick, color: COLOR.muted, fontSize: 12 },
    axisLine: { show: true, onZero: false, lineStyle: { color: COLOR.line } },
    axisTick: { show: labels, customValues: ticks, lineStyle: { color: COLOR.line } },
    splitLine: { show: false },
  };
}

function roundTimes(fromMs: number, toMs: number, ticksMax: number): number[] {
  const stepMs = STEPS_MS.find((step) => (toMs - fromMs) / step <= ticksMax) ?? LONGEST_STEP_MS;
  const first = Math.ceil(fromMs / stepMs);
  const last = Math.floor(toMs / stepMs);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * stepMs);
}

/** `30 s`, `1:15`, `2 min`. */
function describeTick(atMs: number): string {
  const seconds = Math.round(atMs / 1000);
  if (seconds === 0) return "0";
  if (seconds % 60 === 0) return `${seconds / 60} min`;
  return Math.abs(seconds) < 60 ? `${seconds} s` : stopwatch(atMs);
}
