import type { Docker } from "../engine.ts";
import { resourceName } from "../run-context.ts";
import type { TwinWithFiles } from "./looked-at.ts";

type Container = ReturnType<Docker["getContainer"]>;

/**
 * Containers that are created and never started, one an image: through them the engine shows what the image holds. They
 * carry the run's labels and go with it.
 */
export function pristineContainers(
  raised: TwinWithFiles,
): (imageId: string, signal: AbortSignal) => Promise<Container> {
  const made = new Map<string, Promise<Container>>();
  const { engine, runId, role, ownership } = raised.twin;
  const create = async (imageId: string, signal: AbortSignal): Promise<Container> => {
    const image = await engine.read("inspecting an image", signal, (docker) => docker.getImage(imageId).inspect());
    return await engine.change("looking into an image", signal, (docker) =>
      docker.createContainer({
        name: resourceName(runId, role, "pristine", imageId.replace("sha256:", "").slice(0, 12)),
        Image: imageId,
        // Never run; without one the engine refuses images that name no program.
        Entrypoint: ["/pristine"],
        Labels: { ...ownership },
        HostConfig: {
          NetworkMode: "none",
          // In place of the volumes that the image declares, so that none comes into being.
          Tmpfs: Object.fromEntries(Object.keys(image.Config.Volumes ?? {}).map((target) => [target, ""])),
        },
      }),
    );
  };
  return async (imageId, signal) => {
    const known = made.get(imageId) ?? create(imageId, signal);
    made.set(imageId, known);
    // One that failed is tried again by whoever asks next.
    known.catch(() => made.delete(imageId));
    return await known;
  };
}
