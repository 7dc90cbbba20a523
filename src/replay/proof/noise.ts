import type {
  ColumnHeld,
  Difference,
  Fingerprint,
  ResourcePath,
  Surroundings,
  TableFingerprint,
} from "../../mirror/fingerprint.ts";
import { hasExpired, unionOfKeys, valuesDiffering } from "../../mirror/state/difference.ts";
import { familyOf as keyPattern } from "../../mirror/state/family.ts";
import { fileDifferences } from "../../mirror/state/surroundings-difference.ts";
import { ROLES, type Role } from "../../mirror/twin.ts";
import { encodeSegment } from "../../plan/resource-pattern.ts";

/** What differed between two twins that had served the same traffic before any plan acted: races and clocks, no effects. */
export interface Noise {
  /** Tables that held another number of rows; nothing can be said of their columns. */
  readonly tables: readonly ResourcePath[];
  /** How many rows each of `tables` was apart. */
  readonly rowsApart: Readonly<Record<ResourcePath, number>>;
  /** `db/.../rows/<table>/(some)/<column>`: columns that held other values. */
  readonly columns: readonly ResourcePath[];
  /** How far each of `columns`, and those of `tables`, were apart in how much they held. */
  readonly heldApart?: Readonly<Record<ResourcePath, ColumnHeld>>;
  /** Redis keys with what counts or is drawn at random replaced by `*`. */
  readonly keyPatterns: readonly string[];
  /** How many keys of each family were apart. */
  readonly keysApart?: Readonly<Record<string, KeysApart>>;
  /** Sequences that had handed out another number. */
  readonly sequences: readonly ResourcePath[];
  /** Families of files that traffic left different, or on one of the twins only. */
  readonly filePatterns?: readonly ResourcePath[];
  /** Trouble that either twin had told of by then. */
  readonly errors?: readonly ResourcePath[];
}

/** How far two twins are apart in one family of keys. */
export interface KeysApart {
  /** Keys that only one of them has, or that hold something else. */
  readonly apart: number;
  /** How many more one of them has. */
  readonly more: number;
  /** Keys of the family on either. */
  readonly of: number;
}

/**
 * What a race seen before the plan may have grown to by the end: it had the baseline to show itself, and a few times as long
 * since. More than that is no race any more.
 */
export function grownApart(before: number): number {
  return 5 * before + 5;
}

/**
 * Learns the noise of a pair at a barrier before the plan. Configuration and schema are never noise.
 * @param reference - the twins before traffic: files that differed then and were not written since are no noise of traffic
 */
export function learnNoise(
  control: Fingerprint,
  shadow: Fingerprint,
  reference: Readonly<Record<Role, Surroundings>> = { control: {}, shadow: {} },
): Noise {
  const tables = unionOfKeys(control.tables, shadow.tables);
  const { differing } = differingKeys(control, shadow);
  const families = keysApart(differing, control, shadow);
  const apart = tables.filter((path) => control.tables[path]?.rows !== shadow.tables[path]?.rows);
  return {
    tables: apart,
    rowsApart: Object.fromEntries(apart.map((path) => [path, rowsApart(path, control, shadow)])),
    columns: tables.flatMap((path) => {
      const [a, b] = [control.tables[path], shadow.tables[path]];
      return a !== undefined && b !== undefined && a.rows === b.rows ? differingColumns(path, a, b) : [];
    }),
    heldApart: Object.fromEntries(tables.flatMap((path) => tableHeldApart(path, control, shadow))),
    keyPatterns: [...families.keys()].sort(),
    keysApart: Object.fromEntries(families),
    sequences: valuesDiffering(control.sequences ?? {}, shadow.sequences ?? {}).map(({ path }) => path),
    filePatterns: noisyFiles({ control, shadow }, reference),
    errors: unionOfKeys(control.errors ?? {}, shadow.errors ?? {}),
  };
}

function noisyFiles(
  now: Readonly<Record<Role, Surroundings>>,
  reference: Readonly<Record<Role, Surroundings>>,
): readonly ResourcePath[] {
  const written = new Set(
    ROLES.flatMap((role) => fileDifferences(reference[role], now[role])).map(({ path }) => keyPattern(path)),
  );
  const apart = fileDifferences(now.control, now.shadow).map(({ path }) => keyPattern(path));
  return [...new Set(apart)].filter((pattern) => written.has(pattern)).sort();
}

