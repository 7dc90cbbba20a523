import { canonicalJson } from "../attest/canonical-json.ts";

/** One place in two JSON documents in which they differ; `undefined` where a document has nothing there. */
export interface ValueDifference {
  /** Names of members from the root; an element of a list of named things stands under its name. */
  readonly place: readonly string[];
  readonly before: unknown;
  readonly after: unknown;
}

/** What stands for the order of a list's elements; no name of Kubernetes or of a flag looks like it. */
export const ORDER = "(order)";

/**
 * Where two JSON values differ, exactly: nothing is excused, and every place is told at the first member that only one of
 * them has. Lists whose elements all have a `name` of their own are compared by it (containers, variables, volumes); of all
 * others the list as a whole is the place, since an index means another element once one is put in before it.
 */
export function valueDifferences(
  before: unknown,
  after: unknown,
  place: readonly string[] = [],
): readonly ValueDifference[] {
  if (isObject(before) && isObject(after)) {
    return memberDifferences(new Map(Object.entries(before)), new Map(Object.entries(after)), place);
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const [old, young] = [byName(before), byName(after)];
    if (old !== undefined && young !== undefined) {
      return [...memberDifferences(old, young, place), ...orderDifference(old, young, place)];
    }
  }
  return isSame(before, after) ? [] : [{ place, before, after }];
}

/** Whether two JSON values are one, whatever the order of their members; `undefined` is only itself. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === undefined || other === undefined) return one === other;
  return canonicalJson(one) === canonicalJson(other);
}

type Members = ReadonlyMap<string, unknown>;

function memberDifferences(before: Members, after: Members, place: readonly string[]): readonly ValueDifference[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].flatMap((name) => valueDifferences(before.get(name), after.get(name), [...place, name]));
}

/** The elements by their names; `undefined` where one has none, or two have the same. */
function byName(list: readonly unknown[]): Members | undefined {
  const named = new Map<string, unknown>();
  for (const element of list) {
    const name = isObject(element) && Object.hasOwn(element, "name") ? element["name"] : undefined;
    if (typeof name !== "string" || named.has(name)) return undefined;
    named.set(name, element);
  }
  return named;
}

/** Variables refer to earlier ones and containers start in order, so the order of what both have is told as well. */
function orderDifference(before: Members, after: Members, place: readonly string[]): readonly ValueDifference[] {
  const kept = [...before.keys()].filter((name) => after.has(name));
  const now = [...after.keys()].filter((name) => before.has(name));
  return isSame(kept, now) ? [] : [{ place: [...place, ORDER], before: kept, after: now }];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
