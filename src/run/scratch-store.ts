import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import type { LoadEffects } from "./load-session.ts";

/** A folder for a recording that nobody keeps, below `parentDir`; gone with everything in it when disposed. */
export async function openScratchStore(parentDir: string): Promise<LoadEffects["store"] & AsyncDisposable> {
  const recordingDir = await mkdtemp(path.join(parentDir, "canary-calibrate-"));
  return {
    recordingDir,
    saveMetrics: () => undefined,
    saveResponses: () => undefined,
    saveManifest: async () => undefined,
    [Symbol.asyncDispose]: () => rm(recordingDir, { recursive: true, force: true }),
  };
}
