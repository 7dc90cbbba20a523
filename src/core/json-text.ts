import { InvariantViolation } from "./invariant.ts";

// Edits of JSON text that leave every byte but the edited value as it was: people read these files, and diffs of them.

/** One member of an object in JSON text, by offsets; `valueTo` is exclusive. */
interface Member {
  readonly name: string;
  readonly nameFrom: number;
  readonly valueFrom: number;
  readonly valueTo: number;
}

/** An object in JSON text: from its brace to after its closing brace. */
interface ObjectText {
  readonly from: number;
  readonly to: number;
  readonly members: readonly Member[];
}

/**
 * The text with one member of the object at `path` set to a value (`undefined` removes it); the value is written compactly,
 * everything else keeps its bytes. A member that was not there becomes the last one.
 * @param text - valid JSON; anything else is the caller's mistake
 * @returns `undefined` where there is no object at the path, or a name on the way or the member itself stands there twice
 */
export function withMember(text: string, path: readonly string[], name: string, value: unknown): string | undefined {
  const object = objectAt(text, path);
  if (object === undefined) return undefined;
  const same = object.members.filter((member) => member.name === name);
  if (same.length > 1) return undefined;
  const [present] = same;
  if (value === undefined) return present === undefined ? text : without(text, object, present);
  const written = JSON.stringify(value);
  if (present !== undefined) return text.slice(0, present.valueFrom) + written + text.slice(present.valueTo);
  const last = object.members.at(-1);
  if (last === undefined)
    return `${text.slice(0, object.from + 1)}${JSON.stringify(name)}: ${written}${text.slice(object.from + 1)}`;
  // The new member stands as far from its comma as the last one does.
  const before = object.members.at(-2)?.valueTo ?? object.from;
  const gap = /[,{](\s*)$/.exec(text.slice(before, last.nameFrom))?.[1] ?? "";
  const colon = text.slice(last.nameFrom + JSON.stringify(last.name).length, last.valueFrom);
  const between = /^\s*:\s*$/.test(colon) ? colon : ": ";
  return `${text.slice(0, last.valueTo)},${gap}${JSON.stringify(name)}${between}${written}${text.slice(last.valueTo)}`;
}

function without(text: string, object: ObjectText, gone: Member): string {
  const at = object.members.indexOf(gone);
  const before = object.members[at - 1];
  const after = object.members[at + 1];
  if (before !== undefined) return text.slice(0, before.valueTo) + text.slice(gone.valueTo);
  return text.slice(0, gone.nameFrom) + text.slice(after?.nameFrom ?? gone.valueTo);
}

function objectAt(text: string, path: readonly string[]): ObjectText | undefined {
  let at = blankEnd(text, 0);
  for (const name of path) {
    const object = readObject(text, at);
    const found = object?.members.filter((member) => member.name === name) ?? [];
    const [member] = found;
    if (member === undefined || found.length > 1) return undefined;
    at = member.valueFrom;
  }
  return readObject(text, at);
}

function readObject(text: string, from: number): ObjectText | undefined {
  if (text[from] !== "{") return undefined;
  const members: Member[] = [];
  let at = blankEnd(text, from + 1);
  while (text[at] !== "}") {
    const nameFrom = at;
    const nameTo = stringEnd(text, at);
    const valueFrom = blankEnd(text, blankEnd(text, nameTo) + 1);
    const valueTo = valueEnd(text, valueFrom);
    members.push({ name: String(JSON.parse(text.slice(nameFrom, nameTo))), nameFrom, valueFrom, valueTo });
    at = blankEnd(text, valueTo);
    if (text[at] === ",") at = blankEnd(text, at + 1);
  }
  return { from, to: at + 1, members };
}

/** Brackets are counted outside strings: enough for text that is known to be JSON. */
function valueEnd(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return stringEnd(text, from);
  if (first !== "{" && first !== "[") return from + (/^[^\s,}\]]+/.exec(text.slice(from, from + 400))?.[0].length ?? 1);
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = stringEnd(text, at) - 1;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    if (depth === 0) return at + 1;
  }
  throw new InvariantViolation("brackets of JSON text are balanced");
}

function stringEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
  }
  throw new InvariantViolation("strings of JSON text end");
}

function blankEnd(text: string, from: number): number {
  let at = from;
  while (/\s/.test(text[at] ?? "")) at += 1;
  return at;
}
