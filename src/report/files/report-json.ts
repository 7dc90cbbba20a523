import type { RunReport } from "../run-report.ts";

const UNPRINTABLE = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff]/g;

/**
 * The report as JSON: keys sorted, two spaces, infinite bounds as null. Content is exactly what was recorded; characters that
 * could repaint a terminal are written as `\uXXXX`, which every reader turns back.
 */
export function reportJson(report: RunReport): string {
  return stableJson(report);
}

/** The same for any JSON-shaped value. */
export function stableJson(value: unknown): string {
  const text = JSON.stringify(sorted(value), undefined, 2);
  return `${text.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(members.map(([key, member]) => [key, sorted(member)]));
}
