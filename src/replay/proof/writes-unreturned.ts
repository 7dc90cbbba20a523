import type { ResourcePath } from "../../mirror/fingerprint.ts";
import { type ActorWrites, type RowWrite, rowsOf } from "../../mirror/write-log.ts";
import type { OutsideWrites } from "./write-provenance.ts";

const EXAMPLES_MAX = 5;

/** Rows that an action wrote under load and its undo never touched again. */
export interface UnreturnedWrites {
  /** Nothing explains them: they stand as the action left them. */
  readonly left: readonly OutsideWrites[];
  /** Tables whose updated rows may or may not have changed in what they hold: the log does not tell columns. */
  readonly untold: readonly ResourcePath[];
}

/** What one action and its undo wrote. */
export interface Performance {
  readonly act: ActorWrites | undefined;
  readonly undo: ActorWrites | undefined;
}

/**
 * What the undo of an action left as the action wrote it. A declaration does not excuse it: the application's own rows may
 * differ as a consequence of a plan, those that the plan wrote itself are to be put back. On the quiet twin the same writes
 * were seen to come back whole, so there it shows which of them need no write of the undo's: rows of a table that the
 * action made or altered go with it.
 */
export function unreturnedWrites(options: {
  readonly load: Performance;
  readonly quiet: Performance;
  /** Whether the action changed this table's own definition on the quiet twin. */
  readonly redefined: (table: ResourcePath) => boolean;
}): UnreturnedWrites {
  const { load, quiet, redefined } = options;
  const left: OutsideWrites[] = [];
  const untold: ResourcePath[] = [];
  for (const { table } of load.act?.tables ?? []) {
    const now = shortfall(table, load);
    if (now.rows === 0) continue;
    const kindsBefore = shortfall(table, quiet).kinds;
    const known = [...now.kinds].every((kind) => kindsBefore.has(kind));
    if (known && redefined(table)) continue;
    if (known && [...now.kinds].every((kind) => kind === "updated")) untold.push(table);
    else left.push({ table, rows: now.rows, examples: now.examples });
  }
  return { left, untold };
}

interface Shortfall {
  readonly rows: number;
  readonly kinds: ReadonlySet<RowWrite["kind"]>;
  readonly examples: readonly ResourcePath[];
}

/** Row by row where the log names them; where it does not (no key, or too many to list) by their number. */
function shortfall(table: ResourcePath, { act, undo }: Performance): Shortfall {
  const written = rowsIn(table, act);
  const back = rowsIn(table, undo);
  const touched = new Set(back.map(({ path }) => path));
  const named = written.filter(({ path }) => !isNameless(path) && !touched.has(path));
  const nameless = written.filter(({ path }) => isNameless(path));
  const namelessShort = Math.max(0, nameless.length - back.filter(({ path }) => isNameless(path)).length);
  const unlisted = (act?.rowsLeftOut ?? 0) > 0 ? total(table, act) - total(table, undo) : 0;
  const rows = Math.max(named.length + namelessShort, unlisted);
  if (rows === 0) return { rows, kinds: new Set(), examples: [] };
  const short = [...named, ...(namelessShort > 0 ? nameless : [])];
  const counted = act?.tables.find((one) => one.table === table);
  const kinds = (["inserted", "updated", "deleted", "truncated"] as const).filter(
    (kind) => short.some((row) => row.kind === kind) || (unlisted > 0 && (counted?.[kind] ?? 0) > 0),
  );
  return { rows, kinds: new Set(kinds), examples: [...new Set(short.map(({ path }) => path))].slice(0, EXAMPLES_MAX) };
}

function rowsIn(table: ResourcePath, actor: ActorWrites | undefined): readonly RowWrite[] {
  return actor?.rows.filter(({ path }) => path.startsWith(`${table}/`)) ?? [];
}

function total(table: ResourcePath, actor: ActorWrites | undefined): number {
  const counted = actor?.tables.find((one) => one.table === table);
  return counted === undefined ? 0 : rowsOf(counted);
}

function isNameless(path: ResourcePath): boolean {
  return path.endsWith("/(some)");
}
