import { LIMITS } from "../../core/limits.ts";
import type { Difference } from "../../mirror/fingerprint.ts";

/**
 * At most LIMITS.differencesListedMax differences as they are; the rest counted per table, column or store and kind:
 * `db/x/y/rows/jobs/(700 more)/status`. For reports only: decide on the full list first.
 */
export function boundDifferences(differences: readonly Difference[]): readonly Difference[] {
  const listed = differences.slice(0, LIMITS.differencesListedMax);
  const counts = new Map<
    string,
    { readonly path: (count: number) => string; readonly kind: Difference["kind"]; count: number }
  >();
  for (const { path, kind } of differences.slice(LIMITS.differencesListedMax)) {
    const [before, after] = aroundItem(path.split("/"));
    const key = `${kind} ${before.join("/")} ${after.join("/")}`;
    const group = counts.get(key) ?? {
      path: (count: number) => [...before, `(${count} more)`, ...after].join("/"),
      kind,
      count: 0,
    };
    counts.set(key, { ...group, count: group.count + 1 });
  }
  return [...listed, ...[...counts.values()].map(({ path, kind, count }): Difference => ({ path: path(count), kind }))];
}

/** What stands before and after the segment that numbers items: a row's key, a Redis key, else the last segment. */
function aroundItem(segments: readonly string[]): readonly [readonly string[], readonly string[]] {
  const item = segments[0] === "db" && segments[3] === "rows" && segments.length > 5 ? 5 : segments.length - 1;
  return [segments.slice(0, item), segments.slice(item + 1)];
}
