import { describeDuration } from "../../report/amounts.ts";
import { plainText } from "../../report/plain-text.ts";

/** Words of plan and verdict were written by somebody else: shown as text, without what repaints it. */
export function text(words: string): string {
  return plainText(words, "join");
}

/** `2026-11-23 10:15 UTC (3 min ago)`. */
export function when(epochMs: number, atEpochMs: number): string {
  const minutes = Math.round(Math.abs(atEpochMs - epochMs) / 60_000);
  const distance = minutes === 0 ? "now" : describeDuration(minutes * 60_000);
  const told = minutes === 0 ? distance : epochMs > atEpochMs ? `in ${distance}` : `${distance} ago`;
  return `${new Date(epochMs).toISOString().slice(0, 16).replace("T", " ")} UTC (${told})`;
}
