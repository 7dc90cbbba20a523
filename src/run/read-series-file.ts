import { LIMITS } from "../core/limits.ts";
import type { ExternalPoint } from "../judge/external-points.ts";
import { COLUMNS_HINT, shownCell, unreadable, type WrittenRow, writtenRows } from "./read-series-rows.ts";

/** Rows as they were read, and what has to be said of the reading. */
export interface SeriesRows {
  readonly points: readonly ExternalPoint[];
  readonly notes: readonly string[];
}

/** Said wherever an instant was written without a zone. */
export const READ_AS_UTC = "times without a zone were read as UTC";

/**
 * Reads rows of a control and an experiment as somebody else wrote them: CSV (comma, semicolon or tab; with or without
 * a heading) or JSON. An empty cell or NaN is a missing value, and is judged as such.
 * @param source - path, for messages
 * @throws CanaryError RECORDING_INVALID when there are no two columns of values, two columns of one meaning, a row of
 *   another number of cells, too many rows, a cell that is neither a value nor missing, no number at all, or no phase that
 *   is known
 */
export function parseSeries(text: string, source: string): SeriesRows {
  const rows = writtenRows(text, source);
  if (rows.length > LIMITS.seriesPointsMax) {
    throw unreadable(source, `has ${rows.length} rows`, `At most ${LIMITS.seriesPointsMax} are read.`);
  }
  const points = rows.map((row) => pointOf(row, source));
  expectSeries(points, rows, source);
  return { points, notes: rows.some((row) => isWithoutZone(row.cell("time"))) ? [READ_AS_UTC] : [] };
}

/** A file from which nothing could be compared is a mistake in the file, not doubt about the experiment. */
function expectSeries(points: readonly ExternalPoint[], rows: readonly WrittenRow[], source: string): void {
  if (points.length === 0) throw unreadable(source, "has columns but not one row", COLUMNS_HINT);
  if (points.every(({ control, experiment }) => Number.isNaN(control) && Number.isNaN(experiment))) {
    throw unreadable(source, "holds not one number in its columns control and experiment", COLUMNS_HINT);
  }
  const told = points.some(({ phase }) => phase === "other") && points.every(({ phase }) => phase !== "after");
  if (!told) return;
  const words = [...new Set(rows.map(({ cell }) => String(cell("phase") ?? "").trim()))].slice(0, 5);
  const hint = `Write one of ${PHASES.before.join(", ")} for rows before the change, and one of ${PHASES.after.join(", ")} after it.`;
  throw unreadable(source, `has no row of phase "after", but of: ${words.map((word) => `"${word}"`).join(", ")}`, hint);
}

/** What the phase of a row may be called; every other word is neither. */
const PHASES = { before: ["before", "pre", "baseline"], after: ["after", "post", "observing"] } as const;

function pointOf({ at, cell }: WrittenRow, source: string): ExternalPoint {
  const [time, phase] = [cell("time"), cell("phase")];
  const read = (column: "control" | "experiment"): number => {
    const value = numberOf(cell(column));
    if (value !== undefined) return value;
    throw unreadable(
      source,
      `has no number in ${at}, column ${column}: ${shownCell(cell(column))}`,
      "Write 20.5; leave a missing value empty.",
    );
  };
  const atMs = time === undefined ? undefined : instantMs(time);
  if (Number.isNaN(atMs) && String(time).trim() !== "") {
    const hint = "Write 2026-11-23T10:15:00Z, or seconds or milliseconds since 1970.";
    throw unreadable(source, `has no time in ${at}: ${shownCell(time)}`, hint);
  }
  return {
    ...(atMs === undefined ? {} : { atMs }),
    control: read("control"),
    experiment: read("experiment"),
    ...(phase === undefined ? {} : { phase: phaseOf(String(phase)) }),
  };
}

const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?$/i;

/**
 * An instant as people write it: ISO 8601 (UTC where it names no zone: what a file says must not hang on the machine that
 * reads it), or seconds or milliseconds since 1970 (or any zero), told apart by size.
 * @returns ms; NaN when it is none of these
 */
export function instantMs(written: unknown): number {
  const text = String(written).trim();
  if (/^-?\d+(\.\d+)?(e\d+)?$/i.test(text)) {
    const value = Number(text);
    // Seconds reach this size in the year 5138, milliseconds did in 1973.
    return Math.abs(value) >= 1e11 ? value : value * 1000;
  }
  const [, date, time = "00:00", zone = "Z"] = ISO.exec(text) ?? [];
  const offset = /^[+-](\d{2}):?(\d{2})?$/.exec(zone);
  const suffix = offset === null ? "Z" : `${zone.charAt(0)}${offset[1]}:${offset[2] ?? "00"}`;
  return date === undefined ? Number.NaN : new Date(`${date}T${time}${suffix}`).getTime();
}

/** Whether an instant is a date that does not say in which zone. */
export function isWithoutZone(written: unknown): boolean {
  const iso = ISO.exec(String(written ?? "").trim());
  return iso !== null && iso[3] === undefined;
}

function phaseOf(text: string): NonNullable<ExternalPoint["phase"]> {
  const word = text.trim().toLowerCase();
  if (PHASES.before.some((known) => known === word)) return "before";
  return PHASES.after.some((known) => known === word) ? "after" : "other";
}

/** NaN for what is missing, undefined for what is no number; infinities are values, and judged as such. */
function numberOf(cell: unknown): number | undefined {
  if (cell === undefined || cell === null) return Number.NaN;
  if (typeof cell === "number") return cell;
  if (typeof cell !== "string") return undefined;
  const text = cell.trim();
  if (text === "" || /^[+-]?nan$/i.test(text)) return Number.NaN;
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (infinite !== null) return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(text);
  return Number.isNaN(value) ? undefined : value;
}
