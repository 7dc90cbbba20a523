import { describeDuration, percent, stopwatch } from "../amounts.ts";
import type { Paint } from "./paint.ts";
import { cutTo, fitTo } from "./text-width.ts";
import type { WatchState } from "./watch-state.ts";

const PULSE_STALE_MS = 3_000;
/** Below this the numbers of a twin share one line without headings. */
const NARROW_COLUMNS = 50;
/** A driver that sends later than this p99 measures itself (issue: 5 ms without real-time priority). */
const LATE_MS = 5;

/** Rate, errors and p99 of both twins one above the other, and whether the driver keeps its schedule. */
export function twinLines(options: {
  readonly state: WatchState;
  readonly nowMs: number;
  readonly columns: number;
  readonly paint: Paint;
}): readonly string[] {
  const { state, nowMs, columns, paint } = options;
  if (state.pulse === undefined) return [];
  const { pulse, receivedMs } = state.pulse;
  const head = fitTo("", 10) + ["req/s", "errors", "p99", "waiting"].map((title) => fitTo(title, 10, "right")).join("");
  const row = (role: "control" | "shadow"): string => {
    const arm = pulse.arms[role];
    const cells = [
      arm.ratePerSecond.toFixed(1),
      percent(arm.errorRatio),
      describeDuration(arm.latencyMsP99),
      `${arm.inFlight}`,
    ];
    return paint(role, fitTo(role, 10)) + cells.map((cell) => fitTo(cell, 10, "right")).join("");
  };
  const lines =
    columns < NARROW_COLUMNS
      ? narrowTwins(pulse.arms, columns, paint)
      : [paint("quiet", head), row("control"), row("shadow")];
  return [...lines, driverLine(pulse.sendLagMsP99, nowMs - receivedMs, columns, paint)];
}

function narrowTwins(
  arms: NonNullable<WatchState["pulse"]>["pulse"]["arms"],
  columns: number,
  paint: Paint,
): readonly string[] {
  return (["control", "shadow"] as const).map((role) => {
    const arm = arms[role];
    const numbers = `${arm.ratePerSecond.toFixed(0)}/s ${percent(arm.errorRatio)} p99 ${describeDuration(arm.latencyMsP99)}`;
    return paint(role, fitTo(role, 8)) + cutTo(numbers, columns - 8);
  });
}

function driverLine(lagMs: number | undefined, silentMs: number, columns: number, paint: Paint): string {
  if (silentMs > PULSE_STALE_MS) {
    return paint("quiet", cutTo(`traffic is not flowing (last ${stopwatch(silentMs)} ago)`, columns));
  }
  if (lagMs === undefined) return paint("quiet", cutTo("driver on time", columns));
  const late = lagMs > LATE_MS;
  const text = `driver ${late ? "LATE" : "on time"}: 99% of requests leave within ${describeDuration(Math.max(1, lagMs))}`;
  return paint(late ? "unsure" : "quiet", cutTo(text, columns));
}
