import type { Difference, Fingerprint, ResourcePath } from "../fingerprint.ts";
import { unionOfKeys, valuesDiffering } from "./values-differing.ts";

/** Draws that nobody has to explain: rows that were refused, transactions that were taken back. */
const DRAWS_UNEXPLAINED_MAX = 1_000;

/** Sequences of `after` that hand out numbers again which `before` had handed out already. */
export function sequencesGoneBack(before: Fingerprint, after: Fingerprint): readonly Difference[] {
  return moved(before, after).filter(({ before: was = "", after: is = "" }) => isBehind(is, was));
}

/**
 * Sequences that ran further than rows can have drawn: a number that is thrown away is gone for those who come after, and there
 * are not many in an `integer`.
 * @param draws - how many numbers the rows of each sequence's database may have drawn, for a path
 */
export function sequencesThrownForward(
  before: Fingerprint,
  after: Fingerprint,
  draws: (sequence: ResourcePath) => number,
): readonly Difference[] {
  return moved(before, after).filter(({ path, before: was = "", after: is = "" }) => {
    const stride = Math.max(1, after.strides?.[path] ?? 1);
    return !isBehind(is, was) && distance(was, is) > (draws(path) + DRAWS_UNEXPLAINED_MAX) * stride;
  });
}

/** How many numbers each sequence went on between two looks; those that stood still or went back are left out. */
export function numbersDrawn(before: Fingerprint, after: Fingerprint): ReadonlyMap<ResourcePath, number> {
  const forward = moved(before, after).filter(({ before: was = "", after: is = "" }) => !isBehind(is, was));
  return new Map(
    forward.map(({ path, before: was = "", after: is = "" }) => [
      path,
      Math.ceil(distance(was, is) / Math.max(1, after.strides?.[path] ?? 1)),
    ]),
  );
}

/** By how many rows the tables of a sequence's database grew. */
export function rowsGrown(sequence: ResourcePath, before: Fingerprint, after: Fingerprint): number {
  const database = `${sequence.split("/").slice(0, 3).join("/")}/`;
  return unionOfKeys(before.tables, after.tables)
    .filter((table) => table.startsWith(database))
    .reduce((sum, table) => sum + Math.max(0, (after.tables[table]?.rows ?? 0) - (before.tables[table]?.rows ?? 0)), 0);
}

function moved(before: Fingerprint, after: Fingerprint): readonly Difference[] {
  return valuesDiffering(before.sequences ?? {}, after.sequences ?? {}).filter(({ kind }) => kind === "changed");
}

/** Descending sequences exist, but are rarer than mistakes: any step towards zero counts as back. */
function isBehind(is: string, was: string): boolean {
  const magnitude = (text: string): bigint => (BigInt(text) < 0n ? -BigInt(text) : BigInt(text));
  return magnitude(is) < magnitude(was);
}

function distance(was: string, is: string): number {
  return Math.abs(Number(BigInt(is) - BigInt(was)));
}
