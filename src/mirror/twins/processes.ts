import type { ServiceProcess } from "../twin.ts";
import type { ContainerDetails } from "./engine.ts";
import { isGone } from "./engine-errors.ts";
import { listReplicas, type RaisedTwin } from "./replicas.ts";

/** The main process of every container that runs or is paused; a restarted container is another one. */
export async function processesOf(
  raised: Pick<RaisedTwin, "twin">,
  signal: AbortSignal,
): Promise<readonly ServiceProcess[]> {
  const replicas = await listReplicas(raised, signal);
  const living = replicas.filter(({ state }) => state === "running" || state === "paused");
  const found = await Promise.all(
    living.map(async ({ service, containerId }): Promise<readonly ServiceProcess[]> => {
      const state = await stateOf(raised, containerId, signal);
      return state === undefined ? [] : [{ service, id: `${containerId} ${state.StartedAt} ${state.Pid}` }];
    }),
  );
  return found.flat();
}

/** `undefined` for a container that was removed after it was listed. */
async function stateOf(
  { twin }: Pick<RaisedTwin, "twin">,
  containerId: string,
  signal: AbortSignal,
): Promise<ContainerDetails["State"] | undefined> {
  return await twin.engine.read("looking for restarted processes", signal, async (docker) => {
    try {
      return (await docker.getContainer(containerId).inspect()).State;
    } catch (cause) {
      if (isGone(cause)) return undefined;
      throw cause;
    }
  });
}
