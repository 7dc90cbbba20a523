import type { Difference, Fingerprint, ResourcePath, TableFingerprint } from "../fingerprint.ts";
import { changedInside } from "./inside-containers.ts";
import { hasExpired, livesChanged } from "./key-lives.ts";
import { sequencesGoneBack } from "./sequence-differences.ts";
import { fileDifferences } from "./surroundings-difference.ts";
import { unionOfKeys, valuesDiffering } from "./values-differing.ts";
import { writtenElsewhere } from "./written-elsewhere.ts";

export { hasExpired, sequencesGoneBack, unionOfKeys, valuesDiffering };

/**
 * Finds the rows behind a table that changed. `before`/`after` are absent where the table did not or does not exist.
 * `undefined`: it cannot tell, the table is reported as a whole. An empty list: only the set of columns changed (which the
 * schema reports), the rows are the same in the columns that both have.
 */
export type LocateRows = (changed: {
  readonly table: ResourcePath;
  readonly before: TableFingerprint | undefined;
  readonly after: TableFingerprint | undefined;
}) => Promise<readonly Difference[] | undefined>;

/**
 * Everything that is different in a twin some time later, sorted by path: resources, keys and their lives, sequences that went
 * backwards, files, programs that run, databases that nobody compares but somebody wrote to, and rows down to the column as far
 * as `locate` finds them.
 */
export async function difference(
  before: Fingerprint,
  after: Fingerprint,
  options: { readonly locate: LocateRows },
): Promise<readonly Difference[]> {
  const rows: Difference[] = [];
  for (const changed of changedTables(before, after)) {
    rows.push(...((await options.locate(changed)) ?? wholeTable(changed)));
  }
  return sorted([
    ...valueDifferences(before, after),
    ...livesChanged(before, after),
    ...writtenElsewhere(before, after),
    ...changedInside(before, after),
    ...rows,
  ]);
}

/**
 * The same of two states that may be those of different twins, from the fingerprints alone: tables are reported as a whole, and
 * nothing is said of what only one twin's own past can tell.
 */
export function coarseDifference(before: Fingerprint, after: Fingerprint): readonly Difference[] {
  return sorted([...valueDifferences(before, after), ...changedTables(before, after).flatMap(wholeTable)]);
}

/** Whether the two states are the same as far as a fingerprint can tell. */
export function sameState(a: Fingerprint, b: Fingerprint): boolean {
  return coarseDifference(a, b).length === 0;
}

/** Tables whose content, existence or set of columns is not the same. */
export function changedTables(before: Fingerprint, after: Fingerprint): readonly Parameters<LocateRows>[0][] {
  return unionOfKeys(before.tables, after.tables)
    .map((table) => ({ table, before: before.tables[table], after: after.tables[table] }))
    .filter((pair) => !sameTable(pair.before, pair.after));
}

/** Whether two tables hold the same rows. */
export function sameTable(a: TableFingerprint | undefined, b: TableFingerprint | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.rows === b.rows &&
    a.sha === b.sha &&
    a.buckets.length === b.buckets.length &&
    a.buckets.every((bucket, index) => bucket === b.buckets[index]) &&
    valuesDiffering(a.columns, b.columns).length === 0
  );
}

/** A table as one difference; none if it came or went without any row (the schema says that it did). */
export function wholeTable(changed: Parameters<LocateRows>[0]): readonly Difference[] {
  const { table, before, after } = changed;
  if ((before?.rows ?? 0) === 0 && (after?.rows ?? 0) === 0) return [];
  const shown = (content: TableFingerprint): string => `${content.rows} rows, ${content.sha.slice(-12)}`;
  if (before === undefined) return after === undefined ? [] : [{ path: table, kind: "added", after: shown(after) }];
  if (after === undefined) return [{ path: table, kind: "removed", before: shown(before) }];
  return [{ path: table, kind: "changed", before: shown(before), after: shown(after) }];
}

/** By path, in code unit order: one order on every machine. */
export function sorted(differences: readonly Difference[]): readonly Difference[] {
  return [...differences].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function valueDifferences(before: Fingerprint, after: Fingerprint): readonly Difference[] {
  const keys = valuesDiffering(before.keys, after.keys).filter(
    ({ kind, path }) => kind !== "removed" || !hasExpired(path, before, after),
  );
  return [
    ...valuesDiffering(before.resources, after.resources),
    ...keys,
    ...sequencesGoneBack(before, after),
    ...fileDifferences(before, after),
  ];
}
