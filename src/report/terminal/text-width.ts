import { stripVTControlCharacters } from "node:util";

const SEGMENTER = new Intl.Segmenter("en", { granularity: "grapheme" });
/** Scripts and symbols that terminals draw two columns wide (the common blocks of East Asian width W and F, and emoji). */
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])/u;
const ZERO = /^[\p{Mark}\p{Format}]+$/u;

/** Columns that text takes on a terminal, colour codes not counted. */
export function textWidth(text: string): number {
  let width = 0;
  for (const { segment } of SEGMENTER.segment(stripVTControlCharacters(text))) width += graphemeWidth(segment);
  return width;
}

/** Exactly `columns` wide: cut with an ellipsis or filled with spaces. Only for text without colour codes. */
export function fitTo(text: string, columns: number, align: "left" | "right" = "left"): string {
  const cut = cutTo(text, columns);
  const filler = " ".repeat(Math.max(0, columns - textWidth(cut)));
  return align === "left" ? cut + filler : filler + cut;
}

/** At most `columns` wide, with an ellipsis where something is missing. Only for text without colour codes. */
export function cutTo(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  if (columns <= 0) return "";
  let kept = "";
  let width = 0;
  for (const { segment } of SEGMENTER.segment(text)) {
    width += graphemeWidth(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Fills with spaces on the right up to `columns`; colour codes are not counted. */
export function padTo(painted: string, columns: number): string {
  return painted + " ".repeat(Math.max(0, columns - textWidth(painted)));
}

/** Breaks text between words into lines of at most `columns`; longer words are cut in pieces. */
export function wrapWords(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((long) => pieces(long, columns))) {
    const joined = line === "" ? word : `${line} ${word}`;
    if (textWidth(joined) <= columns) {
      line = joined;
      continue;
    }
    if (line !== "") lines.push(line);
    line = word;
  }
  return line === "" && lines.length > 0 ? lines : [...lines, line];
}

/** Lays painted items out in lines of at most `columns`, two spaces apart. */
export function flow(items: readonly string[], columns: number): readonly string[] {
  const lines: string[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    const joined = last === undefined ? item : `${last}  ${item}`;
    if (last !== undefined && textWidth(joined) <= columns) lines[lines.length - 1] = joined;
    else lines.push(item);
  }
  return lines;
}

function pieces(word: string, columns: number): readonly string[] {
  if (textWidth(word) <= columns) return [word];
  const parts: string[] = [""];
  for (const { segment } of SEGMENTER.segment(word)) {
    const part = parts.at(-1) ?? "";
    if (part !== "" && textWidth(part + segment) > columns) parts.push(segment);
    else parts[parts.length - 1] = part + segment;
  }
  return parts;
}

function graphemeWidth(grapheme: string): number {
  if (ZERO.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}
