import type { Difference, Fingerprint, ResourcePath, TableFingerprint } from "../../mirror/fingerprint.ts";
import { hasExpired, unionOfKeys, valuesDiffering } from "../../mirror/state/difference.ts";
import { encodeSegment } from "../../plan/resource-pattern.ts";

/** What differed between two twins that had served the same traffic before any plan acted: races and clocks, no effects. */
export interface Noise {
  /** Tables that held another number of rows; nothing can be said of their columns. */
  readonly tables: readonly ResourcePath[];
  /** How many rows each of `tables` was apart. */
  readonly rowsApart: Readonly<Record<ResourcePath, number>>;
  /** `db/.../rows/<table>/(some)/<column>`: columns that held other values. */
  readonly columns: readonly ResourcePath[];
  /** Redis keys with what counts or is drawn at random replaced by `*`. */
  readonly keyPatterns: readonly string[];
  /** Sequences that had handed out another number. */
  readonly sequences: readonly ResourcePath[];
}

/** Learns the noise of a pair at a barrier before the plan. Configuration and schema are never noise. */
export function learnNoise(control: Fingerprint, shadow: Fingerprint): Noise {
  const tables = unionOfKeys(control.tables, shadow.tables);
  const { differing } = differingKeys(control, shadow);
  const apart = tables.filter((path) => control.tables[path]?.rows !== shadow.tables[path]?.rows);
  return {
    tables: apart,
    rowsApart: Object.fromEntries(apart.map((path) => [path, rowsApart(path, control, shadow)])),
    columns: tables.flatMap((path) => {
      const [a, b] = [control.tables[path], shadow.tables[path]];
      return a !== undefined && b !== undefined && a.rows === b.rows ? differingColumns(path, a, b) : [];
    }),
    keyPatterns: [...new Set(differing.map(({ path }) => keyPattern(path)))].sort(),
    sequences: valuesDiffering(control.sequences ?? {}, shadow.sequences ?? {}).map(({ path }) => path),
  };
}

/** One line for each thing that was learned, for reports. */
export function describeNoise(noise: Noise): readonly string[] {
  return [
    ...noise.tables.map((path) => `${path}: number of rows`),
    ...noise.columns.map((path) => `${path}: values`),
    ...noise.keyPatterns.map((pattern) => `${pattern}: keys or values`),
    ...noise.sequences.map((path) => `${path}: numbers handed out`),
  ];
}

/** How many rows more one of the two tables holds. */
export function rowsApart(path: ResourcePath, a: Fingerprint, b: Fingerprint): number {
  return Math.abs((a.tables[path]?.rows ?? 0) - (b.tables[path]?.rows ?? 0));
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
    .map((column) => `${table}/(some)/${encodeSegment(column)}`);
}

/**
 * The family a Redis key belongs to: runs of digits, hex numbers of eight and more digits (also with dashes, as in UUIDs)
 * and long random tokens become `*`. `session:7f3a99c0d1` and `session:12` are one family, `session` and `sessions` two.
 */
export function keyPattern(path: ResourcePath): string {
  return path
    .replace(/[\w-]{16,}/g, (run) => (looksRandom(run) ? "*" : run))
    .replace(/(?<![a-z0-9])(?=[a-f-]{0,40}\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*(?![a-z0-9])/gi, "*")
    .replace(/\d+/g, "*")
    .replace(/\*(?:[-.]?\*)+/g, "*");
}

/**
 * Random text keeps jumping between small letters, capitals and digits; words do not.
 * Capital to small is not counted, so that a hump of camelCase counts once.
 */
function looksRandom(run: string): boolean {
  const classes = [...run.replace(/[-_]/g, "")].map((character) =>
    /\d/.test(character) ? "digit" : character === character.toUpperCase() ? "capital" : "small",
  );
  const jumps = classes.filter((one, index) => {
    const previous = classes[index - 1];
    return previous !== undefined && previous !== one && !(previous === "capital" && one === "small");
  });
  return jumps.length >= 5;
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
