import type { Difference, ResourcePath } from "../../mirror/fingerprint.ts";
import type { ActorWrites, RowWrite } from "../../mirror/write-log.ts";
import type { OutsideWrites } from "./write-provenance.ts";

const EXAMPLES_MAX = 5;
/** `db/<service>/<database>/rows/<table>/<key>` */
const SEGMENTS_OF_ROW = 6;
/** Races between rows that nobody planned need not be as frequent among a few rows as among all. */
const RACES_MARGIN = 2;
/** A request that failed may leave so many rows different where all others are as they were. */
const FEW = 2;
/** Where so many of the application's own rows differ between the twins, a row of the plan's says nothing by differing. */
const RACES_TELL_NOTHING = 0.5;

/** Rows that an action wrote under load and its undo wrote again, held against the untouched twin. */
export interface RowsPutBack {
  /** Not as on the control, in what the action itself changes. */
  readonly left?: OutsideWrites;
  /** Why it is not told whether they are. */
  readonly doubt?: string;
}

/** What one action and its undo wrote in one table, and how that table differs from the control's now. */
export interface RowsToCompare {
  readonly table: ResourcePath;
  readonly act: ActorWrites;
  readonly undo: ActorWrites;
  /** Row by row and column by column, by key; `before` is the control. */
  readonly differences: readonly Difference[];
  /** `<table>/(some)/<column>` that differ between twins without a plan. */
  readonly noisyColumns: readonly ResourcePath[];
  /** Columns of this table that the action was seen to change on the quiet twin. */
  readonly changed: ReadonlySet<string>;
  /** Rows that traffic has made in this table: where races part the twins, they part these. */
  readonly made: number;
}

/**
 * Whether the rows that an undo touched are what they are on the control. Touching is not putting back: `UPDATE … SET id = id`
 * and a junk row under the old key touch it as well. Columns that the action does not change may differ as a consequence of
 * it; and how often rows that the plan never wrote differ says how often these do by chance.
 */
export function rowsPutBack(compare: RowsToCompare): RowsPutBack {
  const { table } = compare;
  const rows = touchedRows(compare);
  if (rows.size === 0) return {};
  if (compare.differences.some(({ path }) => path.startsWith(`${table}/(uncompared)`))) {
    return { doubt: `${table} differs in too many rows to look for those that action ${compare.act.actionId} wrote` };
  }
  const byRow = Map.groupBy(compare.differences, ({ path }) => rowOf(path));
  const found = [...rows].map(([row, touched]) => ({ row, wrong: wrongIn(touched, byRow.get(row) ?? [], compare) }));
  const others = [...byRow].filter(([row]) => !rows.has(row));
  const share = Math.min(1, others.length / Math.max(1, compare.made));
  const byChance = Math.ceil(RACES_MARGIN * share * rows.size);
  const of = (wrong: Wrong): readonly ResourcePath[] => found.flatMap((one) => (one.wrong === wrong ? [one.row] : []));
  const [gone, changed, elsewhere] = [of("row"), of("own column"), of("any column")];
  const isShown = changed.length > byChance + (changed.length < rows.size ? FEW : 0);
  const left = [...gone, ...(isShown ? changed : [])];
  if (left.length > 0) return { left: { table, rows: left.length, examples: left.slice(0, EXAMPLES_MAX) } };
  const differing = changed.length + elsewhere.length;
  if (differing <= byChance && (differing === 0 || share < RACES_TELL_NOTHING)) return {};
  const words = `${differing} of ${rows.size} rows of ${table} that action ${compare.act.actionId} wrote and its undo wrote again`;
  return { doubt: `${words} are not as on the control, as a consequence or because they were not put back` };
}

type Wrong = "row" | "own column" | "any column";
type Kinds = ReadonlySet<RowWrite["kind"]>;
interface Touched {
  readonly act: Kinds;
  readonly undo: Kinds;
}

/** Rows with a key that either of them wrote. */
function touchedRows({ table, act, undo }: RowsToCompare): ReadonlyMap<ResourcePath, Touched> {
  const kindsOf = (actor: ActorWrites): ReadonlyMap<ResourcePath, Kinds> => {
    const here = actor.rows.filter(({ path }) => path.startsWith(`${table}/`) && !path.endsWith("/(some)"));
    return new Map(
      [...Map.groupBy(here, ({ path }) => path)].map(([row, all]) => [row, new Set(all.map((one) => one.kind))]),
    );
  };
  const [acted, undone] = [kindsOf(act), kindsOf(undo)];
  const none: Kinds = new Set();
  return new Map(
    [...new Set([...acted.keys(), ...undone.keys()])].map((row) => [
      row,
      { act: acted.get(row) ?? none, undo: undone.get(row) ?? none },
    ]),
  );
}

/** Whether a row came or went is the plan's only where its own log says so: the application makes and removes rows as well. */
function wrongIn(
  { act, undo }: Touched,
  differences: readonly Difference[],
  compare: RowsToCompare,
): Wrong | undefined {
  const whole = differences.find(({ path }) => path.split("/").length === SEGMENTS_OF_ROW);
  if (whole?.kind === "added") return act.has("inserted") && !undo.has("deleted") ? "row" : undefined;
  if (whole?.kind === "removed") {
    return undo.has("deleted") && !undo.has("inserted") && !act.has("inserted") ? "row" : undefined;
  }
  const noisy = new Set(compare.noisyColumns);
  const columns = differences
    .map(({ path }) => path.split("/")[SEGMENTS_OF_ROW] ?? "")
    .filter((column) => !noisy.has(`${compare.table}/(some)/${column}`));
  const onlyUpdated = [...act].every((kind) => kind === "updated");
  if (onlyUpdated && compare.changed.size > 0)
    return columns.some((column) => compare.changed.has(column)) ? "own column" : undefined;
  return columns.length > 0 ? "any column" : undefined;
}

function rowOf(path: ResourcePath): ResourcePath {
  return path.split("/").slice(0, SEGMENTS_OF_ROW).join("/");
}

/** Columns of a table among paths of rows. */
export function columnsAmong(paths: readonly ResourcePath[], table: ResourcePath): ReadonlySet<string> {
  const parts = paths.filter((path) => path.startsWith(`${table}/`)).map((path) => path.split("/"));
  return new Set(parts.flatMap((segments) => segments[SEGMENTS_OF_ROW] ?? []));
}
