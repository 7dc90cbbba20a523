import type { Difference, Fingerprint, ResourcePath } from "../../mirror/fingerprint.ts";
import { sameTable, unionOfKeys, wholeTable } from "../../mirror/state/difference.ts";
import { anyMatches, isExact } from "../../plan/resource-pattern.ts";
import { type BarrierStates, UNSERVED_MARGIN } from "./barrier.ts";
import type { Finding } from "./finding.ts";
import { differingColumns, grownApart, rowsApart, tableHeldApart } from "./noise.ts";

/** Tables that traffic writes against the control's now, the others against the reference. */
export function tablesAtBarrier(states: BarrierStates): readonly Finding[] {
  const { reference, control, shadow } = states;
  return unionOfKeys({ ...reference.tables, ...control.tables }, shadow.tables).flatMap((path) => {
    const written = !sameTable(control.tables[path], reference.tables[path]);
    return written ? writtenTable(path, states) : unwrittenTable(path, states);
  });
}

/** Traffic writes it: the control shows what it would hold without the plan. */
function writtenTable(path: ResourcePath, states: BarrierStates): readonly Finding[] {
  if (states.restored) return [];
  const { control, shadow, noise, consequences } = states;
  const apart = rowsApart(path, control, shadow);
  const learned = noise.tables.includes(path) && apart <= grownApart(noise.rowsApart[path] ?? 0);
  const explained = apart > 0 && apart <= rowsUnserved(path, states);
  const tooFar = columnsTooFar(path, states);
  return tableDifferences(path, control, shadow, "multisets").map((difference) => {
    const declared = anyMatches(consequences, difference.path);
    const isNoise = learned || noise.columns.includes(difference.path) || (explained && !declared);
    if (isNoise && !tooFar.has(difference.path)) return { kind: "noise", difference, inHand: true };
    return { kind: declared ? "consequence" : "residue", difference, inHand: true };
  });
}

/**
 * Rows that are missing where requests failed, at most: the share of the traffic's work that was not done there, of all that
 * traffic made. Nothing is explained in a table that the plan wrote itself.
 */
function rowsUnserved(
  path: ResourcePath,
  { reference, control, shadow, unserved, directEffects }: BarrierStates,
): number {
  if (unserved === undefined || wasTouched(path, directEffects ?? [])) return 0;
  const [missing, served] =
    (shadow.tables[path]?.rows ?? 0) < (control.tables[path]?.rows ?? 0)
      ? [unserved.shadow, control]
      : [unserved.control, shadow];
  return Math.ceil(UNSERVED_MARGIN * Math.min(1, missing) * rowsApart(path, reference, served));
}

/** Slots that two columns of different values may be apart in by chance: five standard deviations at the worst size. */
const SLOTS_APART = 20;

/**
 * Columns that hold less than other values explain. Noise says that the values are others, not that they are gone or all the
 * same.
 */
function columnsTooFar(path: ResourcePath, { control, shadow, noise }: BarrierStates): ReadonlySet<ResourcePath> {
  const rows = rowsApart(path, control, shadow);
  const isTooFar = ([column, now]: ReturnType<typeof tableHeldApart>[number]): boolean => {
    const before = noise.heldApart?.[column] ?? { filled: 0, slots: 0 };
    return now.filled > rows + grownApart(before.filled) || now.slots > SLOTS_APART + before.slots;
  };
  return new Set(
    tableHeldApart(path, control, shadow)
      .filter(isTooFar)
      .map(([column]) => column),
  );
}

/** Traffic does not write it: only the plan can have, so it must be exactly what it was. */
function unwrittenTable(path: ResourcePath, states: BarrierStates): readonly Finding[] {
  const { reference, shadow, directEffects } = states;
  const touched = directEffects === undefined || wasTouched(path, directEffects);
  const globs = touched ? [] : states.consequences.filter((pattern) => !isExact(pattern));
  return tableDifferences(path, reference, shadow, "exact").map((difference) => ({
    kind: anyMatches(globs, difference.path) ? "consequence" : "residue",
    difference,
  }));
}

function wasTouched(table: ResourcePath, directEffects: readonly ResourcePath[]): boolean {
  return directEffects.some((effect) => effect === table || effect.startsWith(`${table}/`));
}

/**
 * Number of rows, then every column whose values differ as a multiset; where `exact` and neither shows a difference that
 * the rows' hashes do show (values changed places), the table as a whole.
 */
function tableDifferences(
  path: ResourcePath,
  before: Fingerprint,
  after: Fingerprint,
  strictness: "exact" | "multisets",
): readonly Difference[] {
  const [was, is] = [before.tables[path], after.tables[path]];
  if (sameTable(was, is)) return [];
  if (was === undefined || is === undefined) return wholeTable({ table: path, before: was, after: is });
  const rows: readonly Difference[] =
    was.rows === is.rows
      ? []
      : [{ path: `${path}/(some)`, kind: "changed", before: `${was.rows} rows`, after: `${is.rows} rows` }];
  const columns = differingColumns(path, was, is).map((column): Difference => ({ path: column, kind: "changed" }));
  const found = [...rows, ...columns];
  return found.length === 0 && strictness === "exact" ? wholeTable({ table: path, before: was, after: is }) : found;
}
