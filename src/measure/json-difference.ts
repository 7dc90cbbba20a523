import type { DifferenceKind } from "./response-difference.ts";

/** A place in two documents in which they differ, before it is named. */
export interface JsonDifference {
  /** Keys from the root; every element of a list stands under `ANY_ELEMENT`. */
  readonly place: readonly string[];
  readonly kind: DifferenceKind;
  readonly control: unknown;
  readonly shadow: unknown;
}

/** Stands for the index of a list: elements change places too easily to be told apart by it. */
export const ANY_ELEMENT = "[]";

/**
 * Where two JSON values differ, from the outside in: a member that is missing is told once, not once for everything in it.
 * The order of members says nothing, that of a list does. Lists are first freed of elements that both have, wherever they
 * stand, so that one element more is one difference of size and not one of every element after it.
 */
export function jsonDifferences(
  control: unknown,
  shadow: unknown,
  place: readonly string[],
): readonly JsonDifference[] {
  const types = [typeOf(control), typeOf(shadow)];
  if (types[0] !== types[1]) return [{ place, kind: "type", control, shadow }];
  if (isList(control) && isList(shadow)) return listDifferences(control, shadow, place);
  if (isObject(control) && isObject(shadow)) return objectDifferences(control, shadow, place);
  return Object.is(control, shadow) ? [] : [{ place, kind: "value", control, shadow }];
}

/** Whether a text nests lists and objects deeper than `levels`: what follows it recurses. */
export function isDeeperThan(text: string, levels: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (inString && character === "\\") at++;
    else if (character === '"') inString = !inString;
    else if (!inString && (character === "[" || character === "{")) depth++;
    else if (!inString && (character === "]" || character === "}")) depth--;
    if (depth > levels) return true;
  }
  return false;
}

function objectDifferences(
  control: Readonly<Record<string, unknown>>,
  shadow: Readonly<Record<string, unknown>>,
  place: readonly string[],
): readonly JsonDifference[] {
  const keys = new Set([...Object.keys(control), ...Object.keys(shadow)]);
  return [...keys].flatMap((key): readonly JsonDifference[] => {
    const [onControl, onShadow] = [Object.hasOwn(control, key), Object.hasOwn(shadow, key)];
    const inner = [...place, keyFamily(key)];
    if (onControl && onShadow) return jsonDifferences(control[key], shadow[key], inner);
    return [{ place: inner, kind: onControl ? "missing" : "extra", control: control[key], shadow: shadow[key] }];
  });
}

function listDifferences(
  control: readonly unknown[],
  shadow: readonly unknown[],
  place: readonly string[],
): readonly JsonDifference[] {
  const size: readonly JsonDifference[] =
    control.length === shadow.length ? [] : [{ place, kind: "size", control: control.length, shadow: shadow.length }];
  const texts = { control: control.map(canonical), shadow: shadow.map(canonical) };
  const [onlyControl, onlyShadow] = [
    left(control, texts.control, texts.shadow),
    left(shadow, texts.shadow, texts.control),
  ];
  if (onlyControl.length === 0 && onlyShadow.length === 0) {
    const moved = texts.control.some((text, i) => text !== texts.shadow[i]);
    return moved ? [{ place, kind: "order", control, shadow }] : [];
  }
  const paired = Math.min(onlyControl.length, onlyShadow.length);
  const inner = [...place, ANY_ELEMENT];
  return [
    ...size,
    ...onlyControl.slice(0, paired).flatMap((element, i) => jsonDifferences(element, onlyShadow[i], inner)),
  ];
}

/** Elements that the other list does not have as often, in their order. */
function left(list: readonly unknown[], texts: readonly string[], others: readonly string[]): readonly unknown[] {
  const counts = new Map<string, number>();
  for (const text of others) counts.set(text, (counts.get(text) ?? 0) + 1);
  return list.filter((_, i) => {
    const count = counts.get(texts[i] ?? "") ?? 0;
    counts.set(texts[i] ?? "", count - 1);
    return count <= 0;
  });
}

/** Equal values have equal texts, whatever the order of their members. */
function canonical(value: unknown): string {
  if (isList(value)) return `[${value.map(canonical).join()}]`;
  if (!isObject(value)) return `${JSON.stringify(value)}`;
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`;
}

/** Keys that are ids count as one, or every answer would have places of its own. */
function keyFamily(key: string): string {
  const isId =
    /^\d+$|\d{4,}/.test(key) ||
    /^(?=[^\d]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*$/i.test(key) ||
    (key.length >= 16 && /\d/.test(key) && /[a-z]/i.test(key));
  return isId ? "{}" : key;
}

function typeOf(value: unknown): string {
  return value === null ? "null" : isList(value) ? "list" : typeof value;
}

/** `Array.isArray` does not narrow readonly arrays (TypeScript issue 17002). */
function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object";
}