/** One line for each thing that was learned, for reports. */
export function describeNoise(noise: Noise): readonly string[] {
  return [
    ...noise.tables.map((path) => `${path}: number of rows`),
    ...noise.columns.map((path) => `${path}: values`),
    ...noise.keyPatterns.map((pattern) => `${pattern}: keys or values`),
    ...noise.sequences.map((path) => `${path}: numbers handed out`),
    ...(noise.filePatterns ?? []).map((pattern) => `${pattern}: files`),
  ];
}

/** How many rows more one of the two tables holds. */
export function rowsApart(path: ResourcePath, a: Fingerprint, b: Fingerprint): number {
  return Math.abs((a.tables[path]?.rows ?? 0) - (b.tables[path]?.rows ?? 0));
}

/** How far two tables are apart in how much each column holds; columns that hold equally much are left out. */
export function tableHeldApart(
  table: ResourcePath,
  a: Fingerprint,
  b: Fingerprint,
): readonly (readonly [ResourcePath, ColumnHeld])[] {
  const [was, is] = [a.tables[table]?.held ?? {}, b.tables[table]?.held ?? {}];
  return Object.entries(was).flatMap(([column, one]) => {
    const other = is[column];
    if (other === undefined) return [];
    const held = { filled: Math.abs(one.filled - other.filled), slots: Math.abs(one.slots - other.slots) };
    return held.filled + held.slots === 0 ? [] : [[columnPath(table, column), held] as const];
  });
}

/** Counts what differs by family of keys. */
export function keysApart(
  differing: readonly Difference[],
  a: Fingerprint,
  b: Fingerprint,
): ReadonlyMap<string, KeysApart> {
  const sizes = new Map<string, number>();
  for (const path of unionOfKeys(a.keys, b.keys)) sizes.set(keyPattern(path), (sizes.get(keyPattern(path)) ?? 0) + 1);
  const byFamily = Map.groupBy(differing, ({ path }) => keyPattern(path));
  return new Map(
    [...byFamily].map(([family, found]): readonly [string, KeysApart] => {
      const count = (kind: Difference["kind"]): number => found.filter((one) => one.kind === kind).length;
      const more = Math.abs(count("added") - count("removed"));
      return [family, { apart: found.length, more, of: sizes.get(family) ?? found.length }];
    }),
  );
}

/** Paths of the columns, of those both tables have, whose values are not the same as a multiset. */
export function differingColumns(
  table: ResourcePath,
  a: TableFingerprint,
  b: TableFingerprint,
): readonly ResourcePath[] {
  return Object.keys(a.columns)
    .filter((column) => b.columns[column] !== undefined && a.columns[column] !== b.columns[column])
    .sort()
    .map((column) => columnPath(table, column));
}

function columnPath(table: ResourcePath, column: string): ResourcePath {
  return `${table}/(some)/${encodeSegment(column)}`;
}

/** Keys of two states that served the same traffic. */
export interface KeyComparison {
  /** Keys that only one of them has, or whose value no key of the family has on the other side. */
  readonly differing: readonly Difference[];
  /** Families in which the same values stand under other keys of the same family: two requests overtook each other. */
  readonly changedPlaces: readonly string[];
}

/** Compares keys as columns are compared: within a family, values as a multiset. */
export function differingKeys(a: Fingerprint, b: Fingerprint): KeyComparison {
  const all = valuesDiffering(a.keys, b.keys).filter(({ path }) => !endsByItself(path, a, b));
  const changed = all.filter(({ kind }) => kind === "changed");
  const balance = new Map<string, number>();
  const familyValue = (path: ResourcePath, value: string | undefined): string => `${keyPattern(path)} ${value}`;
  const add = (key: string, by: number) => balance.set(key, (balance.get(key) ?? 0) + by);
  for (const { path, before, after } of changed) {
    add(familyValue(path, before), 1);
    add(familyValue(path, after), -1);
  }
  const moved = (one: Difference): boolean =>
    balance.get(familyValue(one.path, one.before)) === 0 && balance.get(familyValue(one.path, one.after)) === 0;
  return {
    differing: all.filter((one) => one.kind !== "changed" || !moved(one)),
    changedPlaces: [...new Set(changed.filter(moved).map(({ path }) => keyPattern(path)))].sort(),
  };
}

/** Whether a key that only one of two states has was at the end of its life anyway. */
export function endsByItself(path: ResourcePath, a: Fingerprint, b: Fingerprint): boolean {
  if (a.keys[path] !== undefined && b.keys[path] !== undefined) return false;
  return hasExpired(path, a, b) || hasExpired(path, b, a);
}
