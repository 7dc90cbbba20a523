import { messageOf } from "../../core/errors.ts";
import { admitReplica, listReplicas, type RaisedTwin, type Replica, startReplica } from "./replicas.ts";

/** Pauses every running replica of these services, and every one they get until they are thawed. */
export async function freezeServices(
  raised: RaisedTwin,
  services: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const service of services) raised.frozen.add(service);
  const replicas = await replicasOf(raised, services, signal);
  await Promise.all(
    replicas
      .filter((replica) => replica.state === "running")
      .map((replica) =>
        raised.twin.engine.change(`pausing ${replica.service}`, signal, (docker) =>
          docker
            .getContainer(replica.containerId)
            .pause()
            .catch(unlessAlready(/already paused/i)),
        ),
      ),
  );
}

/** Lets these services go on; replicas that were added meanwhile start now. Resolves when all of them are ready. */
export async function thawServices(
  raised: RaisedTwin,
  services: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const service of services) raised.frozen.delete(service);
  const replicas = await replicasOf(raised, services, signal);
  await Promise.all(replicas.map((replica) => wake(raised, replica, signal)));
}

async function wake(raised: RaisedTwin, replica: Replica, signal: AbortSignal): Promise<void> {
  if (replica.state === "paused") {
    await raised.twin.engine.change(`resuming ${replica.service}`, signal, (docker) =>
      docker
        .getContainer(replica.containerId)
        .unpause()
        .catch(unlessAlready(/not paused/i)),
    );
  }
  if (replica.state === "created") {
    await startReplica(raised, replica, signal);
    await admitReplica(raised, replica, signal);
  }
}

async function replicasOf(
  raised: RaisedTwin,
  services: readonly string[],
  signal: AbortSignal,
): Promise<readonly Replica[]> {
  if (services.length === 0) return [];
  const all = await listReplicas(raised, signal);
  return all.filter((replica) => services.includes(replica.service));
}

function unlessAlready(pattern: RegExp): (cause: unknown) => void {
  return (cause) => {
    if (!pattern.test(messageOf(cause))) throw cause;
  };
}
