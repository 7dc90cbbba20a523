import { z } from "zod";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { ExternalPoint } from "../judge/external-points.ts";

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
 * @throws CanaryError RECORDING_INVALID when there are no two columns of values, too many rows, a cell that is neither
 *   a value nor missing, no number at all, or no phase that is known
 */
export function parseSeries(text: string, source: string): SeriesRows {
  const rows = /^\s*[[{]/.test(text) ? parseJson(text, source) : parseCsv(text, source);
  if (rows.length > LIMITS.seriesPointsMax) {
    throw unreadable(source, `has ${rows.length} rows`, `At most ${LIMITS.seriesPointsMax} are read.`);
  }
  const points = rows.map((row) => pointOf(row, source));
  expectSeries(points, rows, source);
  return { points, notes: rows.some((row) => isWithoutZone(row.cell("time"))) ? [READ_AS_UTC] : [] };
}

/** One row as written; cells are undefined where the column does not exist. */
interface WrittenRow {
  /** `line 7` of a CSV, `row 7` of a list. */
  readonly at: string;
  readonly cell: (column: Column) => unknown;
}

/** A file from which nothing could be compared is a mistake in the file, not doubt about the experiment. */
function expectSeries(points: readonly ExternalPoint[], rows: readonly WrittenRow[], source: string): void {
  if (points.length === 0) throw unreadable(source, "has columns but not one row", HINT);
  if (points.every(({ control, experiment }) => Number.isNaN(control) && Number.isNaN(experiment))) {
    throw unreadable(source, "holds not one number in its columns control and experiment", HINT);
  }
  const told = points.some(({ phase }) => phase === "other") && points.every(({ phase }) => phase !== "after");
  if (!told) return;
  const words = [...new Set(rows.map(({ cell }) => String(cell("phase") ?? "").trim()))].slice(0, 5);
  const hint = `Write one of ${PHASES.before.join(", ")} for rows before the change, and one of ${PHASES.after.join(", ")} after it.`;
  throw unreadable(source, `has no row of phase "after", but of: ${words.map((word) => `"${word}"`).join(", ")}`, hint);
}

const HINT =
  "Write columns time, control, experiment and perhaps phase (before or after); or just control, experiment. JSON: a list of such objects.";

/** What a column may be called; the first name is the one we use. */
const COLUMNS = {
  time: ["time", "timestamp", "ts", "date", "at"],
  control: ["control", "baseline", "stable", "primary"],
  experiment: ["experiment", "canary", "shadow", "treatment", "candidate"],
  phase: ["phase", "period"],
} as const;
type Column = keyof typeof COLUMNS;
const COLUMN_NAMES: readonly Column[] = ["time", "control", "experiment", "phase"];
/** Columns of a file without a heading, by their number. */
const BARE: Readonly<Record<number, readonly Column[]>> = {
  2: ["control", "experiment"],
  3: ["time", "control", "experiment"],
  4: ["time", "control", "experiment", "phase"],
};

/** What the phase of a row may be called; every other word is neither. */
const PHASES = { before: ["before", "pre", "baseline"], after: ["after", "post", "observing"] } as const;

function parseCsv(text: string, source: string): readonly WrittenRow[] {
  const lines = text
    .split(/\r?\n/)
    .map((line, i) => ({ line, at: `line ${i + 1}` }))
    .filter(({ line }) => line.trim() !== "" && !line.startsWith("#"));
  const first = lines[0]?.line ?? "";
  const separator = [";", "\t", ","].find((candidate) => first.includes(candidate)) ?? ",";
  const cells = (line: string): readonly string[] =>
    line.split(separator).map((cell) => cell.trim().replaceAll('"', ""));
  const heading = cells(first).map(columnOf);
  const named = heading.includes("control") && heading.includes("experiment");
  const columns = named ? heading : BARE[heading.length];
  if (columns === undefined || (!named && !/\d/.test(first))) {
    throw unreadable(source, "has no columns control and experiment", HINT);
  }
  return lines.slice(named ? 1 : 0).map(({ line, at }) => {
    const row = cells(line);
    return { at, cell: (column) => row[columns.indexOf(column)] };
  });
}

const RowSchema = z.record(z.string(), z.union([z.number(), z.string(), z.null()]));
const DocumentSchema = z.union([
  z.array(RowSchema),
  z.looseObject({ control: z.array(z.unknown()), experiment: z.array(z.unknown()) }),
]);

function parseJson(text: string, source: string): readonly WrittenRow[] {
  const parsed = DocumentSchema.safeParse(jsonOf(text, source));
  if (!parsed.success) throw unreadable(source, "is no list of rows and no pair of lists", HINT);
  if (Array.isArray(parsed.data)) {
    return parsed.data.map((row, i) => {
      const byColumn = new Map(Object.entries(row).map(([name, value]) => [columnOf(name), value]));
      return { at: `row ${i + 1}`, cell: (column) => byColumn.get(column) ?? undefined };
    });
  }
  const { control, experiment } = parsed.data;
  if (control.length !== experiment.length) {
    throw unreadable(
      source,
      `has ${control.length} control and ${experiment.length} experiment values`,
      "Give as many.",
    );
  }
  return control.map((value, i) => {
    const values: Readonly<Partial<Record<Column, unknown>>> = { control: value, experiment: experiment[i] };
    return { at: `row ${i + 1}`, cell: (column) => values[column] ?? undefined };
  });
}

function pointOf({ at, cell }: WrittenRow, source: string): ExternalPoint {
  const [time, phase] = [cell("time"), cell("phase")];
  const read = (column: "control" | "experiment"): number => {
    const value = numberOf(cell(column));
    if (value !== undefined) return value;
    throw unreadable(
      source,
      `has no number in ${at}, column ${column}: ${shown(cell(column))}`,
      "Write 20.5; leave a missing value empty.",
    );
  };
  const atMs = time === undefined ? undefined : instantMs(time);
  if (Number.isNaN(atMs) && String(time).trim() !== "") {
    const hint = "Write 2026-11-23T10:15:00Z, or seconds or milliseconds since 1970.";
    throw unreadable(source, `has no time in ${at}: ${shown(time)}`, hint);
  }
  return {
    ...(atMs === undefined ? {} : { atMs }),
    control: read("control"),
    experiment: read("experiment"),
    ...(phase === undefined ? {} : { phase: phaseOf(String(phase)) }),
  };
}

function shown(cell: unknown): string {
  return JSON.stringify(cell).slice(0, 60);
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

function columnOf(name: string): Column | undefined {
  const plain = name.trim().toLowerCase();
  return COLUMN_NAMES.find((column) => COLUMNS[column].some((known) => known === plain));
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

function jsonOf(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable(source, "is not JSON", "Check for a truncated file.", cause);
  }
}

function unreadable(source: string, what: string, hint: string, cause?: unknown): CanaryError {
  return new CanaryError({ code: "RECORDING_INVALID", message: `${source} ${what}`, hint, cause });
}
