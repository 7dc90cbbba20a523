import { messageOf } from "../../core/errors.ts";
import type { Labels } from "./labels.ts";
import type { RunContext } from "./run-context.ts";

/** A branch, its base and one more: switching between them does not build or seed again. */
const KEPT = 3;

/** Removes all but the newest images with exactly these labels; one that is in use is left to a later run. */
export async function pruneImages(run: Pick<RunContext, "engine">, labels: Labels, signal: AbortSignal): Promise<void> {
  const filters = { label: Object.entries(labels).map(([key, value]) => `${key}=${value}`) };
  const images = await run.engine.read("listing images of ours", signal, (docker) => docker.listImages({ filters }));
  const older = images.toSorted((a, b) => b.Created - a.Created).slice(KEPT);
  for (const { Id } of older) {
    await run.engine
      .change("removing an older image of ours", signal, (docker) => docker.getImage(Id).remove())
      .catch((cause: unknown) => {
        if (signal.aborted || !/conflict|no such image|in use|being used/i.test(messageOf(cause))) throw cause;
      });
  }
}
