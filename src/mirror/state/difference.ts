import type { Difference, Fingerprint, ResourcePath, TableFingerprint } from "../fingerprint.ts";
import { fileDifferences } from "./surroundings-difference.ts";
import { unionOfKeys, valuesDiffering } from "./values-differing.ts";

export { unionOfKeys, valuesDiffering };

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
 * Everything that is different in `after`, sorted by path: resources, keys, sequences that went backwards, files, and rows
 * down to the column as far as `locate` finds them.
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
  return sorted([...valueDifferences(before, after), ...rows]);
}

/** The same from the two fingerprints alone: tables are reported as a whole. */
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

/** Sequences of `after` that hand out numbers again which `before` had handed out already. */
export function sequencesGoneBack(before: Fingerprint, after: Fingerprint): readonly Difference[] {
  return valuesDiffering(before.sequences ?? {}, after.sequences ?? {}).filter(
    ({ kind, before: was, after: is }) => kind === "changed" && isBehind(is, was),
  );
}

/** Twins set the same expiry some milliseconds apart, and stores are not read at one instant. */
const EXPIRY_TOLERANCE_MS = 1000;

/** Whether a key that is missing in `later` had simply reached the end of its life by then. */
export function hasExpired(path: ResourcePath, earlier: Fingerprint, later: Fingerprint): boolean {
  const endsEpochMs = earlier.expiring?.[path];
  return endsEpochMs !== undefined && endsEpochMs <= (later.storeEpochMs ?? 0) + EXPIRY_TOLERANCE_MS;
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

/** Descending sequences exist, but are rarer than mistakes: any step towards zero counts as back. */
function isBehind(is: string | undefined, was: string | undefined): boolean {
  if (is === "unused") return was !== "unused";
  if (is === undefined || was === undefined || was === "unused") return false;
  const magnitude = (text: string): bigint => (BigInt(text) < 0n ? -BigInt(text) : BigInt(text));
  return magnitude(is) < magnitude(was);
}
