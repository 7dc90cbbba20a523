import type { Difference, Fingerprint, ResourcePath } from "../../mirror/fingerprint.ts";
import { rowsGrown } from "../../mirror/state/sequence-differences.ts";

/** An action is tried first where that is possible, and numbers that the trial drew are gone too. */
const TIMES_DRAWN = 2;

/**
 * How many numbers of a sequence an action's rows may have drawn: one for each row of its database that came or was written, twice.
 * Rows that are not listed one by one count with all of their table.
 */
export function drawsOf(
  changed: readonly Difference[],
  before: Fingerprint,
  after: Fingerprint,
): (sequence: ResourcePath) => number {
  const written = new Set<ResourcePath>();
  const wholly = new Set<ResourcePath>();
  for (const { path, kind } of changed) {
    const [store, , , what, , key] = path.split("/");
    if (store !== "db" || what !== "rows" || kind === "removed") continue;
    const row = path.split("/").slice(0, 6).join("/");
    if (key === undefined || key.startsWith("(")) wholly.add(path.split("/").slice(0, 5).join("/"));
    else written.add(row);
  }
  return (sequence) => {
    const database = `${sequence.split("/").slice(0, 3).join("/")}/`;
    const listed = [...written].filter((row) => row.startsWith(database)).length;
    const unlisted = [...wholly]
      .filter((table) => table.startsWith(database))
      .reduce((sum, table) => sum + (after.tables[table]?.rows ?? 0), 0);
    return TIMES_DRAWN * Math.max(rowsGrown(sequence, before, after), listed + unlisted);
  };
}
