import type { BigIntStats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** An entry of an image and the file that holds it. */
export interface ImageEntry {
  readonly at: string;
  readonly stats: BigIntStats;
}

/**
 * What the image holds at a path; its layers are given topmost first. A folder that a layer of the image made anew hides
 * the ones below only for programs that may read the engine's own marks; here the lower ones show through.
 */
export async function imageFact(
  lowers: readonly string[],
  segments: readonly string[],
): Promise<ImageEntry | undefined> {
  for (const layer of lowers) {
    const found = await inLayer(layer, segments);
    if (found === "hidden") return undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Names in a folder of the image. */
export async function namesInImage(lowers: readonly string[], folder: readonly string[]): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const layer of lowers) {
    const found = await inLayer(layer, folder);
    if (found === "hidden") break;
    if (found?.stats.isDirectory() !== true) continue;
    for (const name of await readdir(found.at)) names.add(name);
  }
  return [...names].sort();
}

/** The mark of an overlay file system for "removed here": a character device without a number. */
export function isWhiteout(stats: BigIntStats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0n;
}

async function inLayer(layer: string, segments: readonly string[]): Promise<ImageEntry | "hidden" | undefined> {
  let found: ImageEntry | undefined;
  for (const [index, segment] of segments.entries()) {
    const at = join(found?.at ?? layer, segment);
    const stats = await lstat(at, { bigint: true }).catch(() => undefined);
    if (stats === undefined) return undefined;
    // A removed or replaced folder hides whatever deeper layers have below it.
    if (isWhiteout(stats)) return "hidden";
    if (index < segments.length - 1 && !stats.isDirectory()) return "hidden";
    found = { at, stats };
  }
  return found;
}
