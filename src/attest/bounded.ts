import { LIMITS } from "../core/limits.ts";

/** Paths, each once, as many as readers take; `total` counts them all. */
export function paths(all: readonly string[]): { total: number; paths: string[] } {
  const unique = [...new Set(all)];
  return { total: unique.length, paths: unique.slice(0, LIMITS.differencesListedMax).map(clipped) };
}

/** Readers bound every text; a long one is cut here rather than leave a run without a verdict. */
export function clipped(text: string): string {
  return text.slice(0, LIMITS.textCharsMax);
}
