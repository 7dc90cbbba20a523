import { access } from "node:fs/promises";
import path from "node:path";
import { type Intent, type UnfinishedRollback, unfinishedRollback } from "../../core/intent-log.ts";
import { readPrivateText } from "../private-file.ts";

/** Files of a run's folder that another process needs to finish its rollback. */
export const KEPT_FILES = { intent: "intent.jsonl", twins: "twins.json" } as const;

/** Twins of a dead run whose rollback is unfinished are kept for this long after its last sign of life, and not longer. */
export const KEPT_MS = 15 * 60_000;

/** A run whose rollback can be finished. */
export interface KeptRun {
  readonly folder: string;
  readonly unfinished: UnfinishedRollback;
  readonly intents: readonly Intent[];
  /** Instant (epoch, ms) from which on its twins are removed as they are. */
  readonly untilEpochMs: number;
}

/**
 * Looks into a run's folder for an unfinished rollback; `undefined` where there is none, or nothing to finish it with. The folder
 * is named by a label that whoever may use the engine can write, so only this user's own private files are believed.
 */
export async function keptRun(folder: string): Promise<KeptRun | undefined> {
  const log = path.join(folder, KEPT_FILES.intent);
  try {
    await access(path.join(folder, KEPT_FILES.twins));
    const { text, writtenEpochMs } = await readPrivateText(log);
    const intents = parseIntents(text);
    const unfinished = unfinishedRollback(intents);
    if (unfinished === undefined) return undefined;
    return { folder, unfinished, intents, untilEpochMs: writtenEpochMs + KEPT_MS };
  } catch {
    // No folder, or not ours to read: nobody can finish it from here.
    return undefined;
  }
}

/** The entries of a log, one a line; a last one that was cut off in the middle was never durable. */
export function parseIntents(text: string): readonly Intent[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.flatMap((line): readonly Intent[] => {
    try {
      const entry: unknown = JSON.parse(line);
      return typeof entry === "object" && entry !== null && "kind" in entry ? [entry as Intent] : [];
    } catch {
      return [];
    }
  });
}
