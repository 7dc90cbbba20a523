import { stripVTControlCharacters } from "node:util";

/**
 * Characters that change how other text reads: C0 and C1 controls, direction overrides and marks, invisible joiners, line and
 * paragraph separators, tag characters, noncharacters, and whatever else Unicode counts as formatting. An agent that writes one
 * of them into a plan's text could otherwise repaint a terminal, hide a word, or make a reject read like a promote.
 */
const DECEPTIVE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u115f\u1160\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\uffa0\ufff0-\ufffb\ufffe\uffff]|[\u{e0000}-\u{e0fff}]|[\ufe00-\ufe0d]|\p{Cf}|\p{Surrogate}/gu;

/** Invisible by design and common in honest text (emoji, soft hyphens): dropped without a trace. */
const INVISIBLE = /\u00ad|\u200d|\ufe0e|\ufe0f|\ufeff/g;

/**
 * The one place where text from outside (agents, containers, documents) becomes safe to show to people: terminal escape
 * sequences disappear, every other deceptive character becomes `�`, so that a reader sees that something was there.
 * @param lines - `keep` leaves line breaks (program output); `join` makes one line of it (names, sentences)
 */
export function plainText(text: string, lines: "keep" | "join" = "join"): string {
  const unix = text.replaceAll("\r\n", "\n").replaceAll("\t", " ");
  // Twice, because removing one sequence can join the halves of another.
  const bare = stripVTControlCharacters(stripVTControlCharacters(unix)).replace(INVISIBLE, "").replace(DECEPTIVE, "�");
  return lines === "keep" ? bare : bare.replace(/\s*\n\s*/g, " ").trim();
}

/** Keys whose text keeps its line breaks. */
const MULTI_LINE_KEYS: ReadonlySet<string> = new Set(["output"]);

/**
 * A copy of a JSON-shaped value with every string (keys included) passed through `plainText`.
 * Views and reports call it once on what they are given, so that no later line can forget to.
 */
export function withPlainText<T>(value: T): T {
  return plainValue(value, "join") as T;
}

function plainValue(value: unknown, lines: "keep" | "join"): unknown {
  if (typeof value === "string") return plainText(value, lines);
  if (Array.isArray(value)) return value.map((item) => plainValue(item, lines));
  if (value === null || typeof value !== "object") return value;
  const members = Object.entries(value).map(([key, member]) => [
    plainText(key),
    plainValue(member, MULTI_LINE_KEYS.has(key) ? "keep" : "join"),
  ]);
  return Object.fromEntries(members);
}

/** Cuts text to at most `maxChars` characters, with an ellipsis where something is missing. */
export function shorten(text: string, maxChars: number): string {
  const characters = [...text];
  return characters.length <= maxChars ? text : `${characters.slice(0, Math.max(0, maxChars - 1)).join("")}…`;
}
