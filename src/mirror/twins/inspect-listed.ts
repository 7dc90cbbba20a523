import type { ContainerDetails, Engine } from "./engine.ts";
import { isGone } from "./engine-errors.ts";

/** What the engine says of a container that it has listed; `undefined` when it was removed since. */
export async function inspectListed(
  engine: Pick<Engine, "read">,
  container: { readonly containerId: string; readonly doing: string },
  signal: AbortSignal,
): Promise<ContainerDetails | undefined> {
  return await engine.read(container.doing, signal, async (docker) => {
    try {
      return await docker.getContainer(container.containerId).inspect();
    } catch (cause) {
      if (isGone(cause)) return undefined;
      throw cause;
    }
  });
}
