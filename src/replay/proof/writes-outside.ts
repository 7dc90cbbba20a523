import type { ResourcePath } from "../../mirror/fingerprint.ts";
import { type ActorWrites, type RowWrite, rowsOf } from "../../mirror/write-log.ts";
import { anyMatches, matches } from "../../plan/resource-pattern.ts";
import type { OutsideWrites } from "./write-provenance.ts";

const EXAMPLES_MAX = 5;
/** `db/<service>/<database>/rows/<table>` */
const SEGMENTS_OF_TABLE = 5;

/**
 * What an action wrote beyond its declarations and beyond what it wrote quietly. A table that it does not declare at all is
 * held against the tables that it (or its undo) wrote on the quiet twin; in one that it declares in part, row by row.
 * The log shows every column of an updated row, so a column is no ground for an objection; the quiet proof tells columns.
 */
export function rowsOutside(options: {
  readonly actor: ActorWrites;
  readonly changes: readonly string[];
  /** The same action on the quiet twin, act and undo. */
  readonly quiet: readonly ActorWrites[];
}): readonly OutsideWrites[] {
  const { actor, changes, quiet } = options;
  const writtenQuietly = new Set(quiet.flatMap(({ rows }) => rows.map(({ path }) => path)));
  return actor.tables.flatMap((writes): readonly OutsideWrites[] => {
    const { table } = writes;
    const seen = quiet.filter(({ tables }) => tables.some((one) => one.table === table));
    const inTable = actor.rows.filter(({ path }) => path.startsWith(`${table}/`));
    const reached = tableReached(changes, table);
    if (reached === "wholly" || (reached === "not" && seen.length > 0)) return [];
    if (reached === "not") return [outside(table, rowsOf(writes), inTable)];
    // What the quiet twin's list leaves out cannot be told from what was not written there.
    if (seen.some(({ rowsLeftOut }) => rowsLeftOut > 0)) return [];
    const beyond = inTable.filter((row) => !isDeclared(row, changes) && !writtenQuietly.has(row.path));
    return beyond.length === 0 ? [] : [outside(table, beyond.length, beyond)];
  });
}

/** How far declarations reach into a table: to any of its rows, to some, or to none. */
export function tableReached(changes: readonly string[], table: ResourcePath): "wholly" | "in part" | "not" {
  const into = changes.filter((pattern) => reaches(pattern, table));
  if (into.length === 0) return "not";
  return into.some((pattern) => /^\*+$/.test(rowSegment(pattern))) ? "wholly" : "in part";
}

function reaches(pattern: string, table: ResourcePath): boolean {
  const parts = pattern.split("/");
  const deep = parts.indexOf("**");
  if (deep >= 0 && deep < SEGMENTS_OF_TABLE) return matches(parts.slice(0, deep + 1).join("/"), table);
  return parts.length >= SEGMENTS_OF_TABLE && matches(parts.slice(0, SEGMENTS_OF_TABLE).join("/"), table);
}

/** The segment of a pattern that stands for the row's key. */
function rowSegment(pattern: string): string {
  const parts = pattern.split("/");
  const deep = parts.indexOf("**");
  return deep >= 0 && deep <= SEGMENTS_OF_TABLE ? "**" : (parts[SEGMENTS_OF_TABLE] ?? "");
}

function isDeclared({ path, kind, columns }: RowWrite, changes: readonly string[]): boolean {
  const paths = kind === "updated" ? [path, ...columns.map((column) => `${path}/${column}`)] : [path];
  return paths.some((one) => anyMatches(changes, one));
}

function outside(table: ResourcePath, rows: number, written: readonly RowWrite[]): OutsideWrites {
  return { table, rows, examples: [...new Set(written.map(({ path }) => path))].slice(0, EXAMPLES_MAX) };
}
