import type { RowWrite } from "../write-log.ts";

// The text of PostgreSQL's output plugin `test_decoding` (contrib/test_decoding/test_decoding.c):
//   table public.jobs: UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:2 note[text]:'it''s'
//   table public.a, public."B": TRUNCATE: (no-flags)

/** What one line of the log says, before the name of the table is looked up. */
export interface DecodedChange {
  readonly kind: RowWrite["kind"];
  /** Several for a truncation. */
  readonly tables: readonly { readonly namespace: string; readonly table: string }[];
  /** The row as it was, as far as the log tells (its key), then as it is; a row that is only deleted has no second one. */
  readonly tuples: readonly (readonly DecodedColumn[])[];
}

/** A value as text; `undefined` for NULL and for one that was too long to be logged again. */
export interface DecodedColumn {
  readonly name: string;
  readonly value: string | undefined;
}

const KIND: Readonly<Record<string, RowWrite["kind"]>> = {
  INSERT: "inserted",
  UPDATE: "updated",
  DELETE: "deleted",
  TRUNCATE: "truncated",
};

const NAME = String.raw`(?:"(?:[^"]|"")+"|[^".:,\s]+)`;
const QUALIFIED = String.raw`${NAME}\.${NAME}`;
const HEAD = new RegExp(`^table (${QUALIFIED}(?:, ${QUALIFIED})*): (INSERT|UPDATE|DELETE|TRUNCATE):`);
const ONE_TABLE = new RegExp(`(${NAME})\\.(${NAME})`, "g");
const COLUMN = /\s*("(?:[^"]|"")+"|[^\s"[]+)\[(.*?)\]:(B?'(?:[^']|'')*'|[^\s']\S*)/y;

/** Parses a line or its beginning; `undefined` for what is no change of rows (BEGIN, COMMIT, messages) or not understood. */
export function decodedChange(line: string): DecodedChange | undefined {
  const head = HEAD.exec(line);
  const kind = KIND[head?.[2] ?? ""];
  if (head === null || kind === undefined) return undefined;
  const tables = [...(head[1] ?? "").matchAll(ONE_TABLE)].map(([, namespace = "", table = ""]) => ({
    namespace: bare(namespace),
    table: bare(table),
  }));
  const rest = line.slice(head[0].length);
  const newTuple = kind === "updated" ? rest.indexOf(" new-tuple:") : -1;
  const texts =
    newTuple >= 0 && rest.startsWith(" old-key:")
      ? [rest.slice(" old-key:".length, newTuple), rest.slice(newTuple + " new-tuple:".length)]
      : [rest];
  return { kind, tables, tuples: texts.map(columnsOf).filter((columns) => columns.length > 0) };
}

/** Columns up to the end, or to where the line was cut. */
function columnsOf(text: string): readonly DecodedColumn[] {
  const columns: DecodedColumn[] = [];
  COLUMN.lastIndex = 0;
  for (let found = COLUMN.exec(text); found !== null; found = COLUMN.exec(text)) {
    const [, name = "", , value = ""] = found;
    columns.push({ name: bare(name), value: textOf(value) });
  }
  return columns;
}

function textOf(text: string): string | undefined {
  if (text === "null" || text === "unchanged-toast-datum") return undefined;
  const quoted = /^B?'([\s\S]*)'$/.exec(text)?.[1];
  return quoted === undefined ? text : quoted.replaceAll("''", "'");
}

function bare(identifier: string): string {
  return identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier;
}
