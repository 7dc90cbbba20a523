import type { Difference } from "../mirror/fingerprint.ts";
import { shorten } from "./plain-text.ts";

const VALUE_CHARS_MAX = 120;

/** `service/worker/replicas: 1 → 3`, `added`, `removed`: a difference as one line. */
export function describeDifference(difference: Difference): string {
  return `${difference.path}: ${describeChange(difference)}`;
}

/** What became of the resource, without its path. */
export function describeChange({ kind, before, after }: Difference): string {
  const value = (text: string | undefined): string => (text === undefined ? "" : shorten(text, VALUE_CHARS_MAX));
  if (kind === "added") return after === undefined ? "added" : `added, ${value(after)}`;
  if (kind === "removed") return before === undefined ? "removed" : `removed, was ${value(before)}`;
  if (before === undefined && after === undefined) return "changed";
  return `${value(before) || "?"} → ${value(after) || "?"}`;
}
