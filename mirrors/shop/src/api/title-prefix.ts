import { HttpFailure } from "./http-failure.ts";

/** Half-open range of lower-case titles: everything that starts with the prefix, and nothing else, in collation "C". */
export interface TitleRange {
  readonly from: string;
  readonly below: string;
}

const PREFIX_CHARACTERS = { min: 2, max: 40 };

/**
 * What a customer typed, as a range that a btree index serves.
 * @throws HttpFailure 400 when it is shorter than 2 or longer than 40 characters, or holds control characters
 */
export function titleRange(typed: string): TitleRange {
  const from = typed.trim().toLowerCase();
  const characters = [...from];
  const { min, max } = PREFIX_CHARACTERS;
  if (characters.length < min || characters.length > max || !from.isWellFormed() || /\p{Cc}/u.test(from)) {
    throw new HttpFailure(400, "invalid_request", `q must be ${min} to ${max} printable characters`);
  }
  return { from, below: successorOf(characters) };
}

/** The smallest text, by code points, that is above all texts with this prefix. */
function successorOf(characters: readonly string[]): string {
  const last = characters.at(-1)?.codePointAt(0) ?? 0;
  const before = characters.slice(0, -1);
  if (last >= 0x10ffff) return successorOf(before);
  // The surrogates 0xD800 to 0xDFFF are not characters; UTF-8, and so PostgreSQL, skips them.
  const next = last === 0xd7ff ? 0xe000 : last + 1;
  return before.join("") + String.fromCodePoint(next);
}
