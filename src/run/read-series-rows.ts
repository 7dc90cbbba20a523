import { z } from "zod";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { parseStrictJson } from "../core/strict-json.ts";

// Rows of series from elsewhere by column, before anything is read into a cell. A row that can be read in two ways is
// refused: a value in the wrong column looks like a measurement.

/** One row as written; cells are undefined where the column does not exist. */
export interface WrittenRow {
  /** `line 7` of a CSV, `row 7` of a list. */
  readonly at: string;
  readonly cell: (column: Column) => unknown;
}

/** Said of a file in which columns or rows are missing. */
export const COLUMNS_HINT =
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

/**
 * The rows of a text that is JSON or CSV.
 * @throws CanaryError RECORDING_INVALID when no columns are found, or a cell might belong to another one
 */
export function writtenRows(text: string, source: string): readonly WrittenRow[] {
  return /^\s*[[{]/.test(text) ? parseJson(text, source) : parseCsv(text, source);
}

interface Line {
  readonly line: string;
  /** `line 7`. */
  readonly at: string;
}

interface Row extends Pick<Line, "at"> {
  readonly cells: readonly string[];
}

function parseCsv(text: string, source: string): readonly WrittenRow[] {
  const lines = text
    .split(/\r?\n/)
    .map((line, i): Line => ({ line, at: `line ${i + 1}` }))
    .filter(({ line }) => line.trim() !== "" && !line.startsWith("#"));
  const first = lines[0]?.line ?? "";
  const separator = SEPARATORS.find(({ sign }) => first.includes(sign)) ?? COMMA;
  const rows = lines.map((line): Row => ({ at: line.at, cells: cellsOf(line, separator, source) }));
  const names = rows[0]?.cells ?? [];
  const heading = names.map(columnOf);
  const named = heading.includes("control") && heading.includes("experiment");
  const columns = named ? heading : BARE[heading.length];
  if (columns === undefined || (!named && !/\d/.test(first))) {
    throw unreadable(source, "has no columns control and experiment", COLUMNS_HINT);
  }
  expectOneEach(names, source);
  expectEven(rows, { count: columns.length, as: named ? "heading" : "first row" }, source);
  return rows.slice(named ? 1 : 0).map(({ at, cells }) => ({ at, cell: (column) => cells[columns.indexOf(column)] }));
}

/** A cell too many moves those behind it into the wrong columns, and one too few may be missing anywhere. */
function expectEven(
  rows: readonly Row[],
  { count, as }: { readonly count: number; readonly as: string },
  source: string,
): void {
  const uneven = rows.find(({ cells }) => cells.length !== count);
  if (uneven === undefined) return;
  const hint =
    "Give every row as many cells. Write 20.5, not 20,5, and nothing between separators where a value is missing.";
  throw unreadable(source, `has ${uneven.cells.length} cells in ${uneven.at}, but ${count} in its ${as}`, hint);
}

const COMMA = { sign: ",", name: "comma" } as const;
/** In the order in which they are believed: a decimal comma may stand beside each of the others. */
const SEPARATORS = [{ sign: ";", name: "semicolon" }, { sign: "\t", name: "tab" }, COMMA] as const;

/** Splits at every separator, quoted or not, and so refuses quotes around one: half a number would be read as a whole one. */
function cellsOf({ line, at }: Line, { sign, name }: (typeof SEPARATORS)[number], source: string): readonly string[] {
  const cells = line.split(sign).map((cell) => cell.trim());
  if (!line.includes('"')) return cells;
  const torn = cells.find((cell) => cell.split('"').length % 2 === 0);
  if (torn !== undefined) {
    const hint = `A cell can not hold a ${name}, which separates columns here: write 20.5, or separate with semicolons or tabs.`;
    throw unreadable(
      source,
      `has a quote in ${at} that is not closed before the next ${name}: ${shownCell(torn)}`,
      hint,
    );
  }
  return cells.map((cell) => /^"(.*)"$/.exec(cell)?.[1]?.trim() ?? cell);
}

const RowSchema = z.record(z.string(), z.union([z.number(), z.string(), z.null()]));
const DocumentSchema = z.union([
  z.array(RowSchema),
  z.looseObject({ control: z.array(z.unknown()), experiment: z.array(z.unknown()) }),
]);

function parseJson(text: string, source: string): readonly WrittenRow[] {
  const read = parseStrictJson(text, LIMITS.seriesBytesMax);
  if (read.kind === "problem")
    throw unreadable(source, read.message, "Check for a truncated file, or a key said twice.");
  const parsed = DocumentSchema.safeParse(read.value);
  if (!parsed.success) throw unreadable(source, "is no list of rows and no pair of lists", COLUMNS_HINT);
  if (Array.isArray(parsed.data)) {
    expectOneEach([...new Set(parsed.data.flatMap((row) => Object.keys(row)))], source);
    return parsed.data.map((row, i) => {
      const byColumn = new Map(Object.entries(row).map(([name, value]) => [columnOf(name), value]));
      return { at: `row ${i + 1}`, cell: (column) => byColumn.get(column) ?? undefined };
    });
  }
  expectOneEach(Object.keys(parsed.data), source);
  return rowsOfLists(parsed.data, source);
}

/** A column that were left out would be missed by nobody: rows of before would count as rows of after. */
function rowsOfLists(
  written: Readonly<Record<string, unknown>> & { readonly control: readonly unknown[] },
  source: string,
): readonly WrittenRow[] {
  const { length } = written.control;
  const lists = new Map<Column, readonly unknown[]>();
  for (const [name, list] of Object.entries(written)) {
    const column = columnOf(name);
    if (column === undefined) continue;
    if (!Array.isArray(list) || list.length !== length) {
      const size = Array.isArray(list) ? `${list.length} values` : "no list";
      throw unreadable(source, `has ${length} control values and ${size} as its ${column}`, "Give as many.");
    }
    lists.set(column, list);
  }
  return written.control.map((_, i) => ({ at: `row ${i + 1}`, cell: (column) => lists.get(column)?.[i] ?? undefined }));
}

/** Of two columns of one meaning nobody knows which was meant; the first one need not be. */
function expectOneEach(names: readonly string[], source: string): void {
  for (const column of COLUMN_NAMES) {
    const same = names.filter((name) => columnOf(name) === column);
    if (same.length < 2) continue;
    const what = `has ${same.length} columns that may be the ${column}: ${same.slice(0, 5).map(shownCell).join(", ")}`;
    throw unreadable(source, what, "Leave one of them, and rename the others.");
  }
}

function columnOf(name: string): Column | undefined {
  const plain = name.trim().toLowerCase();
  return COLUMN_NAMES.find((column) => COLUMNS[column].some((known) => known === plain));
}

/** A cell in a message: foreign text, clipped. */
export function shownCell(cell: unknown): string {
  return JSON.stringify(cell).slice(0, 60);
}

/** The one error of files that can not be read. */
export function unreadable(source: string, what: string, hint: string): CanaryError {
  return new CanaryError({ code: "RECORDING_INVALID", message: `${source} ${what}`, hint });
}
