import { describeDelta } from "../core/delta-range.ts";
import type { PowerForecast } from "../judge/power-forecast.ts";
import { describeDuration } from "./amounts.ts";

/** What was known when a forecast was made, in words. */
export const POWER_FROM: Readonly<Record<PowerForecast["from"], string>> = {
  rate: "from the rate alone",
  profile: "from the calibration profile",
  baseline: "from the measured baseline",
};

export const POWER_HEADINGS = [
  "SLO",
  "margin",
  "tells apart",
  "baseline",
  "observation",
  "can it be decided?",
] as const;

/** One forecast as the cells of a table, in the order of `POWER_HEADINGS`. */
export function powerCells(forecast: PowerForecast): readonly string[] {
  const { accepted, unit, margin, smallest, allowed, cleanPairs } = forecast;
  const size = (delta: number): string => describeDelta(delta, accepted.scale, unit).replace("+", "");
  const time = (seconds: number | null, most: number): string =>
    seconds === null ? "no time would do" : `${describeDuration(seconds * 1000)} of ${describeDuration(most * 1000)}`;
  const pairs = cleanPairs === undefined ? "" : ` (${cleanPairs.toLocaleString("en-US")} clean pairs)`;
  return [
    forecast.name,
    size(margin),
    smallest === null ? "not known yet" : size(smallest),
    time(forecast.baselineSeconds, allowed.baselineSeconds),
    `${time(forecast.observeSeconds, allowed.observeSeconds)}${pairs}`,
    forecast.possible ? answer(forecast) : `no: ${forecast.advice}`,
  ];
}

/** Where nobody knows the noise, only the rules were asked, and they rule out but never in. */
function answer({ possible, from }: PowerForecast): string {
  if (!possible) return "no";
  return from === "rate" ? "by the rules, noise unknown" : "yes";
}

/** One forecast as a sentence: what this run tells apart of an SLO and how long that takes, or what would be needed. */
export function powerSentence(forecast: PowerForecast): string {
  const [name = "", margin, smallest, baseline, observation] = powerCells(forecast);
  if (!forecast.possible) return `${name}: ${forecast.advice}`;
  const apart = forecast.smallest === null ? "its noise is not known" : `${smallest} can be told apart`;
  return `${name}: ${apart}, ${margin} is asked; baseline ${baseline}, observation ${observation}`;
}

/** The table as plain lines: one for each SLO, columns in line, why not below. */
export function powerLines(forecasts: readonly PowerForecast[]): readonly string[] {
  const rows = forecasts.map((forecast) => [...powerCells(forecast).slice(0, 5), answer(forecast)]);
  const table = [[...POWER_HEADINGS], ...rows];
  const widths = POWER_HEADINGS.map((_, column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const why = forecasts.filter(({ possible }) => !possible).map(({ name, advice }) => `${name}: ${advice}`);
  return [...lines, ...why];
}
