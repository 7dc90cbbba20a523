import type { Difference, ResourcePath } from "../fingerprint.ts";

/** Differences of two maps from path to value. */
export function valuesDiffering(
  before: Readonly<Record<ResourcePath, string>>,
  after: Readonly<Record<ResourcePath, string>>,
): readonly Difference[] {
  return unionOfKeys(before, after).flatMap((path): readonly Difference[] => {
    const was = before[path];
    const is = after[path];
    if (was === is) return [];
    if (was === undefined) return [{ path, kind: "added", after: is ?? "" }];
    if (is === undefined) return [{ path, kind: "removed", before: was }];
    return [{ path, kind: "changed", before: was, after: is }];
  });
}

/** Union of two maps' keys, sorted. */
export function unionOfKeys(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}
