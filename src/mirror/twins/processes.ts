import type { ServiceProcess } from "../twin.ts";
import { inspectListed } from "./inspect-listed.ts";
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
      const asked = { containerId, doing: "looking for restarted processes" };
      const details = await inspectListed(raised.twin.engine, asked, signal);
      if (details === undefined) return [];
      return [{ service, id: `${containerId} ${details.State.StartedAt} ${details.State.Pid}` }];
    }),
  );
  return found.flat();
}
