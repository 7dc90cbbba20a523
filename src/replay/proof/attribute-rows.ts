import type { Difference, Fingerprint, ResourcePath } from "../../mirror/fingerprint.ts";
import { type LocateRows, sameTable } from "../../mirror/state/difference.ts";

/**
 * Attributes changed rows to the action that changed them.
 * Rows can only be compared with the untouched control, so what is found is the sum of all actions so far;
 * the part of one action is that sum minus the sum before it.
 * @param sinceBaseline - rows of a table that differ from the baseline now; `undefined` when it cannot tell
 */
export function attributeRows(
  baseline: Fingerprint,
  sinceBaseline: (table: ResourcePath) => Promise<readonly Difference[] | undefined>,
): LocateRows {
  const known = new Map<ResourcePath, readonly Difference[]>();
  return async ({ table, before, after }) => {
    const cumulative = sameTable(baseline.tables[table], after) ? [] : await sinceBaseline(table);
    if (cumulative === undefined) return undefined;
    const step = stepBetween(known.get(table) ?? [], cumulative);
    known.set(table, cumulative);
    const sameColumns = Object.keys(before?.columns ?? {}).join("\n") === Object.keys(after?.columns ?? {}).join("\n");
    // The hashes saw a change that the rows do not show: say so of the whole table rather than nothing.
    return step.length === 0 && sameColumns ? undefined : step;
  };
}

/** What happened between two lists of differences from one and the same reference. */
export function stepBetween(earlier: readonly Difference[], later: readonly Difference[]): readonly Difference[] {
  const was = new Map(earlier.map((one) => [one.path, one]));
  const is = new Map(later.map((one) => [one.path, one]));
  const undone = earlier.filter((one) => !is.has(one.path)).map(reversed);
  const done = later.flatMap((one): readonly Difference[] => {
    const old = was.get(one.path);
    if (old === undefined) return [one];
    if (old.kind === one.kind && old.after === one.after) return [];
    return [changed(one.path, old.after, one.after)];
  });
  return [...undone, ...done];
}

function reversed(one: Difference): Difference {
  switch (one.kind) {
    case "added":
      return { path: one.path, kind: "removed", ...(one.after === undefined ? {} : { before: one.after }) };
    case "removed":
      return { path: one.path, kind: "added", ...(one.before === undefined ? {} : { after: one.before }) };
    case "changed":
      return changed(one.path, one.after, one.before);
  }
}

function changed(path: ResourcePath, before: string | undefined, after: string | undefined): Difference {
  const [was, is] = [before === undefined ? {} : { before }, after === undefined ? {} : { after }];
  if (before === undefined && after !== undefined) return { path, kind: "added", ...is };
  if (after === undefined && before !== undefined) return { path, kind: "removed", ...was };
  return { path, kind: "changed", ...was, ...is };
}
