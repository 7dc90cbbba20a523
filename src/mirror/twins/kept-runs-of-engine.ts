import { openEngine } from "./engine.ts";
import { type KeptRun, keptRun } from "./kept-runs.ts";
import { LABEL, ownerOfLabels } from "./labels.ts";
import { ownerState } from "./owner.ts";
import { engineThings } from "./remove-things.ts";

/**
 * Runs on this machine's engine whose owner is dead, whose rollback is unfinished, and whose time to finish it is not over.
 * @throws CanaryError MIRROR_UNAVAILABLE when no engine answers
 */
export async function deadRunsToFinish(options: {
  readonly nowEpochMs: number;
  readonly dockerHost?: string;
}): Promise<readonly KeptRun[]> {
  const { docker } = await openEngine(options.dockerHost === undefined ? {} : { dockerHost: options.dockerHost });
  const folders = new Set<string>();
  for (const { labels } of await engineThings(docker).list(undefined)) {
    const folder = labels[LABEL.folder];
    const owner = ownerOfLabels(labels);
    if (folder === undefined || folders.has(folder) || owner === undefined) continue;
    if ((await ownerState(owner)) === "dead") folders.add(folder);
  }
  const kept = await Promise.all([...folders].map(keptRun));
  return kept.filter((run): run is KeptRun => run !== undefined && run.untilEpochMs > options.nowEpochMs);
}
