import type { ResourcePath } from "../../mirror/fingerprint.ts";
import type { ActorWrites, RowWrite } from "../../mirror/write-log.ts";
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
    if (reached === "wholly") return [];
    if (reached === "not") {
      const beyond = kindsBeyond({ table, actor, quiet });
      const rows = beyond.reduce((sum, kind) => sum + writes[kind], 0);
      return rows === 0
        ? []
        : [
            outside(
              table,
              rows,
              inTable.filter(({ kind }) => beyond.includes(kind)),
            ),
          ];
    }
    // What the quiet twin's list leaves out cannot be told from what was not written there.
    if (seen.some(({ rowsLeftOut }) => rowsLeftOut > 0)) return [];
    const beyond = inTable.filter((row) => !isDeclared(row, changes) && !writtenQuietly.has(row.path));
    return beyond.length === 0 ? [] : [outside(table, beyond.length, beyond)];
  });
}

/** Traffic has added rows since, which are written alike; beyond so many times as often it is no longer the same write. */
const MORE_UNDER_LOAD = 10;
/** And so many rows, for a table that was nearly empty on the quiet twin. */
const MORE_ROWS = 100;

/**
 * Ways of writing an undeclared table that the quiet twin does not excuse: there it was not written this way, or by far not
 * as much. A write that changed nothing is seen in no effect, so it can only stand for writes of its own kind.
 */
function kindsBeyond(options: {
  readonly table: ResourcePath;
  readonly actor: ActorWrites;
  readonly quiet: readonly ActorWrites[];
}): readonly RowWrite["kind"][] {
  const { table, actor, quiet } = options;
  const performed = (actors: readonly ActorWrites[], kind: RowWrite["kind"]): number =>
    actors.reduce((sum, { tables, times }) => {
      const count = tables.find((one) => one.table === table)?.[kind] ?? 0;
      return sum + count / Math.max(1, times);
    }, 0);
  return ROW_WRITES.filter((kind) => {
    const [now, before] = [performed([actor], kind), performed(quiet, kind)];
    return now > 0 && (before === 0 || now > MORE_UNDER_LOAD * before + MORE_ROWS);
  });
}

const ROW_WRITES = ["inserted", "updated", "deleted", "truncated"] as const satisfies readonly RowWrite["kind"][];

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
