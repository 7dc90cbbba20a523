import { z } from "zod";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { ExternalPoint } from "../judge/external-points.ts";

/**
 * Reads rows of a control and an experiment as somebody else wrote them: CSV (comma, semicolon or tab; with or without
 * a heading) or JSON. What is no number becomes NaN, a missing value, and is judged as such.
 * @param source - path, for messages
 * @throws CanaryError RECORDING_INVALID when there are no two columns of values, or too many rows
 */
export function parseSeries(text: string, source: string): readonly ExternalPoint[] {
  const points = /^\s*[[{]/.test(text) ? parseJson(text, source) : parseCsv(text, source);
  if (points.length > LIMITS.seriesPointsMax) {
    throw unreadable(source, `has ${points.length} rows`, `At most ${LIMITS.seriesPointsMax} are read.`);
  }
  return points;
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

function parseCsv(text: string, source: string): readonly ExternalPoint[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const [first = ""] = lines;
  const separator = [";", "\t", ","].find((candidate) => first.includes(candidate)) ?? ",";
  const cells = (line: string): readonly string[] =>
    line.split(separator).map((cell) => cell.trim().replaceAll('"', ""));
  const heading = cells(first).map(columnOf);
  const named = heading.includes("control") && heading.includes("experiment");
  const columns = named ? heading : BARE[heading.length];
  if (columns === undefined || (!named && !/\d/.test(first))) {
    throw unreadable(source, "has no columns control and experiment", HINT);
  }
  return lines.slice(named ? 1 : 0).map((line) => {
    const row = cells(line);
    return pointOf((column) => row[columns.indexOf(column)]);
  });
}

const RowSchema = z.record(z.string(), z.union([z.number(), z.string(), z.null()]));
const DocumentSchema = z.union([
  z.array(RowSchema),
  z.looseObject({ control: z.array(z.unknown()), experiment: z.array(z.unknown()) }),
]);

function parseJson(text: string, source: string): readonly ExternalPoint[] {
  const parsed = DocumentSchema.safeParse(jsonOf(text, source));
  if (!parsed.success) throw unreadable(source, "is no list of rows and no pair of lists", HINT);
  if (Array.isArray(parsed.data)) {
    return parsed.data.map((row) => {
      const byColumn = new Map(Object.entries(row).map(([name, value]) => [columnOf(name), value]));
      return pointOf((column) => byColumn.get(column) ?? undefined);
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
  return control.map((value, i) => ({ control: numberOf(value), experiment: numberOf(experiment[i]) }));
}

function pointOf(cell: (column: Column) => unknown): ExternalPoint {
  const [time, phase] = [cell("time"), cell("phase")];
  return {
    ...(time === undefined ? {} : { atMs: instantMs(time) }),
    control: numberOf(cell("control")),
    experiment: numberOf(cell("experiment")),
    ...(phase === undefined ? {} : { phase: phaseOf(String(phase)) }),
  };
}

/**
 * An instant as people write it: ISO 8601, or seconds or milliseconds since 1970 (or any zero), told apart by size.
 * @returns ms; NaN when it is none of these
 */
export function instantMs(written: unknown): number {
  const text = String(written).trim();
  if (/^-?\d+(\.\d+)?(e\d+)?$/i.test(text)) {
    const value = Number(text);
    // Seconds reach this size in the year 5138, milliseconds did in 1973.
    return Math.abs(value) >= 1e11 ? value : value * 1000;
  }
  return /^\d{4}-\d{2}-\d{2}([T ].*)?$/.test(text) ? new Date(text).getTime() : Number.NaN;
}

function phaseOf(text: string): NonNullable<ExternalPoint["phase"]> {
  const phase = text.toLowerCase();
  if (["before", "pre", "baseline"].includes(phase)) return "before";
  return ["after", "post", "observing"].includes(phase) ? "after" : "other";
}

function columnOf(name: string): Column | undefined {
  const plain = name.trim().toLowerCase();
  return COLUMN_NAMES.find((column) => COLUMNS[column].some((known) => known === plain));
}

function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
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
